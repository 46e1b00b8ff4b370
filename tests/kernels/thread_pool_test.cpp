#include "kernels/cpu/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <new>
#include <numeric>
#include <thread>
#include <vector>

namespace draftscope {
namespace {

TEST(ThreadPoolTest, EveryTaskRunsExactlyOnce) {
  for (const int32_t n_threads : {1, 2, 3, 8}) {
    ThreadPool pool(n_threads);
    ASSERT_EQ(pool.n_threads(), n_threads);
    for (const int64_t n_tasks : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int32_t>> runs(static_cast<size_t>(n_tasks));
      std::atomic<bool> thread_in_range{true};
      pool.run(n_tasks, [&](int64_t task, int32_t thread) {
        ++runs[static_cast<size_t>(task)];
        if (thread < 0 || thread >= n_threads) thread_in_range = false;
      });
      for (const auto& each : runs) ASSERT_EQ(each.load(), 1);
      ASSERT_TRUE(thread_in_range);
    }
  }
}

TEST(ThreadPoolTest, WritesOfTasksAreVisibleAfterRun) {
  ThreadPool pool(3);
  std::vector<int64_t> values(64);
  int64_t expected = 0;
  for (int round = 0; round < 3000; ++round) {
    pool.run(64, [&](int64_t task, int32_t) { values[static_cast<size_t>(task)] += task; });
    expected += 64 * 63 / 2;
    ASSERT_EQ(std::accumulate(values.begin(), values.end(), int64_t{0}), expected);
  }
}

TEST(ThreadPoolTest, WhatATaskThrowsReachesTheCallerWhenNobodyIsAtWork) {
  for (const int32_t n_threads : {1, 2, 4}) {
    ThreadPool pool(n_threads);
    for (int round = 0; round < 50; ++round) {
      std::atomic<int> at_work = 0;
      EXPECT_THROW(pool.run(64,
                            [&](int64_t task, int32_t) {
                              ++at_work;
                              if (task % 16 == 5) {
                                --at_work;
                                throw std::bad_alloc();
                              }
                              --at_work;
                            }),
                   std::bad_alloc);
      EXPECT_EQ(at_work, 0);
      std::atomic<int64_t> sum = 0;
      pool.run(64, [&](int64_t task, int32_t) { sum += task; });
      EXPECT_EQ(sum, 64 * 63 / 2) << "the pool goes on";
    }
  }
}

TEST(ThreadPoolTest, WakesWorkersThatWentToSleep) {
  ThreadPool pool(2);
  for (int round = 0; round < 20; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::atomic<int64_t> sum{0};
    pool.run(10, [&](int64_t task, int32_t) { sum += task; });
    ASSERT_EQ(sum.load(), 45);
  }
}

TEST(ThreadPoolTest, ManyPoolsComeAndGo) {
  for (int round = 0; round < 50; ++round) {
    ThreadPool pool(4);
    std::atomic<int32_t> n{0};
    if (round % 2 == 0) pool.run(4, [&](int64_t, int32_t) { ++n; });
    ASSERT_EQ(n.load(), round % 2 == 0 ? 4 : 0);
  }
}

}  // namespace
}  // namespace draftscope
