// The last thread block of several takes over what all of them left in memory.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace draftscope::cuda {

/// Whether this thread block is the last of n to arrive; all its threads then see what the others wrote before they did.
/// `arrived` is zero before the first and after the last. Called by all threads.
///
/// One thread fences for its block, after the barrier through which it saw the others' writes: a fence orders what its own
/// thread has seen before it, not what comes to be seen later (PTX ISA, "Memory Consistency Model", release patterns).
__device__ inline bool arrives_last(int32_t* arrived, int32_t n) {
  __shared__ bool is_last;
  __syncthreads();
  if (threadIdx.x == 0) {
    __threadfence();
    is_last = atomicAdd(arrived, 1) == n - 1;
    if (is_last) {
      __threadfence();
      *arrived = 0;
    }
  }
  __syncthreads();
  return is_last;
}

}  // namespace draftscope::cuda
