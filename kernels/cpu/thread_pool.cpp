#include "kernels/cpu/thread_pool.h"

#include <utility>

namespace draftscope {
namespace {

// About 50 microseconds: longer than the gap between two operations of a pass, shorter than a time slice.
constexpr int kSpins = 2000;

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

ThreadPool::ThreadPool(int32_t n_threads) {
  for (int32_t thread = 1; thread < n_threads; ++thread) {
    workers_.emplace_back([this, thread] { worker_loop(thread); });
  }
}

ThreadPool::~ThreadPool() {
  stopping_.store(true, std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::start(int64_t n_tasks, Call call, const void* data) {
  if (workers_.empty() || n_tasks <= 1) {
    for (int64_t task = 0; task < n_tasks; ++task) call(data, task, 0);
    return;
  }
  call_ = call;
  data_ = data;
  n_tasks_ = n_tasks;
  next_task_.store(0, std::memory_order_relaxed);
  gate_.store(kOpen, std::memory_order_release);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  work(0);
  // All tasks are handed out: nobody enters any more, and whoever is inside finishes its last one.
  gate_.fetch_and(~kOpen, std::memory_order_acq_rel);
  for (int spin = 0; gate_.load(std::memory_order_acquire) != 0; ++spin) {
    if (spin < kSpins)
      relax();
    else
      std::this_thread::yield();
  }
  if (failed_.exchange(false, std::memory_order_relaxed)) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ThreadPool::work(int32_t thread) {
  for (;;) {
    const int64_t task = next_task_.fetch_add(1, std::memory_order_relaxed);
    if (task >= n_tasks_) return;
    try {
      call_(data_, task, thread);
    } catch (...) {
      next_task_.store(n_tasks_, std::memory_order_relaxed);
      if (!failed_.exchange(true, std::memory_order_relaxed)) failure_ = std::current_exception();
    }
  }
}

bool ThreadPool::enter() {
  uint32_t gate = gate_.load(std::memory_order_relaxed);
  while ((gate & kOpen) != 0) {
    if (gate_.compare_exchange_weak(gate, gate + 1, std::memory_order_acquire, std::memory_order_relaxed))
      return true;
  }
  return false;  // came too late: the others have taken every task
}

void ThreadPool::worker_loop(int32_t thread) {
  uint32_t seen = 0;
  for (;;) {
    for (int spin = 0; spin < kSpins && generation_.load(std::memory_order_acquire) == seen; ++spin) relax();
    generation_.wait(seen, std::memory_order_acquire);
    seen = generation_.load(std::memory_order_acquire);
    if (stopping_.load(std::memory_order_relaxed)) return;
    if (enter()) {
      work(thread);
      gate_.fetch_sub(1, std::memory_order_release);
    }
  }
}

}  // namespace draftscope
