// Matrix products on AMX's tiles, over a Tiles policy: the processor's own, or a model of them in tests.
//
// A tile of weights is 16 pairs of inputs x 16 outputs: 16 lines of a packed block as they lie. One output's
// sum takes 16 pairs at a time, in ascending order; within such a step the processor sums the even and the
// odd inputs apart. The steps are the same for every number of rows, and so are the bits.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "kernels/cpu/matmul.h"

namespace draftscope {

constexpr int64_t kTileRows = 16;   // of activations, at most
constexpr int64_t kStepPairs = 16;  // of inputs that one instruction multiplies
constexpr int64_t kStepInputs = 2 * kStepPairs;
constexpr int64_t kTileBytes = 64;                         // of one row of any tile
constexpr int64_t kWeightTile = kStepInputs * kBlockCols;  // elements

// Numbers of the eight tiles.
constexpr int kSum = 0;      // 0..3: float32 sums, (rows, 16 outputs)
constexpr int kInput = 4;    // 4, 5: bf16 activations, (rows, 16 pairs)
constexpr int kWeights = 6;  // 6, 7: bf16 weights, (16 pairs, 16 outputs, 2 inputs)

/// The operand of ldtilecfg, palette 1.
struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};
static_assert(sizeof(TileConfig) == 64);

// Tiles has, all static:
//   configure(const TileConfig&)        shapes of all tiles, contents 0
//   zero<T>()
//   load<T>(data, stride_bytes)         rows of tile T, 64 bytes each
//   multiply<SUM, A, B>()               tdpbf16ps
//   store<T>(data, stride_bytes)
//   release()                           no tiles

/// Configures the tiles for two row tiles as often as their heights change, and releases them in the end.
template <class Tiles>
class TileSession {
 public:
  ~TileSession() {
    if (rows_[0] > 0) Tiles::release();
  }
  void set_rows(int64_t first, int64_t second) {
    if (first == rows_[0] && second == rows_[1]) return;
    rows_[0] = first;
    rows_[1] = second;
    TileConfig config;
    std::fill_n(config.row_bytes, 8, static_cast<uint16_t>(kTileBytes));
    std::fill_n(config.rows, 8, static_cast<uint8_t>(first));
    config.rows[kSum + 2] = config.rows[kSum + 3] = config.rows[kInput + 1] = static_cast<uint8_t>(second);
    config.rows[kWeights] = config.rows[kWeights + 1] = static_cast<uint8_t>(kStepPairs);
    Tiles::configure(config);
  }

 private:
  int64_t rows_[2] = {0, 0};
};

// body(std::integral_constant<int, i>) for i < N.
template <int N, class Body>
void for_each_index(const Body& body) {
  [&]<int... I>(std::integer_sequence<int, I...>) { (body(std::integral_constant<int, I>{}), ...); }
  (std::make_integer_sequence<int, N>{});
}

// One step of ROW_TILES x BLOCKS sums. x: first input of the first row, rows `x_stride` elements apart;
// weights: one tile of the first block, blocks `block_stride` elements apart.
template <class Tiles, int ROW_TILES, int BLOCKS>
void multiply_step(const uint16_t* x, int64_t x_stride, const uint16_t* weights, int64_t block_stride) {
  for_each_index<ROW_TILES>(
      [&](auto row) { Tiles::template load<kInput + row>(x + row * kTileRows * x_stride, x_stride * 2); });
  for_each_index<BLOCKS>([&](auto block) {
    constexpr int kTile = kWeights + block % 2;
    Tiles::template load<kTile>(weights + block * block_stride, kTileBytes);
    for_each_index<ROW_TILES>(
        [&](auto row) { Tiles::template multiply<kSum + 2 * row + block, kInput + row, kTile>(); });
  });
}

// The last inputs, fewer than a step's, filled up with zeros on both sides.
template <class Tiles, int ROW_TILES, int BLOCKS>
void multiply_rest(const uint16_t* x, int64_t rows, const PackedMatrix& w, int64_t block) {
  alignas(64) uint16_t inputs[ROW_TILES * kTileRows * kStepInputs] = {};
  alignas(64) uint16_t weights[BLOCKS * kWeightTile] = {};
  const int64_t first = w.n_pairs / kStepPairs * kStepPairs, n = w.n_pairs - first;
  for (int64_t row = 0; row < rows; ++row)
    std::copy_n(x + (row * w.n_pairs + first) * 2, n * 2, inputs + row * kStepInputs);
  for (int64_t b = 0; b < BLOCKS; ++b)
    std::copy_n(w.bf16_block(block + b) + first * 2 * kBlockCols, n * 2 * kBlockCols,
                weights + b * kWeightTile);
  multiply_step<Tiles, ROW_TILES, BLOCKS>(inputs, kStepInputs, weights, kWeightTile);
}

