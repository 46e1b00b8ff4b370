// Flash attention over cached keys; compiled once per instruction set with the same bits (see vec8.h).
#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "kernels/cpu/bf16.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/vec8.h"

namespace draftscope {
namespace {

// Tiles that the registers hold; they change the speed, never the bits.
#if defined(__AVX512F__)
constexpr int kScoreKeys = 8, kValueVectors = 8;
#else
constexpr int kScoreKeys = 2, kValueVectors = 2;
#endif

// A query, its running softmax and weighted values over the key blocks seen so far.
struct HeadState {
  const float* q;  // (padded_dim,)
  float* value;    // (padded_dim,)
  float max = -std::numeric_limits<float>::infinity();
  float sum = 0;
};

// Keys and values of up to kKeyBlock attended positions, widened to float32 and padded with zeros to whole
// vectors of 16.
struct KeyBlock {
  int32_t n_keys = 0;
  int32_t dim = 0;  // padded
  alignas(64) float k[kKeyBlock * kMaxHeadDim];
  alignas(64) float v[kKeyBlock * kMaxHeadDim];
};

void widen(const uint16_t* from, int32_t n, float* to) {
  for (int32_t i = 0; i < n; ++i) to[i] = float_of_bf16(from[i]);
}

// Copies `n` columns that follow each other in the cache, as float32.
void load_columns(const AttentionArgs& args, int64_t source, int32_t n, float* k, float* v) {
  if (args.kv->is_bf16) {
    widen(args.kv->k16.data() + source, n, k);
    widen(args.kv->v16.data() + source, n, v);
  } else {
    std::copy_n(args.kv->k32.data() + source, n, k);
    std::copy_n(args.kv->v32.data() + source, n, v);
  }
}

// Appends `n` neighbouring cache rows of one head.
void load_keys(const AttentionArgs& args, int32_t kv_head, int32_t cache_row, int32_t n, KeyBlock& block) {
  const int32_t head_dim = args.heads.head_dim;
  const int64_t source = args.kv->offset(args.layer, kv_head, cache_row);
  float* k = block.k + block.n_keys * block.dim;
  float* v = block.v + block.n_keys * block.dim;
  block.n_keys += n;
  if (head_dim == block.dim) return load_columns(args, source, n * head_dim, k, v);
  for (int32_t i = 0; i < n; ++i, k += block.dim, v += block.dim) {
    load_columns(args, source + static_cast<int64_t>(i) * head_dim, head_dim, k, v);
    std::fill(k + head_dim, k + block.dim, 0.0f);
    std::fill(v + head_dim, v + block.dim, 0.0f);
  }
}

// Attended positions [first, first + kKeyBlock) of a row, whether contiguous in the cache or listed.
void load_block(const AttentionArgs& args, int32_t kv_head, int32_t row, int32_t first, KeyBlock& block) {
  const KeySets& keys = *args.keys;
  const int32_t n_contiguous = keys.n_contiguous[row];
  const int32_t n_keys = n_contiguous + keys.extra_begin[row + 1] - keys.extra_begin[row];
  const int32_t last = std::min(first + kKeyBlock, n_keys);
  block.n_keys = 0;
  if (first < n_contiguous) load_keys(args, kv_head, first, std::min(last, n_contiguous) - first, block);
  for (int32_t position = std::max(first, n_contiguous); position < last; ++position) {
    load_keys(args, kv_head, keys.extra[keys.extra_begin[row] + position - n_contiguous], 1, block);
  }
}

// Lane sums of QUERIES queries with KEYS keys: each is 16 lanes over ascending columns, folded to 8.
template <int QUERIES, int KEYS>
void score_tile(HeadState* const* states, const float* k, int32_t dim, F8 (*lanes)[8], int32_t first) {
  F16 sum[QUERIES][KEYS] = {};
  for (int32_t i = 0; i < dim; i += 16) {
    F16 key[KEYS];
    for (int t = 0; t < KEYS; ++t) key[t] = load16(k + t * dim + i);
    for (int n = 0; n < QUERIES; ++n) {
      const F16 q = load16(states[n]->q + i);
      for (int t = 0; t < KEYS; ++t) sum[n][t] = sum[n][t] + q * key[t];
    }
  }
  for (int n = 0; n < QUERIES; ++n) {
    for (int t = 0; t < KEYS; ++t) lanes[n][first + t] = fold16(sum[n][t]);
  }
}

// score[n][t] for all keys of the block; -infinity behind its end.
template <int QUERIES>
void score_block(HeadState* const* states, float scale, const KeyBlock& block, float (*score)[kKeyBlock]) {
  for (int32_t first = 0; first < kKeyBlock; first += 8) {
    F8 lanes[QUERIES][8] = {};
    const int32_t n = std::min(8, block.n_keys - first);
    int32_t t = 0;
    for (; t + kScoreKeys <= n; t += kScoreKeys) {
      score_tile<QUERIES, kScoreKeys>(states, block.k + (first + t) * block.dim, block.dim, lanes, t);
    }
    for (; t < n; ++t) score_tile<QUERIES, 1>(states, block.k + (first + t) * block.dim, block.dim, lanes, t);
    for (int q = 0; q < QUERIES; ++q) store8(score[q] + first, sum_eight(lanes[q]) * scale);
  }
  for (int q = 0; q < QUERIES; ++q) {
    std::fill(score[q] + block.n_keys, score[q] + kKeyBlock, -std::numeric_limits<float>::infinity());
  }
}

// Turns scores into weights relative to the new maximum; returns the factor for what was summed before.
float softmax_block(float* weight, HeadState& state) {
  F8 highest = load8(weight);
  for (int32_t t = 8; t < kKeyBlock; t += 8) {
    const F8 eight = load8(weight + t);
    highest = eight > highest ? eight : highest;
  }
  const float max = std::max(state.max, max8(highest));
  F8 total{};
  for (int32_t t = 0; t < kKeyBlock; t += 8) {
    const F8 e = exp8(load8(weight + t) - max);
    store8(weight + t, e);
    total += e;
  }
  const float shrink = exp8(F8{} + (state.max - max))[0];  // 0 for the first block
  state.sum = state.sum * shrink + sum8(total);
  state.max = max;
  return shrink;
}

// value = value * shrink + sum over keys of weight * v, for VECTORS * 16 columns.
template <int QUERIES, int VECTORS>
void value_tile(HeadState* const* states, const KeyBlock& block, int32_t column, const float* shrink,
                const float (*weight)[kKeyBlock]) {
  F16 sum[QUERIES][VECTORS];
  for (int n = 0; n < QUERIES; ++n) {
    for (int i = 0; i < VECTORS; ++i) sum[n][i] = load16(states[n]->value + column + i * 16) * shrink[n];
  }
  for (int32_t t = 0; t < block.n_keys; ++t) {
    const float* v = block.v + t * block.dim + column;
    for (int i = 0; i < VECTORS; ++i) {
      const F16 value = load16(v + i * 16);
      for (int n = 0; n < QUERIES; ++n) sum[n][i] = sum[n][i] + value * weight[n][t];
    }
  }
  for (int n = 0; n < QUERIES; ++n) {
    for (int i = 0; i < VECTORS; ++i) store16(states[n]->value + column + i * 16, sum[n][i]);
  }
}

template <int QUERIES>
void attend(HeadState* const* states, float scale, const KeyBlock& block) {
  alignas(64) float weight[QUERIES][kKeyBlock];
  float shrink[QUERIES];
  score_block<QUERIES>(states, scale, block, weight);
  for (int n = 0; n < QUERIES; ++n) shrink[n] = softmax_block(weight[n], *states[n]);
  int32_t column = 0;
  for (; column + kValueVectors * 16 <= block.dim; column += kValueVectors * 16) {
    value_tile<QUERIES, kValueVectors>(states, block, column, shrink, weight);
  }
  for (; column < block.dim; column += 16) value_tile<QUERIES, 1>(states, block, column, shrink, weight);
}

// Queries two by two, so that loaded keys and values serve both.
void attend_all(std::span<HeadState> states, float scale, const KeyBlock& block) {
  size_t i = 0;
  for (; i + 2 <= states.size(); i += 2) {
    HeadState* const pair[] = {&states[i], &states[i + 1]};
    attend<2>(pair, scale, block);
  }
  if (i < states.size()) {
    HeadState* const last[] = {&states[i]};
    attend<1>(last, scale, block);
  }
}

// Padded copies of the queries of rows [first_row, last_row), (rows, n_group), and zeros for their values.
std::vector<HeadState> make_states(const AttentionArgs& args, int32_t kv_head, int32_t first_row,
                                   int32_t last_row, int32_t dim, std::vector<float>& memory) {
  const int32_t head_dim = args.heads.head_dim;
  const int32_t n_group = args.heads.n_q_heads / args.heads.n_kv_heads;
  std::vector<HeadState> states(static_cast<size_t>(last_row - first_row) * n_group);
  memory.assign(states.size() * 2 * dim, 0.0f);
  for (size_t i = 0; i < states.size(); ++i) {
    const int32_t row = first_row + static_cast<int32_t>(i) / n_group;
    const int32_t head = kv_head * n_group + static_cast<int32_t>(i) % n_group;
    float* q = memory.data() + i * 2 * dim;
    std::copy_n(args.qkv.row(row) + static_cast<int64_t>(head) * head_dim, head_dim, q);
    states[i].q = q;
    states[i].value = q + dim;
  }
  return states;
}

void attention_task(const AttentionArgs& args, int32_t kv_head, int32_t first_row, int32_t last_row) {
  const int32_t head_dim = args.heads.head_dim;
  const int32_t n_group = args.heads.n_q_heads / args.heads.n_kv_heads;
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_dim));
  KeyBlock block;
  block.dim = (head_dim + 15) / 16 * 16;
  std::vector<float> memory;
  std::vector<HeadState> states = make_states(args, kv_head, first_row, last_row, block.dim, memory);
  // Whole blocks that every row of the tile sees at the same place are widened once for all of them.
  const auto begin = args.keys->n_contiguous.begin();
  const int32_t n_shared = *std::min_element(begin + first_row, begin + last_row) / kKeyBlock * kKeyBlock;
  for (int32_t first = 0; first < n_shared; first += kKeyBlock) {
    load_block(args, kv_head, first_row, first, block);
    attend_all(states, scale, block);
  }
  for (int32_t row = first_row; row < last_row; ++row) {
    const std::span<HeadState> heads(states.data() + static_cast<size_t>(row - first_row) * n_group, n_group);
    for (int32_t first = n_shared;; first += kKeyBlock) {
      load_block(args, kv_head, row, first, block);
      if (block.n_keys == 0) break;
      attend_all(heads, scale, block);
    }
    for (int32_t h = 0; h < n_group; ++h) {
      float* out = args.out.row(row) + static_cast<int64_t>(kv_head * n_group + h) * head_dim;
      for (int32_t i = 0; i < head_dim; ++i) out[i] = heads[h].value[i] / heads[h].sum;
    }
  }
}

}  // namespace
}  // namespace draftscope
