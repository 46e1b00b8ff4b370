// Flash attention over cached keys; compiled once per instruction set, in the same order of every sum (see vec8.h).
#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <type_traits>
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

constexpr size_t kFewQueries = 4;  // as many as are served faster by widening keys anew for each pair

// A query, its running softmax and weighted values over the key blocks seen so far.
struct HeadState {
  const float* q;    // (padded_dim,)
  float* value;      // (padded_dim,)
  float* weight;     // (kKeyBlock,), of the block at hand
  float shrink = 0;  // factor for what was summed before that block
  float max = -std::numeric_limits<float>::infinity();
  float sum = 0;
};

// Keys and values of up to kKeyBlock attended positions in whole vectors of 16, of type T: float, or as the
// cache keeps them. Read in the cache itself where they lie there so, otherwise copied and padded with zeros.
template <class T>
struct KeyBlock {
  int32_t n_keys = 0;
  int32_t dim = 0;                     // padded
  const T *k = nullptr, *v = nullptr;  // (n_keys, dim)
  // What follows in the cache as far as this block reaches, to be asked for in advance.
  const char *next_k = nullptr, *next_v = nullptr;
  int32_t next_row_bytes = 0;
  alignas(64) T k_copy[kKeyBlock * kMaxHeadDim];
  alignas(64) T v_copy[kKeyBlock * kMaxHeadDim];
};

// The cached rows of one head of one layer as they are kept.
template <class Cached>
struct HeadCache {
  const Cached *k, *v;  // (capacity - first_row, head_dim)
  int32_t head_dim;
  int32_t first_row;  // cache row of the tile's first key
};
void find_head(const AttentionArgs& args, int32_t kv_head, int32_t first_row, HeadCache<uint16_t>& cache) {
  const int64_t offset = args.kv->offset(args.layer, kv_head, first_row);
  cache = {args.kv->k16.data() + offset, args.kv->v16.data() + offset, args.kv->head_dim, first_row};
}
void find_head(const AttentionArgs& args, int32_t kv_head, int32_t first_row, HeadCache<float>& cache) {
  const int64_t offset = args.kv->offset(args.layer, kv_head, first_row);
  cache = {args.kv->k32.data() + offset, args.kv->v32.data() + offset, args.kv->head_dim, first_row};
}

template <class T>
void copy_columns(const T* from, int32_t n, T* to) {
  std::copy_n(from, n, to);
}
void copy_columns(const uint16_t* from, int32_t n, float* to) {
  for (int32_t i = 0; i < n; ++i) to[i] = float_of_bf16(from[i]);
}

// Appends `n` neighbouring cache rows to the copy.
template <class Cached, class T>
void copy_rows(const Cached* from, int32_t head_dim, int32_t n, int32_t dim, T* to) {
  if (head_dim == dim) return copy_columns(from, n * head_dim, to);
  for (int32_t i = 0; i < n; ++i, from += head_dim, to += dim) {
    copy_columns(from, head_dim, to);
    std::fill(to + head_dim, to + dim, T{});
  }
}
template <class Cached, class T>
void append(const HeadCache<Cached>& cache, int64_t cache_row, int32_t n, KeyBlock<T>& block) {
  const int64_t source = cache_row * cache.head_dim;
  const int32_t to = block.n_keys * block.dim;
  copy_rows(cache.k + source, cache.head_dim, n, block.dim, block.k_copy + to);
  copy_rows(cache.v + source, cache.head_dim, n, block.dim, block.v_copy + to);
  block.n_keys += n;
}

// Attended positions [first, first + kKeyBlock) of a row, whether contiguous in the cache or listed.
template <class Cached, class T>
void load_block(const KeySets& keys, const HeadCache<Cached>& cache, int32_t row, int32_t first,
                KeyBlock<T>& block) {
  const int32_t n_contiguous = keys.n_contiguous[row];
  const int32_t n_keys = n_contiguous + keys.extra_begin[row + 1] - keys.extra_begin[row];
  const int32_t last = std::min(first + kKeyBlock, n_keys);
  const int64_t source = static_cast<int64_t>(first) * cache.head_dim;
  const bool has_next = first + 2 * kKeyBlock <= n_contiguous;
  block.next_row_bytes = has_next ? cache.head_dim * static_cast<int32_t>(sizeof(Cached)) : 0;
  block.next_k = reinterpret_cast<const char*>(cache.k + source) + kKeyBlock * block.next_row_bytes;
  block.next_v = reinterpret_cast<const char*>(cache.v + source) + kKeyBlock * block.next_row_bytes;
  if constexpr (std::is_same_v<Cached, T>) {
    if (last <= n_contiguous && cache.head_dim == block.dim) {
      block.k = cache.k + source;
      block.v = cache.v + source;
      block.n_keys = std::max(0, last - first);
      return;
    }
  }
  block.k = block.k_copy;
  block.v = block.v_copy;
  block.n_keys = 0;
  if (first < n_contiguous) append(cache, first, std::min(last, n_contiguous) - first, block);
  for (int32_t position = std::max(first, n_contiguous); position < last; ++position) {
    append(cache, keys.extra[keys.extra_begin[row] + position - n_contiguous] - cache.first_row, 1, block);
  }
}

