// Matrix kernels: rows of activations times blocks of 16 packed outputs.
#pragma once

#include <cstdint>

#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/packed_matrix.h"

namespace draftscope {

/// Activations prepared once per product, padded with zeros to n_pairs * 2 columns.
struct MatmulInput {
  const float* f32 = nullptr;      // (rows, n_pairs * 2), f32_stride apart; rounded to bf16 when the precision asks
  const uint16_t* bf16 = nullptr;  // (rows, n_pairs * 2), as bf16; AVX512-BF16 and AMX only
  int64_t rows = 0;
  int64_t f32_stride = 0;          // floats from one row to the next
};

/// Stores the products of blocks [first_block, last_block) of `w`:
/// out[r * stride + (block - first_block) * 16 + c], c < 16. Every output is one
/// accumulator over ascending inputs, so its bits depend on its own row and column alone; AMX adds to it
/// the sums of 16 pairs at a time.
using MatmulKernel = void (*)(const MatmulInput& x, const PackedMatrix& w, int64_t first_block,
                              int64_t last_block, float* out, int64_t stride);

void matmul_plain(const MatmulInput& x, const PackedMatrix& w, int64_t first_block, int64_t last_block,
                  float* out, int64_t stride);
void matmul_avx2(const MatmulInput& x, const PackedMatrix& w, int64_t first_block, int64_t last_block,
                 float* out, int64_t stride);
void matmul_avx512_bf16(const MatmulInput& x, const PackedMatrix& w, int64_t first_block, int64_t last_block,
                        float* out, int64_t stride);
void matmul_amx(const MatmulInput& x, const PackedMatrix& w, int64_t first_block, int64_t last_block,
                float* out, int64_t stride);

}  // namespace draftscope
