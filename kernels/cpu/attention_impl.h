// Flash attention over cached keys; compiled once per instruction set with the same bits (see vec8.h).
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/cpu/bf16.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/vec8.h"

namespace draftscope {
namespace {

// Running softmax of one query head: maximum, sum of weights, weighted values.
struct HeadState {
  float max = -std::numeric_limits<float>::infinity();
  float sum = 0;
  float* value;  // (head_dim,)
};

// Keys and values of up to kKeyBlock attended positions, widened to float32.
struct KeyBlock {
  int32_t n_keys = 0;
  alignas(32) float k[kKeyBlock * kMaxHeadDim];
  alignas(32) float v[kKeyBlock * kMaxHeadDim];
};

void widen(const uint16_t* from, int32_t n, float* to) {
  for (int32_t i = 0; i < n; ++i) to[i] = float_of_bf16(from[i]);
}

void load_key(const AttentionArgs& args, int32_t kv_head, int32_t cache_row, KeyBlock& block) {
  const int32_t head_dim = args.heads.head_dim;
  const int64_t source = args.kv->offset(args.layer, cache_row) + static_cast<int64_t>(kv_head) * head_dim;
  float* k = block.k + block.n_keys * head_dim;
  float* v = block.v + block.n_keys * head_dim;
  if (args.kv->is_bf16) {
    widen(args.kv->k16.data() + source, head_dim, k);
    widen(args.kv->v16.data() + source, head_dim, v);
  } else {
    std::copy_n(args.kv->k32.data() + source, head_dim, k);
    std::copy_n(args.kv->v32.data() + source, head_dim, v);
  }
  ++block.n_keys;
}

// Attended positions [first, first + kKeyBlock) of a row, whether contiguous in the cache or listed.
void load_block(const AttentionArgs& args, int32_t kv_head, int32_t row, int32_t first, KeyBlock& block) {
  const KeySets& keys = *args.keys;
  const int32_t n_contiguous = keys.n_contiguous[row];
  const int32_t n_keys = n_contiguous + keys.extra_begin[row + 1] - keys.extra_begin[row];
  block.n_keys = 0;
  for (int32_t position = first; position < std::min(first + kKeyBlock, n_keys); ++position) {
    const int32_t cache_row =
        position < n_contiguous ? position : keys.extra[keys.extra_begin[row] + position - n_contiguous];
    load_key(args, kv_head, cache_row, block);
  }
}

float dot(const float* a, const float* b, int32_t n) {
  F8 sum{};
  for (int32_t i = 0; i < n; i += 8) sum += load8(a + i) * load8(b + i);
  return sum8(sum);
}

void attend(const float* q, int32_t head_dim, float scale, const KeyBlock& block, HeadState& state) {
  alignas(32) float weight[kKeyBlock];
  float max = state.max;
  for (int32_t t = 0; t < block.n_keys; ++t) {
    weight[t] = dot(q, block.k + t * head_dim, head_dim) * scale;
    max = std::max(max, weight[t]);
  }
  std::fill(weight + block.n_keys, weight + kKeyBlock, -std::numeric_limits<float>::infinity());
  F8 total{};
  for (int32_t t = 0; t < kKeyBlock; t += 8) {
    const F8 e = exp8(load8(weight + t) - max);
    store8(weight + t, e);
    total += e;
  }
  const F8 shrink = exp8(F8{} + (state.max - max));  // 0 for the first block
  state.sum = state.sum * shrink[0] + sum8(total);
  for (int32_t i = 0; i < head_dim; i += 8) {
    F8 value = load8(state.value + i) * shrink;
    for (int32_t t = 0; t < block.n_keys; ++t) value += load8(block.v + t * head_dim + i) * weight[t];
    store8(state.value + i, value);
  }
  state.max = max;
}

void attention_task(const AttentionArgs& args, int32_t kv_head, int32_t first_row, int32_t last_row) {
  const int32_t head_dim = args.heads.head_dim;
  const int32_t n_group = args.heads.n_q_heads / args.heads.n_kv_heads;
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_dim));
  const int32_t n_rows = last_row - first_row;
  std::vector<float> values(static_cast<size_t>(n_rows) * n_group * head_dim, 0.0f);
  std::vector<HeadState> states(static_cast<size_t>(n_rows) * n_group);
  for (size_t i = 0; i < states.size(); ++i) states[i].value = values.data() + i * head_dim;
  const auto attend_row = [&](int32_t row, const KeyBlock& block) {
    for (int32_t h = 0; h < n_group; ++h) {
      const float* q = args.qkv.row(row) + static_cast<int64_t>(kv_head * n_group + h) * head_dim;
      attend(q, head_dim, scale, block, states[static_cast<size_t>(row - first_row) * n_group + h]);
    }
  };
  // Whole blocks that every row of the tile sees at the same place are widened once for all of them.
  const auto begin = args.keys->n_contiguous.begin();
  const int32_t n_shared = *std::min_element(begin + first_row, begin + last_row) / kKeyBlock * kKeyBlock;
  KeyBlock block;
  for (int32_t first = 0; first < n_shared; first += kKeyBlock) {
    load_block(args, kv_head, first_row, first, block);
    for (int32_t row = first_row; row < last_row; ++row) attend_row(row, block);
  }
  for (int32_t row = first_row; row < last_row; ++row) {
    for (int32_t first = n_shared;; first += kKeyBlock) {
      load_block(args, kv_head, row, first, block);
      if (block.n_keys == 0) break;
      attend_row(row, block);
    }
    for (int32_t h = 0; h < n_group; ++h) {
      const HeadState& state = states[static_cast<size_t>(row - first_row) * n_group + h];
      float* out = args.out.row(row) + static_cast<int64_t>(kv_head * n_group + h) * head_dim;
      for (int32_t i = 0; i < head_dim; ++i) out[i] = state.value[i] / state.sum;
    }
  }
}

}  // namespace
}  // namespace draftscope