// `rows` rows, which the session's row tiles hold, times BLOCKS blocks. FETCH: the weights come from memory,
// so the lines two steps on are asked for.
template <class Tiles, int ROW_TILES, int BLOCKS, bool FETCH>
void multiply_tiles(const uint16_t* x, int64_t rows, const PackedMatrix& w, int64_t block, float* out,
                    int64_t stride) {
  for_each_index<ROW_TILES>(
      [&](auto row) { for_each_index<BLOCKS>([&](auto b) { Tiles::template zero<kSum + 2 * row + b>(); }); });
  const int64_t block_stride = w.n_pairs * 2 * kBlockCols;
  const uint16_t* weights = w.bf16_block(block);
  int64_t pair = 0;
  for (; pair + kStepPairs <= w.n_pairs; pair += kStepPairs, weights += kWeightTile) {
    if constexpr (FETCH) {
      for (int64_t b = 0; b < BLOCKS; ++b) {
        const uint16_t* next = weights + b * block_stride + 2 * kWeightTile;
        for (int64_t line = 0; line < kStepPairs; ++line) __builtin_prefetch(next + line * 2 * kBlockCols);
      }
    }
    multiply_step<Tiles, ROW_TILES, BLOCKS>(x + pair * 2, w.n_pairs * 2, weights, block_stride);
  }
  if (pair < w.n_pairs) multiply_rest<Tiles, ROW_TILES, BLOCKS>(x, rows, w, block);
  for_each_index<ROW_TILES>([&](auto row) {
    for_each_index<BLOCKS>([&](auto b) {
      Tiles::template store<kSum + 2 * row + b>(out + row * kTileRows * stride + b * kBlockCols, stride * 4);
    });
  });
}

// All rows pass over BLOCKS blocks, two row tiles at a time; the first ones bring the blocks into the cache.
template <class Tiles, int BLOCKS>
void multiply_blocks(TileSession<Tiles>& session, const MatmulInput& x, const PackedMatrix& w, int64_t block,
                     float* out, int64_t stride) {
  for (int64_t row = 0; row < x.rows; row += 2 * kTileRows) {
    const uint16_t* x_rows = x.bf16 + row * w.n_pairs * 2;
    float* out_rows = out + row * stride;
    const int64_t rows = std::min(x.rows - row, 2 * kTileRows);
    if (rows <= kTileRows) {
      session.set_rows(rows, rows);
      multiply_tiles<Tiles, 1, BLOCKS, false>(x_rows, rows, w, block, out_rows, stride);
      continue;
    }
    session.set_rows(kTileRows, rows - kTileRows);
    if (row == 0)
      multiply_tiles<Tiles, 2, BLOCKS, true>(x_rows, rows, w, block, out_rows, stride);
    else
      multiply_tiles<Tiles, 2, BLOCKS, false>(x_rows, rows, w, block, out_rows, stride);
  }
}

/// A MatmulKernel for bf16 weights.
template <class Tiles>
void matmul_tiles(const MatmulInput& x, const PackedMatrix& w, int64_t first_block, int64_t last_block,
                  float* out, int64_t stride) {
  if (x.rows == 0) return;
  TileSession<Tiles> session;
  int64_t block = first_block;
  const auto out_of = [&](int64_t b) { return out + (b - first_block) * kBlockCols; };
  if (x.rows <= kTileRows) {  // one row tile leaves tiles free for four blocks
    session.set_rows(x.rows, x.rows);
    for (; block + 4 <= last_block; block += 4)
      multiply_tiles<Tiles, 1, 4, true>(x.bf16, x.rows, w, block, out_of(block), stride);
    for (; block < last_block; ++block)
      multiply_tiles<Tiles, 1, 1, true>(x.bf16, x.rows, w, block, out_of(block), stride);
    return;
  }
  for (; block + 2 <= last_block; block += 2)
    multiply_blocks<Tiles, 2>(session, x, w, block, out_of(block), stride);
  if (block < last_block) multiply_blocks<Tiles, 1>(session, x, w, block, out_of(block), stride);
}

}  // namespace draftscope
