// Matrix kernels: rows of activations times blocks of 16 packed outputs.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/packed_matrix.h"

namespace draftscope {

/// Rows [first, first + n) of a pass.
struct RowTile {
  int64_t first, n;
};

/// Tile `i` of `n_tiles` tiles over `rows` rows, dealt out evenly, larger ones first: a tile of few rows costs
/// almost as much as a full one.
inline RowTile row_tile(int64_t rows, int64_t n_tiles, int64_t i) {
  const int64_t n = rows / n_tiles, n_larger = rows % n_tiles;
  return {i * n + std::min(i, n_larger), n + (i < n_larger ? 1 : 0)};
}

constexpr int64_t kTileRowsAvx2 = 6;
inline int64_t n_tiles_avx2(int64_t rows) { return (rows + kTileRowsAvx2 - 1) / kTileRowsAvx2; }

/// Activations prepared once per product in the form that its kernel reads, padded with zeros to
/// n = n_pairs * 2 columns. Those in float32 are rounded to bf16 when the precision asks.
struct MatmulInput {
  const float* f32 = nullptr;      // plain: (rows, n); AVX2: row tile after row tile, each (n, its rows): one stream
  const uint16_t* bf16 = nullptr;  // (rows, n); AVX512-BF16 and AMX only
  int64_t rows = 0;
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
