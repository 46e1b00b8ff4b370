#include <immintrin.h>

#include "kernels/cpu/matmul.h"

namespace draftscope {
namespace {

// Weights of 16 outputs for two consecutive inputs: [input][half of the block].
struct WeightPair {
  __m256 w[2][2];
};

struct Bf16Weights {
  using Element = uint16_t;
  static const Element* block(const PackedMatrix& w, int64_t block) { return w.bf16_block(block); }
  static WeightPair load(const Element* pair) {
    const __m256i odd_mask = _mm256_set1_epi32(static_cast<int>(0xffff0000u));
    WeightPair result;
    for (int half = 0; half < 2; ++half) {
      const __m256i both = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(pair + half * 16));
      result.w[0][half] = _mm256_castsi256_ps(_mm256_slli_epi32(both, 16));
      result.w[1][half] = _mm256_castsi256_ps(_mm256_and_si256(both, odd_mask));
    }
    return result;
  }
};

struct F32Weights {
  using Element = float;
  static const Element* block(const PackedMatrix& w, int64_t block) { return w.f32_block(block); }
  static WeightPair load(const Element* pair) {
    WeightPair result;
    for (int in = 0; in < 2; ++in) {
      for (int half = 0; half < 2; ++half) result.w[in][half] = _mm256_loadu_ps(pair + in * 16 + half * 8);
    }
    return result;
  }
};

// ROWS rows times BLOCKS blocks in registers: 2 * ROWS * BLOCKS accumulators, at most 12 of 16 registers.
template <class Weights, int ROWS, int BLOCKS>
void tile(const float* x, int64_t n_in, const PackedMatrix& w, int64_t block, float* out, int64_t stride) {
  const typename Weights::Element* source[BLOCKS];
  for (int b = 0; b < BLOCKS; ++b) source[b] = Weights::block(w, block + b);
  __m256 sum[ROWS][BLOCKS][2];
  for (int r = 0; r < ROWS; ++r) {
    for (int b = 0; b < BLOCKS; ++b) sum[r][b][0] = sum[r][b][1] = _mm256_setzero_ps();
  }
  for (int64_t pair = 0; pair < n_in / 2; ++pair) {
    for (int b = 0; b < BLOCKS; ++b) {
      // A few rows cannot hide memory latency behind arithmetic: ask for 512 bytes ahead.
      if constexpr (ROWS <= 2) _mm_prefetch(reinterpret_cast<const char*>(source[b] + pair * 32) + 512, _MM_HINT_T0);
      const WeightPair weights = Weights::load(source[b] + pair * 32);
      for (int in = 0; in < 2; ++in) {
        for (int r = 0; r < ROWS; ++r) {
          const __m256 value = _mm256_broadcast_ss(x + r * n_in + pair * 2 + in);
          sum[r][b][0] = _mm256_fmadd_ps(value, weights.w[in][0], sum[r][b][0]);
          sum[r][b][1] = _mm256_fmadd_ps(value, weights.w[in][1], sum[r][b][1]);
        }
      }
    }
  }
  for (int r = 0; r < ROWS; ++r) {
    for (int b = 0; b < BLOCKS; ++b) {
      _mm256_storeu_ps(out + r * stride + b * 16, sum[r][b][0]);
      _mm256_storeu_ps(out + r * stride + b * 16 + 8, sum[r][b][1]);
    }
  }
}

// All blocks for ROWS rows, as many blocks at once as registers allow.
template <class Weights, int ROWS, int BLOCKS>
void sweep(const float* x, int64_t n_in, const PackedMatrix& w, int64_t first, int64_t last, float* out,
           int64_t stride) {
  int64_t block = first;
  for (; block + BLOCKS <= last; block += BLOCKS) {
    tile<Weights, ROWS, BLOCKS>(x, n_in, w, block, out + (block - first) * 16, stride);
  }
  for (; block < last; ++block) tile<Weights, ROWS, 1>(x, n_in, w, block, out + (block - first) * 16, stride);
}

template <class Weights>
void matmul(const MatmulInput& x, const PackedMatrix& w, int64_t first, int64_t last, float* out, int64_t stride) {
  const int64_t n_in = w.n_pairs * 2;
  if (x.rows == 1) return sweep<Weights, 1, 4>(x.f32, n_in, w, first, last, out, stride);
  if (x.rows == 2) return sweep<Weights, 2, 3>(x.f32, n_in, w, first, last, out, stride);
  if (x.rows == 3) return sweep<Weights, 3, 2>(x.f32, n_in, w, first, last, out, stride);
  // Many rows: a block stays in the cache while all rows pass over it.
  for (int64_t block = first; block < last; ++block) {
    float* out_block = out + (block - first) * 16;
    int64_t row = 0;
    for (; row + 6 <= x.rows; row += 6) {
      tile<Weights, 6, 1>(x.f32 + row * n_in, n_in, w, block, out_block + row * stride, stride);
    }
    const float* rest = x.f32 + row * n_in;
    float* out_rest = out_block + row * stride;
    switch (x.rows - row) {
      case 5: tile<Weights, 5, 1>(rest, n_in, w, block, out_rest, stride); break;
      case 4: tile<Weights, 4, 1>(rest, n_in, w, block, out_rest, stride); break;
      case 3: tile<Weights, 3, 1>(rest, n_in, w, block, out_rest, stride); break;
      case 2: tile<Weights, 2, 1>(rest, n_in, w, block, out_rest, stride); break;
      case 1: tile<Weights, 1, 1>(rest, n_in, w, block, out_rest, stride); break;
      default: break;
    }
  }
}

}  // namespace

void matmul_avx2(const MatmulInput& x, const PackedMatrix& w, int64_t first_block, int64_t last_block, float* out,
                 int64_t stride) {
  if (w.is_bf16) matmul<Bf16Weights>(x, w, first_block, last_block, out, stride);
  else matmul<F32Weights>(x, w, first_block, last_block, out, stride);
}

}  // namespace draftscope
