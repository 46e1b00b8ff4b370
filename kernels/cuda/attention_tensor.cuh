// The three roles of a thread block in attention over bf16 keys: a part of the prefix for a tile (spread over
// its warps) or for four tiles (stacked), and the tail of one row.
#pragma once

#include "kernels/cuda/attention_parts.cuh"
#include "kernels/cuda/extras.cuh"

namespace draftscope::cuda {

/// Calls attend(first cache row, slots) for the slots of a tile that see prefix block `block`: once, or once
/// for each of the places where their keys begin. slots: bits of the slots concerned. A whole warp.
template <class Attend>
__device__ __forceinline__ void for_each_place(const GroupRows& rows, int tile, int32_t block,
                                               const Attend& attend) {
  const int32_t row = lane_id() < kTileSlots ? rows.slot_row[tile * kTileSlots + lane_id()] : -1;
  const bool sees = row >= 0 && block < rows.n_blocks[row];
  const int32_t first_key = sees ? rows.first_key[row] : 0;
  uint32_t left = __ballot_sync(kAllLanes, sees);
  while (left != 0) {
    const int32_t place = __shfl_sync(kAllLanes, first_key, __ffs(static_cast<int>(left)) - 1);
    const uint32_t slots = __ballot_sync(kAllLanes, sees && first_key == place);
    attend(place + block * kKeyBlock, slots);
    left &= ~slots;
  }
}

template <int HD>
__device__ PrefixKeys<HD> prefix_keys(const ThreadBlock<HD>& own, int32_t cache_row) {
  const int64_t at = (static_cast<int64_t>(own.heads.kv_head) * own.task.capacity + cache_row) * (HD / 8);
  return {own.task.keys + at, own.task.values + at};
}

/// Query of a slot of the group, or null.
template <int HD>
__device__ const float* query_of(const ThreadBlock<HD>& own, int slot) {
  const int32_t row = own.rows.slot_row[slot], head = own.heads.first + own.rows.slot_head[slot];
  return row < 0 ? nullptr
                 : own.task.q + static_cast<int64_t>(own.rows.first + row) * own.task.qkv_cols + head * HD;
}

/// Leaves the weighted values of the block's first tile with some keys as this warp's part, for the given
/// slots.
template <int HD, class Keys>
__device__ void attend_into(const ThreadBlock<HD>& own, const Keys& keys, uint32_t slots) {
  PartMemory<HD>& memory = own.memory;
  KeyWeights<Keys::kCount> weights;
  weigh_keys<HD>(own.queries, keys, own.task.scale, weights);
  const int g = lane_id() / 4, t = lane_id() % 4;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    if (t == 0 && (slots >> (g + 8 * half) & 1u) != 0)
      memory.sums[warp_id()][g + 8 * half] = make_float2(weights.max[half], weights.sum[half]);
  }
#pragma unroll
  for (int piece = 0; piece < HD / 64; ++piece) {
    __syncwarp();  // together again for the products
    float sum[8][4];
    weigh_values<HD>(weights, keys, piece, sum);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      if ((slots >> (g + 8 * half) & 1u) == 0) continue;
      float* to = &memory.value[warp_id()][g + 8 * half][64 * piece + 16 * t];
#pragma unroll
      for (int quarter = 0; quarter < 4; ++quarter)
        reinterpret_cast<float4*>(to)[quarter] = four_columns(sum, half, quarter);
    }
  }
}

