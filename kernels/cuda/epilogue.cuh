// How a product ends, element by element.
#pragma once

#include <cuda_runtime.h>

namespace draftscope::cuda {

/// silu(gate) * up. Below -88 the gate is 0 in float32, as on the CPU.
__device__ __forceinline__ float silu_mul(float gate, float up) {
  return gate < -88.0f ? 0.0f * up : gate / (1.0f + expf(-gate)) * up;
}

}  // namespace draftscope::cuda
