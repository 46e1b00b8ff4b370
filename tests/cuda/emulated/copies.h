// Copies from global to shared memory that a thread starts and waits for later (cp.async), for kernels/cuda/memory.cuh.
// They are made as late as they may be, at the wait, so that what does not wait finds old bytes.
#pragma once

#include "vocabulary.h"

namespace emulated {

struct AsyncCopy {
  uint4* to;
  const uint4* from;  // null: zeros
};

/// Of the running thread: adds to its open batch, closes that batch.
void start_async_copy(const AsyncCopy& copy);
void close_async_batch();
/// The oldest copy of all but the last n_unfinished batches, not to be given again; null: none is left.
const AsyncCopy* next_arrived(int n_unfinished);

/// At the thread's end: stops the program if a copy is left.
void end_async_copies();

/// Here and not in the library: these are accesses of the kernel.
inline void wait_for_async_batches(int n_unfinished) {
  while (const AsyncCopy* copy = next_arrived(n_unfinished)) {
    *copy->to = copy->from != nullptr ? *copy->from : uint4{0, 0, 0, 0};
  }
}

}  // namespace emulated
