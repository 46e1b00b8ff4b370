// ThreadPool: splits one operation at a time over a few threads that stay hot between operations.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

namespace draftscope {

/// Processors that the affinity mask allows, at least 1.
int32_t n_usable_cpus();

/// One caller at a time. Tasks are handed out by a counter, so a slowed-down thread takes fewer of them; the
/// caller works too and never waits for a worker that has not begun, so a busy machine costs little.
class ThreadPool {
 public:
  /// n_threads >= 1 counts the calling thread; 1 starts no worker.
  explicit ThreadPool(int32_t n_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int32_t n_threads() const { return static_cast<int32_t>(workers_.size()) + 1; }

  /// Calls body(task, thread) for every task in [0, n_tasks), thread in [0, n_threads()); returns when all
  /// are done. What a task throws, such as for want of memory, is thrown here once no thread is at work any more; tasks
  /// that had not begun are then left out.
  template <class Body>
  void run(int64_t n_tasks, const Body& body) {
    start(
        n_tasks,
        [](const void* data, int64_t task, int32_t thread) {
          (*static_cast<const Body*>(data))(task, thread);
        },
        &body);
  }

 private:
  using Call = void (*)(const void* data, int64_t task, int32_t thread);
  void start(int64_t n_tasks, Call call, const void* data);
  void work(int32_t thread);
  bool enter();
  void worker_loop(int32_t thread);

  static constexpr uint32_t kOpen = 1u << 31;

  // The job in progress: written while the gate is closed and empty, read by those who entered.
  Call call_ = nullptr;
  const void* data_ = nullptr;
  int64_t n_tasks_ = 0;

  std::atomic<int64_t> next_task_{0};
  std::atomic<uint32_t> gate_{0};        // kOpen while there may be tasks, plus the number of workers inside
  std::atomic<uint32_t> generation_{0};  // rises with every job; what idle workers watch
  std::atomic<bool> stopping_{false};
  std::atomic<bool> failed_{false};      // a task of this job threw:
  std::exception_ptr failure_;           // this, the first of them
  std::vector<std::thread> workers_;
};

}  // namespace draftscope
