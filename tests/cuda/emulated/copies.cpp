#include "copies.h"

#include <vector>

#include "block.h"

namespace emulated {
namespace {

/// A thread's copies on their way, oldest first; a batch ends where the next one begins.
struct Copies {
  std::vector<AsyncCopy> copies;
  std::vector<size_t> ends;  // of closed batches, as indices of `copies`
  size_t n_made = 0;
};

Copies& of_running_thread() {
  thread_local std::vector<Copies> all(1024);
  return all[static_cast<size_t>(running_thread())];
}

}  // namespace

void start_async_copy(const AsyncCopy& copy) { of_running_thread().copies.push_back(copy); }
void close_async_batch() { of_running_thread().ends.push_back(of_running_thread().copies.size()); }

const AsyncCopy* next_arrived(int n_unfinished) {
  Copies& own = of_running_thread();
  const size_t n_batches = own.ends.size(), left = static_cast<size_t>(n_unfinished);
  const size_t end = n_batches > left ? own.ends[n_batches - left - 1] : 0;
  if (own.n_made < end) return &own.copies[own.n_made++];
  return nullptr;
}

void end_async_copies() {
  Copies& own = of_running_thread();
  if (own.n_made < own.copies.size()) fail("the thread ends while copies to shared memory are on their way");
  own.copies.clear();
  own.ends.clear();
  own.n_made = 0;
}

}  // namespace emulated
