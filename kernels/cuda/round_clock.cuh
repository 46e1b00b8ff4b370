// The stage marks of a round.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda/round.h"

namespace draftscope::cuda {

/// Nanoseconds of the device's clock, which ticks about once a microsecond or faster.
__device__ inline int64_t now_ns() {
#ifdef __CUDACC__
  int64_t ns;
  asm volatile("mov.u64 %0, %globaltimer;" : "=l"(ns));
  return ns;
#else
  return static_cast<int64_t>(emulated::now_ns());
#endif
}

enum class Mark : int32_t { kBegin, kDrafted, kGrown, kVerified, kAccepted, kCommitted };

/// The round has come to `mark` now. One thread calls it.
__device__ inline void set_mark(RoundState& state, Mark mark) {
  state.stage_end_ns[static_cast<int32_t>(mark)] = now_ns();
}

}  // namespace draftscope::cuda
