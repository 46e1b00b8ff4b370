// How a product ends, element by element.
#pragma once

#include <cuda_runtime.h>

namespace draftscope::cuda {

/// silu(gate) * up. Below -88 the gate is 0 in float32, as on the CPU. The sum is kept from fusing with the last
/// product inside expf, which a compiler might do in one kernel and not in another: their bits would differ.
__device__ __forceinline__ float silu_mul(float gate, float up) {
  return gate < -88.0f ? 0.0f * up : gate / __fadd_rn(1.0f, expf(-gate)) * up;
}

}  // namespace draftscope::cuda
