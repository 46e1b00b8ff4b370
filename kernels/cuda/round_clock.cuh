// The stage marks of a round.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/round.h"

namespace draftscope::cuda {

/// The round has come to `mark` now, by the device's clock, which ticks once a microsecond or faster. For one thread.
__device__ inline void set_mark(RoundState& state, Mark mark) {
  state.mark_ns[static_cast<int32_t>(mark)] = static_cast<int64_t>(now_ns());
}

}  // namespace draftscope::cuda