// Asks for the part of the next block that lies as far in as keys [first, first + 8) do in this one.
template <class T>
void fetch_ahead(const KeyBlock<T>& block, int32_t first) {
  const int32_t end = (first + 8) * block.next_row_bytes;
  for (int32_t byte = first * block.next_row_bytes; byte < end; byte += 64) {
    __builtin_prefetch(block.next_k + byte);
    __builtin_prefetch(block.next_v + byte);
  }
}

// Lane sums of QUERIES queries with KEYS keys: each is 16 lanes over ascending columns, folded to 8.
template <int QUERIES, int KEYS, class T>
void score_tile(HeadState* const* states, const T* k, int32_t dim, F8 (*lanes)[8], int32_t first) {
  F16 sum[QUERIES][KEYS] = {};
#pragma GCC unroll 4  // as for the values below: less counting, together 5 % less time
  for (int32_t i = 0; i < dim; i += 16) {
    F16 key[KEYS];
    for (int t = 0; t < KEYS; ++t) key[t] = held(load16(k + t * dim + i));
    for (int n = 0; n < QUERIES; ++n) {
      const F16 q = held(load16(states[n]->q + i));
      for (int t = 0; t < KEYS; ++t) sum[n][t] = add_product(sum[n][t], q, key[t]);
    }
  }
  for (int n = 0; n < QUERIES; ++n) {
    for (int t = 0; t < KEYS; ++t) lanes[n][first + t] = fold16(sum[n][t]);
  }
}

// The scores of all keys of the block as weights to be; -infinity behind its end.
template <int QUERIES, class T>
void score_block(HeadState* const* states, float scale, const KeyBlock<T>& block) {
  for (int32_t first = 0; first < kKeyBlock; first += 8) {
    fetch_ahead(block, first);
    F8 lanes[QUERIES][8];
    const int32_t n = std::min(8, block.n_keys - first);
    int32_t t = 0;
    for (; t + kScoreKeys <= n; t += kScoreKeys) {
      score_tile<QUERIES, kScoreKeys>(states, block.k + (first + t) * block.dim, block.dim, lanes, t);
    }
    for (; t < n; ++t) score_tile<QUERIES, 1>(states, block.k + (first + t) * block.dim, block.dim, lanes, t);
    for (int q = 0; q < QUERIES; ++q) {
      for (int32_t behind = std::max(0, n); behind < 8; ++behind) lanes[q][behind] = F8{};
      store8(states[q]->weight + first, sum_eight(lanes[q]) * scale);
    }
  }
  for (int q = 0; q < QUERIES; ++q) {
    std::fill(states[q]->weight + block.n_keys, states[q]->weight + kKeyBlock,
              -std::numeric_limits<float>::infinity());
  }
}

// Turns scores into weights relative to the new maximum.
void softmax_block(HeadState& state) {
  F8 highest = load8(state.weight);
  for (int32_t t = 8; t < kKeyBlock; t += 8) highest = larger(load8(state.weight + t), highest);
  const float max = std::max(state.max, max8(highest));
  F8 total{};
  for (int32_t t = 0; t < kKeyBlock; t += 8) {
    const F8 e = exp8(load8(state.weight + t) - max);
    store8(state.weight + t, e);
    total += e;
  }
  state.shrink = exp8(all8(state.max - max))[0];  // 0 for the first block
  state.sum = state.sum * state.shrink + sum8(total);
  state.max = max;
}

// value = value * shrink + sum over keys of weight * v, for VECTORS * 16 columns.
template <int QUERIES, int VECTORS, class T>
void value_tile(HeadState* const* states, const KeyBlock<T>& block, int32_t column) {
  F16 sum[QUERIES][VECTORS];
  for (int n = 0; n < QUERIES; ++n) {
    for (int i = 0; i < VECTORS; ++i) sum[n][i] = load16(states[n]->value + column + i * 16) * states[n]->shrink;
  }
#pragma GCC unroll 4
  for (int32_t t = 0; t < block.n_keys; ++t) {
    const T* v = block.v + t * block.dim + column;
    for (int i = 0; i < VECTORS; ++i) {
      const F16 value = held(load16(v + i * 16));
      for (int n = 0; n < QUERIES; ++n) sum[n][i] = add_product(sum[n][i], value, all16(states[n]->weight[t]));
    }
  }
  for (int n = 0; n < QUERIES; ++n) {
    for (int i = 0; i < VECTORS; ++i) store16(states[n]->value + column + i * 16, sum[n][i]);
  }
}

template <int QUERIES, class T>
void value_block(HeadState* const* states, const KeyBlock<T>& block) {
  int32_t column = 0;
  for (; column + kValueVectors * 16 <= block.dim; column += kValueVectors * 16) {
    value_tile<QUERIES, kValueVectors>(states, block, column);
  }
  for (; column < block.dim; column += 16) value_tile<QUERIES, 1>(states, block, column);
}

