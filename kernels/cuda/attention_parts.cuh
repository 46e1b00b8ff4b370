// What a thread block of attention knows about its rows, where it keeps parts, and how they become results.
#pragma once

#include "kernels/cuda/act.cuh"
#include "kernels/cuda/arrival.cuh"
#include "kernels/cuda/attention_tile.cuh"
#include "kernels/cuda/launch.h"

namespace draftscope::cuda {

constexpr int kAttentionWarps = 4;
static_assert(kAttentionWarps == kSplitBlocks && kAttentionWarps == kGroupTiles);

/// One launch over rows [first_row, end_row) of a pass.
struct AttentionTask {
  const float* q = nullptr;  // (rows, qkv_cols)
  int32_t qkv_cols = 0;
  Act out;  // (rows, q_cols)
  const uint4 *keys = nullptr, *values = nullptr;  // of the layer, (n_kv_heads, capacity, HD) bf16
  int32_t capacity = 0;
  int32_t n_group = 0;  // query heads of a kv head
  float scale = 0;      // log2(e) / sqrt(HD)
  RowsView rows;
  int32_t first_row = 0, end_row = 0;
  Tile tile;
  int32_t part_splits = 0, n_parts = 0, group_rows = 0, group_slots = 0;
  int32_t* arrived = nullptr;    // (n_sets, n_groups) zeros
  float* part_values = nullptr;  // (n_sets, n_groups, n_parts + 1, group_slots, HD)
  float2* part_sums = nullptr;   // (n_sets, n_groups, n_parts + 1, group_slots) largest score, sum of weights
};

/// The rows of a thread block, in shared memory.
struct GroupRows {
  int32_t first, n;     // n > 0 rows of the pass from `first`
  int32_t most_blocks;  // of one row
  int32_t n_keys[kMaxGroupRows], n_blocks[kMaxGroupRows];
  int32_t first_key[kMaxGroupRows], n_contiguous[kMaxGroupRows];
  int32_t slot_row[kMaxGroupRows];   // row in the group, or -1: an empty slot
  int32_t slot_head[kMaxGroupRows];  // head in the set
};

/// The query heads of a thread block: `n` from `first`, all of kv_head.
struct HeadSet {
  int32_t kv_head, first, n;
  __device__ HeadSet(const AttentionTask& task, int32_t set) {
    kv_head = set / task.tile.sets_per_kv_head;
    const int32_t before = set % task.tile.sets_per_kv_head * kTileSlots;
    first = kv_head * task.n_group + before;
    n = min(task.n_group - before, kTileSlots);
  }
};

/// By all threads; ends with a barrier.
__device__ inline void load_group(const AttentionTask& task, const HeadSet& heads, int32_t group,
                                  GroupRows& rows) {
  const int32_t first = task.first_row + group * task.group_rows;
  const int32_t n = min(task.group_rows, task.end_row - first), words = task.rows.bit_words;
  const int32_t thread = static_cast<int32_t>(threadIdx.x), n_words = n * words;
  const uint32_t* bits = task.rows.extra_bits + static_cast<int64_t>(first) * words;
  uint32_t word = thread < n_words ? bits[thread] : 0;  // on its way together with what follows
  if (thread < n) {
    rows.first_key[thread] = task.rows.first_key[first + thread];
    rows.n_contiguous[thread] = rows.n_keys[thread] = task.rows.n_contiguous[first + thread];
  }
  if (thread == 0) rows.first = first, rows.n = n, rows.most_blocks = 0;
  if (thread < task.group_slots) {
    const int32_t in_tile = thread % kTileSlots, row_in_tile = in_tile / task.tile.heads;
    const int32_t row = thread / kTileSlots * task.tile.rows + row_in_tile, head = in_tile % task.tile.heads;
    const bool is_used = row_in_tile < task.tile.rows && row < n && head < heads.n;
    rows.slot_row[thread] = is_used ? row : -1;
    rows.slot_head[thread] = head;
  }
  __syncthreads();
  for (int32_t i = thread; i < n_words; i += kAttentionWarps * kWarp) {
    if (i != thread) word = bits[i];
    if (word != 0) atomicAdd(&rows.n_keys[i / words], __popc(word));
  }
  __syncthreads();
  if (thread < n) {
    rows.n_blocks[thread] = n_prefix_blocks(rows.n_keys[thread]);
    atomicMax(&rows.most_blocks, rows.n_blocks[thread]);
  }
  __syncthreads();
}

/// One part for each warp, in dynamic shared memory; the queries of one tile, or of one per warp, follow.
template <int HD>
struct PartMemory {
  static constexpr int kStride = HD + 4;  // spreads neighbouring slots over the banks
  float value[kAttentionWarps][kTileSlots][kStride];
  float2 sums[kAttentionWarps][kTileSlots];  // largest score, sum of weights
};

/// What the threads of a block work on.
template <int HD>
struct ThreadBlock {
  const AttentionTask& task;
  const GroupRows& rows;
  const HeadSet& heads;
  PartMemory<HD>& memory;
  uint4* queries;
};

/// A warp's columns of one slot: lane l holds columns [l * N, l * N + N), N = HD / 32.
template <int HD>
using LaneColumns = Softmax<HD / 32>;

template <int N>
__device__ inline void load_columns(const float* from, float (&to)[N]) {
  static_assert(N == 2 || N == 4);
  if constexpr (N == 4) {
    const float4 four = *reinterpret_cast<const float4*>(from);
    to[0] = four.x, to[1] = four.y, to[2] = four.z, to[3] = four.w;
  } else {
    const float2 two = *reinterpret_cast<const float2*>(from);
    to[0] = two.x, to[1] = two.y;
  }
}
template <int N>
__device__ inline void store_columns(const float (&from)[N], float* to) {
  static_assert(N == 2 || N == 4);
  if constexpr (N == 4)
    *reinterpret_cast<float4*>(to) = make_float4(from[0], from[1], from[2], from[3]);
  else
    *reinterpret_cast<float2*>(to) = make_float2(from[0], from[1]);
}

template <int N>
__device__ inline void store_columns(const float (&from)[N], uint16_t* to) {  // as bf16
  if constexpr (N == 4)
    *reinterpret_cast<uint2*>(to) = make_uint2(pack_bf16(from[0], from[1]), pack_bf16(from[2], from[3]));
  else
    *reinterpret_cast<uint32_t*>(to) = pack_bf16(from[0], from[1]);
}

/// A slot's parts of warps first .. first + n - 1, folded in this order.
template <int HD>
__device__ LaneColumns<HD> fold_warps(const PartMemory<HD>& memory, int first, int n, int slot) {
  LaneColumns<HD> all;
  for (int part = first; part < first + n; ++part) {
    LaneColumns<HD> one;
    one.max = memory.sums[part][slot].x;
    one.sum = memory.sums[part][slot].y;
    load_columns(&memory.value[part][slot][lane_id() * (HD / 32)], one.value);
    fold(all, one);
  }
  return all;
}

/// Index of a partial result of this thread block's set and group.
__device__ inline int64_t partial_at(const AttentionTask& task, int32_t part, int32_t slot) {
  const int64_t unit = static_cast<int64_t>(blockIdx.y) * gridDim.z + blockIdx.z;
  return (unit * (task.n_parts + 1) + part) * task.group_slots + slot;
}

template <int HD>
__device__ void store_partial(const AttentionTask& task, int32_t part, int32_t slot,
                              const LaneColumns<HD>& columns) {
  const int64_t at = partial_at(task, part, slot);
  store_columns(columns.value, task.part_values + at * HD + lane_id() * (HD / 32));
  if (lane_id() == 0) task.part_sums[at] = make_float2(columns.max, columns.sum);
}

/// Result of one row and head: weighted values over the sum of weights.
template <int HD>
__device__ void store_result(const AttentionTask& task, int32_t row, int32_t head,
                             const LaneColumns<HD>& columns) {
  float result[HD / 32];
#pragma unroll
  for (int i = 0; i < HD / 32; ++i) result[i] = softmax_result(columns.value[i], columns.sum);
  const int32_t column = head * HD + lane_id() * (HD / 32);
  if (task.out.bf16 == nullptr)
    store_columns(result, row_of(task.out, row) + column);
  else
    store_columns(result, bf16_row_of(task.out, row) + column);
}

template <int HD>
__device__ LaneColumns<HD> load_partial(const AttentionTask& task, int32_t part, int32_t slot) {
  const int64_t at = partial_at(task, part, slot);
  const float2 sums = task.part_sums[at];
  LaneColumns<HD> columns;
  columns.max = sums.x;
  columns.sum = sums.y;
  load_columns(task.part_values + at * HD + lane_id() * (HD / 32), columns.value);
  return columns;
}

/// Parts of a slot that are on their way to a warp together.
template <int HD>
struct PartsAhead {
  static constexpr int kParts = 8;
  LaneColumns<HD> part[kParts];

