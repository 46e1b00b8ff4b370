#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "kernels/cpu/matmul.h"

namespace draftscope {
namespace {

constexpr int64_t kPairWords = 2 * kBlockCols;  // weights of one pair of inputs: one 64-byte line
constexpr int kMaxTileRows = 8;
constexpr int64_t kLinesAhead = 24;  // prefetch distance of one stream

// ROWS rows times BLOCKS blocks: one 512-bit accumulator each, at most 24 of 32 registers. FETCH: the weights
// come from memory, not from the cache, so lines are asked for in advance.
template <int ROWS, int BLOCKS, bool FETCH>
void tile(const uint16_t* x, const PackedMatrix& w, int64_t block, float* out, int64_t stride) {
  const int64_t n_pairs = w.n_pairs;
  const uint16_t* first = w.bf16_block(block);
  __m512 sum[ROWS][BLOCKS];
  for (int r = 0; r < ROWS; ++r) {
    for (int b = 0; b < BLOCKS; ++b) sum[r][b] = _mm512_setzero_ps();
  }
  const auto sweep = [&](int64_t begin, int64_t end, int64_t words_ahead) __attribute__((always_inline)) {
    for (int64_t pair = begin; pair < end; ++pair) {
      __m512i weights[BLOCKS];
      for (int b = 0; b < BLOCKS; ++b) {
        const uint16_t* source = first + (b * n_pairs + pair) * kPairWords;
        if constexpr (FETCH) _mm_prefetch(reinterpret_cast<const char*>(source + words_ahead), _MM_HINT_T0);
        weights[b] = _mm512_loadu_si512(source);
      }
      for (int r = 0; r < ROWS; ++r) {
        int both;  // two neighbouring inputs, the lower half first as the instruction wants them
        std::memcpy(&both, x + (r * n_pairs + pair) * 2, sizeof(both));
        const __m512i value = _mm512_set1_epi32(both);
        for (int b = 0; b < BLOCKS; ++b) {
          sum[r][b] = _mm512_dpbf16_ps(sum[r][b], reinterpret_cast<__m512bh>(value),
                                       reinterpret_cast<__m512bh>(weights[b]));
        }
      }
    }
  };
  // The last lines of a stream ask for the first lines of the next tile's.
  const int64_t n_early = std::max<int64_t>(0, n_pairs - kLinesAhead);
  sweep(0, n_early, kLinesAhead * kPairWords);
  sweep(n_early, n_pairs, (kLinesAhead + (BLOCKS - 1) * n_pairs) * kPairWords);
  for (int r = 0; r < ROWS; ++r) {
    for (int b = 0; b < BLOCKS; ++b) _mm512_storeu_ps(out + r * stride + b * kBlockCols, sum[r][b]);
  }
}

// tile<rows, ...>, looked for from ROWS downwards.
template <int ROWS, int BLOCKS, bool FETCH>
void tile_of(int64_t rows, const uint16_t* x, const PackedMatrix& w, int64_t block, float* out,
             int64_t stride) {
  constexpr int kFewestRows = FETCH ? 1 : 4;  // 9 rows, the first number of two tiles, go as 5 and 4
  if constexpr (ROWS > kFewestRows) {
    if (rows < ROWS) return tile_of<ROWS - 1, BLOCKS, FETCH>(rows, x, w, block, out, stride);
  }
  tile<ROWS, BLOCKS, FETCH>(x, w, block, out, stride);
}

// All rows pass over BLOCKS blocks, which the first rows bring into the cache; at most MAX_ROWS rows form a tile.
template <int MAX_ROWS, int BLOCKS>
void all_rows(const MatmulInput& x, const PackedMatrix& w, int64_t block, float* out, int64_t stride) {
  const int64_t n_tiles = (x.rows + kMaxTileRows - 1) / kMaxTileRows;
  tile_of<MAX_ROWS, BLOCKS, true>(row_tile(x.rows, n_tiles, 0).n, x.bf16, w, block, out, stride);
  if constexpr (MAX_ROWS == kMaxTileRows) {
    for (int64_t i = 1; i < n_tiles; ++i) {
      const RowTile rows = row_tile(x.rows, n_tiles, i);
      tile_of<MAX_ROWS, BLOCKS, false>(rows.n, x.bf16 + rows.first * w.n_pairs * 2, w, block,
                                       out + rows.first * stride, stride);
    }
  }
}

}  // namespace

void matmul_avx512_bf16(const MatmulInput& x, const PackedMatrix& w, int64_t first_block, int64_t last_block,
                        float* out, int64_t stride) {
  int64_t block = first_block;
  const auto run = [&]<int MAX_ROWS, int BLOCKS>() {
    if (x.rows > MAX_ROWS && MAX_ROWS < kMaxTileRows) return;
    for (; block + BLOCKS <= last_block; block += BLOCKS) {
      all_rows<MAX_ROWS, BLOCKS>(x, w, block, out + (block - first_block) * kBlockCols, stride);
    }
  };
  if (x.rows == 0) return;
  run.template operator()<1, 8>();
  run.template operator()<6, 4>();
  run.template operator()<8, 3>();
  run.template operator()<8, 2>();
  run.template operator()<8, 1>();
}

}  // namespace draftscope
