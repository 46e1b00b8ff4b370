// The tensor core's product, and the clock, for kernels/cuda/mma.cuh.
#pragma once

#include <cstdint>

namespace emulated {

/// PTX mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 with the fragments as documented there: d += a b,
/// a (16, 16), b (16, 8), d (16, 8); float32 products added in ascending k. All 32 lanes take part.
void mma_m16n8k16_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);

/// A lane's fragments.
struct Fragments {
  float* d;
  const uint32_t *a, *b;
};
/// That product, of the fragments of all lanes.
void multiply_fragments(const Fragments (&lanes)[32]);

/// A clock in nanoseconds.
uint64_t now_ns();

}  // namespace emulated
