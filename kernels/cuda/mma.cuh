// What C++ has no word for: the tensor cores' product, the rounding of two values at once, the device's
// clock. Instructions under nvcc; elsewhere the <cuda_runtime.h> of tests/cuda/emulated plays them.
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cstdint>

namespace draftscope::cuda {

/// d += a b over the warp: a (16, 16) and b (16, 8) bf16, d (16, 8) and the sums float32. All lanes call it.
///
/// Fragments, g = lane / 4, t = lane % 4, the lower index in a word's low half
/// (PTX ISA, "Matrix fragments for mma.m16n8k16"):
/// a    row g columns 2t, 2t + 1; row g + 8 the same; row g columns 2t + 8, 2t + 9; row g + 8 the same
/// b    column g: rows 2t, 2t + 1; rows 2t + 8, 2t + 9
/// d    row g columns 2t, 2t + 1; row g + 8 the same
__device__ __forceinline__ void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if defined(__CUDACC__)
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  ::emulated::mma_m16n8k16_bf16(d, a, b);
#endif
}

/// Both values as bf16, rounded to nearest even; `low` in the low half.
__device__ __forceinline__ uint32_t pack_bf16(float low, float high) {
#if defined(__CUDACC__)
  uint32_t pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
#else
  return ::emulated::bf16_bits(low) | static_cast<uint32_t>(::emulated::bf16_bits(high)) << 16;
#endif
}

/// The device's clock in nanoseconds.
__device__ __forceinline__ uint64_t now_ns() {
#if defined(__CUDACC__)
  uint64_t ns;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(ns));
  return ns;
#else
  return ::emulated::now_ns();
#endif
}

}  // namespace draftscope::cuda
