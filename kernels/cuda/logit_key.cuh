// Which of two logits is the better one.
#pragma once

#include <cuda_runtime.h>

#include <cfloat>
#include <cstdint>

namespace draftscope::cuda {

/// A logit and its token as one number: larger is better, and of equal logits the smaller token. Distinct for distinct
/// tokens, and never 0. The key of kernels/cpu/logit_ops.h with its sign flipped, for radix digits.
using LogitKey = uint64_t;

/// Makes a logit finite, NaN the lowest and -0 a 0, as the CPU does.
__device__ __forceinline__ float finite_logit(float logit) { return fminf(fmaxf(logit, -FLT_MAX), FLT_MAX) + 0.0f; }

/// Ordered like the floats, all of them finite and no -0.
__device__ __forceinline__ uint32_t ordered_bits(float logit) {
  const uint32_t bits = __float_as_uint(logit);
  return bits ^ (bits >> 31 != 0 ? 0xffffffffu : 0x80000000u);
}
__device__ __forceinline__ LogitKey key_of(float logit, int32_t token) {
  return static_cast<uint64_t>(ordered_bits(logit)) << 32 | ~static_cast<uint32_t>(token);
}
__device__ __forceinline__ float logit_of(LogitKey key) {
  const auto ordered = static_cast<uint32_t>(key >> 32);
  return __uint_as_float(ordered ^ (ordered >> 31 != 0 ? 0x80000000u : 0xffffffffu));
}
__device__ __forceinline__ int32_t token_of(LogitKey key) { return static_cast<int32_t>(~static_cast<uint32_t>(key)); }

}  // namespace draftscope::cuda
