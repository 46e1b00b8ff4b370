// How a product ends, element by element.
#pragma once

#include <cuda_runtime.h>

namespace draftscope::cuda {

/// silu(gate) * up. Below -88 the gate is 0 in float32, as on the CPU. The sum is kept from fusing with the last
/// product inside expf, which a compiler might do in one kernel and not in another: their bits would differ. Nothing here
/// branches, or the many of a product would wait for each other; the quotient may be off by two units in the last place.
__device__ __forceinline__ float silu_mul(float gate, float up) {
  const float silu = __fdividef(gate, __fadd_rn(1.0f, expf(fminf(-gate, 88.0f))));
  return (gate < -88.0f ? 0.0f : silu) * up;
}

}  // namespace draftscope::cuda