/// One part of one tile: each warp takes a block of the split.
template <int HD>
__device__ void attend_spread(const ThreadBlock<HD>& own) {
  const AttentionTask& task = own.task;
  const GroupRows& rows = own.rows;
  constexpr int kWarpSlots = kTileSlots / kAttentionWarps;  // that a warp folds: warp_id() + 4 i
  const auto query = [&](int slot) { return query_of(own, slot); };
  load_queries<HD>(query, own.queries, static_cast<int>(threadIdx.x), kAttentionWarps * kWarp);
  __syncthreads();
  const int32_t part = static_cast<int32_t>(blockIdx.x);
  LaneColumns<HD> span[kWarpSlots];
  for (int32_t split = part * task.part_splits; split < (part + 1) * task.part_splits; ++split) {
    const int32_t first_block = split * kSplitBlocks;
    if (first_block >= rows.most_blocks) break;
    for_each_place(rows, 0, first_block + warp_id(), [&](int32_t cache_row, uint32_t slots) {
      attend_into(own, prefix_keys(own, cache_row), slots);
    });
    __syncthreads();
#pragma unroll
    for (int i = 0; i < kWarpSlots; ++i) {
      const int slot = warp_id() + kAttentionWarps * i;
      const int32_t row = rows.slot_row[slot];
      const int32_t n = row < 0 ? 0 : min(rows.n_blocks[row] - first_block, kSplitBlocks);
      if (n > 0) fold(span[i], fold_warps(own.memory, 0, n, slot));
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < kWarpSlots; ++i) {
    const int slot = warp_id() + kAttentionWarps * i;
    const int32_t row = rows.slot_row[slot];
    if (row < 0 || rows.n_blocks[row] <= part * task.part_splits * kSplitBlocks) continue;
    store_partial<HD>(task, part, slot, span[i]);
  }
}

/// A tile's softmax over a split, in the registers of a warp; see weigh_values for who holds what.
template <int HD>
struct TileColumns {
  float max[2] = {kNoKeys, kNoKeys}, sum[2] = {};
  float value[HD / 64][8][4] = {};
};

/// Folds the weighted values of a tile with one block into `split`, for the given slots.
template <int HD>
__device__ __forceinline__ void fold_block(const uint4* queries, const PrefixKeys<HD>& keys, float scale,
                                           uint32_t slots, TileColumns<HD>& split) {
  KeyWeights<kKeyBlock> weights;
  weigh_keys<HD>(queries, keys, scale, weights);
  FoldWeights w[2];
  bool counts[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    counts[half] = (slots >> (lane_id() / 4 + 8 * half) & 1u) != 0;
    w[half] = fold_weights(split.max[half], weights.max[half]);
    if (!counts[half]) continue;
    split.max[half] = w[half].max;
    split.sum[half] = fold(split.sum[half], weights.sum[half], w[half]);
  }
#pragma unroll
  for (int piece = 0; piece < HD / 64; ++piece) {
    // Together again for the products. Also, the next piece's values are not loaded before: registers would
    // not do.
    __syncwarp();
    float sum[8][4];
    weigh_values<HD>(weights, keys, piece, sum);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      if (!counts[half]) continue;
#pragma unroll
      for (int i = 0; i < 16; ++i) {
        float& value = split.value[piece][i / 2][2 * half + i % 2];
        value = fold(value, sum[i / 2][2 * half + i % 2], w[half]);
      }
    }
  }
}

/// Folds a split into the span that this warp keeps in shared memory; the first split is what it begins with.
template <int HD>
__device__ __forceinline__ void fold_split(const TileColumns<HD>& split, bool is_first,
                                           PartMemory<HD>& memory) {
  const int g = lane_id() / 4, t = lane_id() % 4;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    float2& sums = memory.sums[warp_id()][g + 8 * half];
    const float2 kept_sums = is_first ? make_float2(kNoKeys, 0.0f) : sums;
    const FoldWeights w = fold_weights(kept_sums.x, split.max[half]);
    __syncwarp();
    if (t == 0) sums = make_float2(w.max, fold(kept_sums.y, split.sum[half], w));
#pragma unroll
    for (int piece = 0; piece < HD / 64; ++piece) {
      float4* to = reinterpret_cast<float4*>(&memory.value[warp_id()][g + 8 * half][64 * piece + 16 * t]);
#pragma unroll
      for (int quarter = 0; quarter < 4; ++quarter) {
        const float4 added = four_columns(split.value[piece], half, quarter);
        const float4 kept = is_first ? make_float4(0.0f, 0.0f, 0.0f, 0.0f) : to[quarter];
        to[quarter] = make_float4(fold(kept.x, added.x, w), fold(kept.y, added.y, w),
                                  fold(kept.z, added.z, w), fold(kept.w, added.w, w));
      }
    }
  }
  __syncwarp();
}

