#include <immintrin.h>

#include "kernels/cpu/matmul.h"

namespace draftscope {
namespace {

struct Bf16Weights {
  using Element = uint16_t;
  static const Element* block(const PackedMatrix& w, int64_t block) { return w.bf16_block(block); }
  // Eight outputs, float32, of input `in` (0 or 1) of a pair.
  static __m256 load(const Element* pair, int in, int half) {
    const __m256i both = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(pair + half * 16));
    return _mm256_castsi256_ps(
        in == 0 ? _mm256_slli_epi32(both, 16)
                : _mm256_and_si256(both, _mm256_set1_epi32(static_cast<int>(0xffff0000u))));
  }
};

struct F32Weights {
  using Element = float;
  static const Element* block(const PackedMatrix& w, int64_t block) { return w.f32_block(block); }
  static __m256 load(const Element* pair, int in, int half) {
    return _mm256_loadu_ps(pair + in * 16 + half * 8);
  }
};

// A tile of ROWS rows times BLOCKS blocks in registers: 2 * ROWS * BLOCKS accumulators, at most 12 of 16
// registers. Unrolled by order, since g++ 12 otherwise stores every accumulator to memory in every step.
template <class Weights, int ROWS, int BLOCKS>
void tile(const float* x, const PackedMatrix& w, int64_t block, float* out, int64_t stride) {
  const typename Weights::Element* source[BLOCKS];
  for (int b = 0; b < BLOCKS; ++b) source[b] = Weights::block(w, block + b);
  __m256 sum[ROWS][BLOCKS][2];
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; ++r) {
#pragma GCC unroll 4
    for (int b = 0; b < BLOCKS; ++b) sum[r][b][0] = sum[r][b][1] = _mm256_setzero_ps();
  }
  const auto step = [&](int64_t pair) __attribute__((always_inline)) {
#pragma GCC unroll 4
    for (int b = 0; b < BLOCKS; ++b) {
      // A few rows cannot hide memory latency behind arithmetic: ask for 512 bytes ahead.
      if constexpr (ROWS <= 2)
        _mm_prefetch(reinterpret_cast<const char*>(source[b] + pair * 32) + 512, _MM_HINT_T0);
#pragma GCC unroll 2
      for (int in = 0; in < 2; ++in) {
        const __m256 low = Weights::load(source[b] + pair * 32, in, 0),
                     high = Weights::load(source[b] + pair * 32, in, 1);
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; ++r) {
          const __m256 value = _mm256_broadcast_ss(x + (pair * 2 + in) * ROWS + r);
          sum[r][b][0] = _mm256_fmadd_ps(value, low, sum[r][b][0]);
          sum[r][b][1] = _mm256_fmadd_ps(value, high, sum[r][b][1]);
        }
      }
    }
  };
  // Four pairs a turn: less counting, in 6 % less time. (g++ 12 spills the sums when it is asked to unroll instead.)
  int64_t pair = 0;
  for (; pair + 4 <= w.n_pairs; pair += 4) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) step(pair + i);
  }
  for (; pair < w.n_pairs; ++pair) step(pair);
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; ++r) {
#pragma GCC unroll 4
    for (int b = 0; b < BLOCKS; ++b) {
      _mm256_storeu_ps(out + r * stride + b * 16, sum[r][b][0]);
      _mm256_storeu_ps(out + r * stride + b * 16 + 8, sum[r][b][1]);
    }
  }
}

// All blocks for ROWS rows, as many blocks at once as registers allow.
template <class Weights, int ROWS, int BLOCKS>
void sweep(const float* x, const PackedMatrix& w, int64_t first, int64_t last, float* out, int64_t stride) {
  int64_t block = first;
  for (; block + BLOCKS <= last; block += BLOCKS) {
    tile<Weights, ROWS, BLOCKS>(x, w, block, out + (block - first) * 16, stride);
  }
  for (; block < last; ++block) tile<Weights, ROWS, 1>(x, w, block, out + (block - first) * 16, stride);
}

// tile<rows, 1>, looked for from ROWS downwards.
template <class Weights, int ROWS>
void tile_of(int64_t rows, const float* x, const PackedMatrix& w, int64_t block, float* out, int64_t stride) {
  constexpr int kFewestRows = 4;  // 7 rows, the first number of two tiles, go as 4 and 3
  if constexpr (ROWS >= kFewestRows) {
    if (rows < ROWS) return tile_of<Weights, ROWS - 1>(rows, x, w, block, out, stride);
  }
  tile<Weights, ROWS, 1>(x, w, block, out, stride);
}

template <class Weights>
void matmul(const MatmulInput& x, const PackedMatrix& w, int64_t first, int64_t last, float* out,
            int64_t stride) {
  if (x.rows == 1) return sweep<Weights, 1, 4>(x.f32, w, first, last, out, stride);
  if (x.rows == 2) return sweep<Weights, 2, 3>(x.f32, w, first, last, out, stride);
  if (x.rows == 3) return sweep<Weights, 3, 2>(x.f32, w, first, last, out, stride);
  // Many rows: a block stays in the cache while all rows pass over it.
  const int64_t n_tiles = n_tiles_avx2(x.rows);
  for (int64_t block = first; block < last; ++block) {
    for (int64_t i = 0; i < n_tiles; ++i) {
      const RowTile rows = row_tile(x.rows, n_tiles, i);
      tile_of<Weights, kTileRowsAvx2>(rows.n, x.f32 + rows.first * w.n_pairs * 2, w, block,
                                      out + rows.first * stride + (block - first) * 16, stride);
    }
  }
}

}  // namespace

void matmul_avx2(const MatmulInput& x, const PackedMatrix& w, int64_t first_block, int64_t last_block,
                 float* out, int64_t stride) {
  if (w.is_bf16)
    matmul<Bf16Weights>(x, w, first_block, last_block, out, stride);
  else
    matmul<F32Weights>(x, w, first_block, last_block, out, stride);
}

}  // namespace draftscope
