#include <immintrin.h>

#include "kernels/cpu/matmul.h"

namespace draftscope {
namespace {

// ROWS rows times BLOCKS blocks: one 512-bit accumulator each, at most 24 of 32 registers.
template <int ROWS, int BLOCKS>
void tile(const uint32_t* x, int64_t n_pairs, const PackedMatrix& w, int64_t block, float* out, int64_t stride) {
  const uint16_t* source[BLOCKS];
  for (int b = 0; b < BLOCKS; ++b) source[b] = w.bf16_block(block + b);
  __m512 sum[ROWS][BLOCKS];
  for (int r = 0; r < ROWS; ++r) {
    for (int b = 0; b < BLOCKS; ++b) sum[r][b] = _mm512_setzero_ps();
  }
  for (int64_t pair = 0; pair < n_pairs; ++pair) {
    __m512i weights[BLOCKS];
    for (int b = 0; b < BLOCKS; ++b) {
      if constexpr (ROWS <= 2) _mm_prefetch(reinterpret_cast<const char*>(source[b] + pair * 32) + 1536, _MM_HINT_T0);
      weights[b] = _mm512_loadu_si512(source[b] + pair * 32);
    }
    for (int r = 0; r < ROWS; ++r) {
      const __m512i value = _mm512_set1_epi32(static_cast<int>(x[r * n_pairs + pair]));
      for (int b = 0; b < BLOCKS; ++b) {
        sum[r][b] = _mm512_dpbf16_ps(sum[r][b], reinterpret_cast<__m512bh>(value), reinterpret_cast<__m512bh>(weights[b]));
      }
    }
  }
  for (int r = 0; r < ROWS; ++r) {
    for (int b = 0; b < BLOCKS; ++b) _mm512_storeu_ps(out + r * stride + b * 16, sum[r][b]);
  }
}

template <int ROWS>
void sweep(const uint32_t* x, const PackedMatrix& w, int64_t first, int64_t last, float* out, int64_t stride) {
  int64_t block = first;
  for (; block + 4 <= last; block += 4) tile<ROWS, 4>(x, w.n_pairs, w, block, out + (block - first) * 16, stride);
  for (; block < last; ++block) tile<ROWS, 1>(x, w.n_pairs, w, block, out + (block - first) * 16, stride);
}

}  // namespace

void matmul_avx512_bf16(const MatmulInput& x, const PackedMatrix& w, int64_t first_block, int64_t last_block,
                        float* out, int64_t stride) {
  int64_t row = 0;
  for (; row + 6 <= x.rows; row += 6) {
    sweep<6>(x.bf16 + row * w.n_pairs, w, first_block, last_block, out + row * stride, stride);
  }
  const uint32_t* rest = x.bf16 + row * w.n_pairs;
  float* out_rest = out + row * stride;
  switch (x.rows - row) {
    case 5: sweep<5>(rest, w, first_block, last_block, out_rest, stride); break;
    case 4: sweep<4>(rest, w, first_block, last_block, out_rest, stride); break;
    case 3: sweep<3>(rest, w, first_block, last_block, out_rest, stride); break;
    case 2: sweep<2>(rest, w, first_block, last_block, out_rest, stride); break;
    case 1: sweep<1>(rest, w, first_block, last_block, out_rest, stride); break;
    default: break;
  }
}

}  // namespace draftscope