// Calls `serve` for the queries two by two, so that loaded keys and values serve both.
template <class Serve>
void by_pairs(std::span<HeadState> states, const Serve& serve) {
  size_t i = 0;
  for (; i + 2 <= states.size(); i += 2) {
    HeadState* const pair[] = {&states[i], &states[i + 1]};
    serve(std::integral_constant<int, 2>(), pair);
  }
  if (i < states.size()) {
    HeadState* const last[] = {&states[i]};
    serve(std::integral_constant<int, 1>(), last);
  }
}

// First the keys for all queries, then the values: both at once would not fit the nearest cache.
template <class T>
void attend_all(std::span<HeadState> states, float scale, KeyBlock<T>& block) {
  by_pairs(states, [&](auto queries, HeadState* const* some) {
    score_block<queries>(some, scale, block);
    block.next_row_bytes = 0;  // asked for
  });
  for (HeadState& state : states) softmax_block(state);
  by_pairs(states, [&](auto queries, HeadState* const* some) { value_block<queries>(some, block); });
}

// Padded copies of the queries of rows [first_row, last_row), (rows, n_group), and zeros for their values.
std::vector<HeadState> make_states(const AttentionArgs& args, int32_t kv_head, int32_t first_row,
                                   int32_t last_row, int32_t dim, std::vector<float>& memory) {
  const int32_t head_dim = args.heads.head_dim;
  const int32_t n_group = args.heads.n_q_heads / args.heads.n_kv_heads;
  std::vector<HeadState> states(static_cast<size_t>(last_row - first_row) * n_group);
  const size_t size = 2 * dim + kKeyBlock;
  memory.assign(states.size() * size, 0.0f);
  for (size_t i = 0; i < states.size(); ++i) {
    const int32_t row = first_row + static_cast<int32_t>(i) / n_group;
    const int32_t head = kv_head * n_group + static_cast<int32_t>(i) % n_group;
    float* q = memory.data() + i * size;
    std::copy_n(args.qkv.row(row) + static_cast<int64_t>(head) * head_dim, head_dim, q);
    states[i].q = q;
    states[i].value = q + dim;
    states[i].weight = q + 2 * dim;
  }
  return states;
}

// All blocks that begin before position `end` of what `row` attends to, for the queries of `states`.
template <class T, class Cached>
void attend_blocks(const KeySets& keys, const HeadCache<Cached>& cache, int32_t row, int32_t begin,
                   int32_t end, float scale, std::span<HeadState> states) {
  KeyBlock<T> block;
  block.dim = (cache.head_dim + 15) / 16 * 16;
  for (int32_t first = begin; first < end; first += kKeyBlock) {
    load_block(keys, cache, row, first, block);
    attend_all(states, scale, block);
  }
}

template <class Cached>
void attention_of(const AttentionArgs& args, int32_t kv_head, int32_t first_row, int32_t last_row) {
  const KeySets& keys = *args.keys;
  const int32_t head_dim = args.heads.head_dim, dim = (head_dim + 15) / 16 * 16;
  const int32_t n_group = args.heads.n_q_heads / args.heads.n_kv_heads;
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_dim));
  HeadCache<Cached> cache;
  const int32_t first_key = keys.first_key.empty() ? 0 : keys.first_key[first_row];  // of every row of the tile
  find_head(args, kv_head, first_key, cache);
  std::vector<float> memory;
  std::vector<HeadState> states = make_states(args, kv_head, first_row, last_row, dim, memory);
  // Whole blocks that every row of the tile sees at the same place are read once for all of them, and widened
  // once when enough queries share them.
  const auto begin = keys.n_contiguous.begin();
  const int32_t n_shared = *std::min_element(begin + first_row, begin + last_row) / kKeyBlock * kKeyBlock;
  if (states.size() > kFewQueries)
    attend_blocks<float>(keys, cache, first_row, 0, n_shared, scale, states);
  else
    attend_blocks<Cached>(keys, cache, first_row, 0, n_shared, scale, states);
  for (int32_t row = first_row; row < last_row; ++row) {
    const std::span<HeadState> heads(states.data() + static_cast<size_t>(row - first_row) * n_group, n_group);
    const int32_t n_keys = keys.n_contiguous[row] + keys.extra_begin[row + 1] - keys.extra_begin[row];
    attend_blocks<Cached>(keys, cache, row, n_shared, n_keys, scale, heads);
    for (int32_t h = 0; h < n_group; ++h) {
      float* out = args.out.row(row) + static_cast<int64_t>(kv_head * n_group + h) * head_dim;
      for (int32_t i = 0; i < head_dim; ++i) out[i] = heads[h].value[i] / heads[h].sum;
    }
  }
}

void attention_task(const AttentionArgs& args, int32_t kv_head, int32_t first_row, int32_t last_row) {
  if (args.kv->is_bf16)
    attention_of<uint16_t>(args, kv_head, first_row, last_row);
  else
    attention_of<float>(args, kv_head, first_row, last_row);
}

}  // namespace
}  // namespace draftscope