  /// From part `first` of n on.
  __device__ void load(const AttentionTask& task, int32_t first, int32_t n, int32_t slot) {
#pragma unroll
    for (int i = 0; i < kParts; ++i) part[i] = load_partial<HD>(task, min(first + i, n - 1), slot);
  }
};

/// The partial results of a slot: the first of its parts, and its tail. Asked for before the last slot's are folded.
template <int HD>
struct SlotParts {
  int32_t n = 0;  // parts
  PartsAhead<HD> ahead;
  LaneColumns<HD> tail;

  __device__ void load(const AttentionTask& task, int32_t n_blocks, int32_t slot) {
    n = ceil_div(n_blocks, kSplitBlocks * task.part_splits);
    if (n > 0) ahead.load(task, 0, n, slot);
    tail = load_partial<HD>(task, task.n_parts, slot);
  }
};

/// Parts of a slot in ascending order, then its tail. A warp.
template <int HD>
__device__ LaneColumns<HD> fold_partials(const AttentionTask& task, SlotParts<HD> parts, int32_t slot) {
  const int32_t n = parts.n, span_parts = kSpanSplits / task.part_splits;
  LaneColumns<HD> all, span;
  for (int32_t first = 0; first < n; first += PartsAhead<HD>::kParts) {
    if (first > 0) parts.ahead.load(task, first, n, slot);
#pragma unroll
    for (int i = 0; i < PartsAhead<HD>::kParts; ++i) {
      if (first + i >= n) break;
      fold(span, parts.ahead.part[i]);
      if ((first + i + 1) % span_parts != 0 && first + i + 1 != n) continue;
      fold(all, span);
      span = LaneColumns<HD>();
    }
  }
  fold(all, parts.tail);
  return all;
}

}  // namespace draftscope::cuda