/// One part of four tiles: each warp takes a tile and walks the blocks, which the others then find in the L1
/// cache.
template <int HD>
__device__ void attend_stacked(const ThreadBlock<HD>& own) {
  const AttentionTask& task = own.task;
  const GroupRows& rows = own.rows;
  const int tile = warp_id();
  uint4* queries = own.queries + tile * kQueryWords<HD>;
  const auto query = [&](int slot) { return query_of(own, tile * kTileSlots + slot); };
  load_queries<HD>(query, queries, lane_id(), kWarp);
  __syncwarp();
  const int32_t row_of_lane = rows.slot_row[tile * kTileSlots + lane_id() % kTileSlots];
  const uint32_t blocks_of_lane = row_of_lane < 0 ? 0 : static_cast<uint32_t>(rows.n_blocks[row_of_lane]);
  const int32_t n_blocks = static_cast<int32_t>(__reduce_max_sync(kAllLanes, blocks_of_lane));
  const int32_t part = static_cast<int32_t>(blockIdx.x), part_blocks = kSplitBlocks * task.part_splits;
  const int32_t begin = part * part_blocks, end = min(begin + part_blocks, n_blocks);
  TileColumns<HD> split;
#pragma unroll 1
  for (int32_t block = begin; block < end; ++block) {
    for_each_place(rows, tile, block, [&](int32_t cache_row, uint32_t slots) {
      fold_block(queries, prefix_keys(own, cache_row), task.scale, slots, split);
    });
    if ((block + 1) % kSplitBlocks != 0 && block + 1 != end) continue;
    fold_split(split, block < begin + kSplitBlocks, own.memory);
    split = TileColumns<HD>();
  }
  for (int slot = 0; slot < kTileSlots; ++slot) {
    const int32_t row = rows.slot_row[tile * kTileSlots + slot];
    if (row < 0 || rows.n_blocks[row] <= begin) continue;
    store_partial<HD>(task, part, tile * kTileSlots + slot, fold_warps(own.memory, tile, 1, slot));
  }
}

/// The tail of one row of the group: each warp takes a chunk. Without a prefix this is the result.
template <int HD>
__device__ void attend_tail(const ThreadBlock<HD>& own, int32_t row) {
  const AttentionTask& task = own.task;
  const GroupRows& rows = own.rows;
  __shared__ int32_t cache_row[kMaxTail + 1];
  const int32_t first = rows.n_blocks[row] * kKeyBlock, n = rows.n_keys[row] - first;
  const int32_t n_contiguous = rows.n_contiguous[row] - first, words = task.rows.bit_words;
  const int32_t thread = static_cast<int32_t>(threadIdx.x), pass_row = rows.first + row;
  if (thread < n_contiguous) cache_row[thread] = rows.first_key[row] + first + thread;
  if (warp_id() == 0 && words > 0) {
    const uint32_t* bits = task.rows.extra_bits + static_cast<int64_t>(pass_row) * words;
    list_extras(bits, words, task.rows.cache_row, cache_row + n_contiguous);
  }
  const float* q = task.q + static_cast<int64_t>(pass_row) * task.qkv_cols + own.heads.first * HD;
  const auto query = [&](int slot) { return slot < own.heads.n ? q + slot * HD : nullptr; };
  load_queries<HD>(query, own.queries, thread, kAttentionWarps * kWarp);
  __syncthreads();
  const int32_t begin = warp_id() * kTailChunk;
  if (begin < n) {
    const PrefixKeys<HD> head = prefix_keys(own, 0);
    const ListedKeys<HD> keys{head.k, head.v, cache_row + begin, min(kTailChunk, n - begin)};
    attend_into(own, keys, (1u << own.heads.n) - 1u);
  }
  __syncthreads();
  const int32_t row_slot = row / task.tile.rows * kTileSlots + row % task.tile.rows * task.tile.heads;
  for (int head = warp_id(); head < own.heads.n; head += kAttentionWarps) {
    const LaneColumns<HD> tail = fold_warps(own.memory, 0, ceil_div(n, kTailChunk), head);
    if (rows.most_blocks == 0)
      store_result<HD>(task, pass_row, own.heads.first + head, tail);
    else
      store_partial<HD>(task, task.n_parts, row_slot + head, tail);
  }
}

}  // namespace draftscope::cuda
