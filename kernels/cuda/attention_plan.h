// How attention is cut: keys at places that depend on a row's number of keys alone, work over thread blocks
// as suits the launch. The first decides the bits, the second only the speed.
//
// Keys [0, prefix) go in blocks of 64, the rest (the tail, at most 95) in chunks of 32. Parts are folded in
// ascending order: blocks into splits of 256 keys, splits into spans of 1024, spans into the whole; then the
// tail's chunks into the tail, and the tail into the whole. A tree node sees its ancestors in the tail, so it
// folds what plain decoding folds.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/cuda/rows_view.h"
#include "kernels/shared/host_device.h"
#include "kernels/types.h"

namespace draftscope::cuda {

constexpr int32_t kKeyBlock = 64;
constexpr int32_t kSplitBlocks = 4;
constexpr int32_t kSpanSplits = 4;
constexpr int32_t kTailChunk = 32;
constexpr int32_t kMaxTail = kMaxExtraKeys + kKeyBlock - 1;

/// Whole blocks before the tail. The last kMaxExtraKeys keys are never among them, so all lie in the
/// contiguous keys.
DS_HOST_DEVICE inline int32_t n_prefix_blocks(int32_t n_keys) {
  return n_keys <= kMaxExtraKeys ? 0 : (n_keys - kMaxExtraKeys) / kKeyBlock;
}

DS_HOST_DEVICE inline int32_t ceil_div(int32_t a, int32_t b) { return (a + b - 1) / b; }

/// Index of the lowest set bit, which it clears; word must not be 0.
DS_HOST_DEVICE inline int32_t take_lowest_bit(uint32_t& word) {
#ifdef __CUDA_ARCH__
  const int32_t bit = __ffs(static_cast<int>(word)) - 1;
#else
  const int32_t bit = __builtin_ctz(word);
#endif
  word &= word - 1;
  return bit;
}

// ---- queries -------------------------------------------------------------------------------------------
constexpr int32_t kTileSlots = 16;  // queries that a tensor-core product takes together
constexpr int32_t kGroupTiles = 4;  // tiles of a stacked thread block, one per warp
constexpr int32_t kMaxGroupRows = kTileSlots * kGroupTiles;

/// Queries of some rows and of the heads that share a kv head. Slot s is head s % heads of row s / heads.
struct Tile {
  int32_t heads = 0;             // of one set; a kv head with more than 16 query heads has several sets
  int32_t rows = 0;              // whole rows, rows * heads <= 16
  int32_t sets_per_kv_head = 0;  // the last set of a kv head may be smaller
};

inline Tile tile_of(HeadLayout heads) {
  const int32_t n_group = heads.n_q_heads / heads.n_kv_heads;
  Tile tile;
  tile.heads = n_group < kTileSlots ? n_group : kTileSlots;
  tile.rows = kTileSlots / tile.heads;
  tile.sets_per_kv_head = ceil_div(n_group, kTileSlots);
  return tile;
}

/// Thread blocks of one launch: n_sets * n_groups * (n_parts of the prefix + one per row of the group).
struct AttentionPlan {
  Tile tile;
  bool is_stacked =
      false;  // a warp takes a tile and its blocks one by one; otherwise a block of a tile per warp
  int32_t part_splits = 1;  // splits of one part: 1, or kSpanSplits, whose parts are then whole spans
  int32_t n_parts = 0;      // of the row with the most keys
  int32_t n_sets = 0;       // of heads
  int32_t n_groups = 0;     // of rows
  int32_t group_rows = 0, group_slots = 0;

  int64_t n_prefix_thread_blocks() const { return static_cast<int64_t>(n_parts) * n_sets * n_groups; }
  /// Partial results: (n_sets, n_groups, n_parts + 1, group_slots), the last part the tail. None without a
  /// prefix.
  int64_t n_partials() const {
    return n_parts == 0 ? 0 : static_cast<int64_t>(n_sets) * n_groups * (n_parts + 1) * group_slots;
  }
};

inline AttentionPlan make_plan(int32_t n_rows, HeadLayout heads, int32_t n_splits, bool is_stacked,
                               int32_t part_splits) {
  AttentionPlan plan;
  plan.tile = tile_of(heads);
  plan.is_stacked = is_stacked;
  plan.part_splits = part_splits;
  plan.n_parts = ceil_div(n_splits, part_splits);
  plan.n_sets = heads.n_kv_heads * plan.tile.sets_per_kv_head;
  const int32_t tiles = is_stacked ? kGroupTiles : 1;
  plan.group_rows = plan.tile.rows * tiles;
  plan.group_slots = kTileSlots * tiles;
  plan.n_groups = ceil_div(n_rows, plan.group_rows);
  return plan;
}

inline int32_t n_splits_of(int32_t max_keys) { return ceil_div(n_prefix_blocks(max_keys), kSplitBlocks); }

// From how many thread blocks a cut is fine enough for a large GPU (132 multiprocessors on H100 and H200); a
// span keeps its thread block busy for four times as long as a split. Reasoned, not measured.
constexpr int64_t kEnoughOfSplits = 128, kEnoughOfSpans = 256;

/// The coarsest cut that is fine enough: coarse cuts read keys fewer times and leave fewer partial results.
inline AttentionPlan plan_attention(int32_t n_rows, HeadLayout heads, int32_t n_splits) {
  const AttentionPlan spans = make_plan(n_rows, heads, n_splits, true, kSpanSplits);
  if (n_rows > spans.group_rows - spans.tile.rows) {  // all four warps have a tile
    if (spans.n_prefix_thread_blocks() >= kEnoughOfSpans) return spans;
    const AttentionPlan splits = make_plan(n_rows, heads, n_splits, true, 1);
    if (splits.n_prefix_thread_blocks() >= kEnoughOfSplits) return splits;
  }
  const AttentionPlan spread = make_plan(n_rows, heads, n_splits, false, kSpanSplits);
  if (spread.n_prefix_thread_blocks() >= kEnoughOfSpans) return spread;
  return make_plan(n_rows, heads, n_splits, false, 1);
}

/// At least n_partials() of every plan for up to max_rows rows and max_splits splits; grows with both.
inline int64_t most_partials(int32_t max_rows, HeadLayout heads, int32_t max_splits) {
  int64_t most = 0;
  for (const bool is_stacked : {false, true}) {
    const AttentionPlan spans = make_plan(max_rows, heads, max_splits, is_stacked, kSpanSplits);
    const AttentionPlan splits = make_plan(max_rows, heads, max_splits, is_stacked, 1);
    if (is_stacked && max_rows <= spans.group_rows - spans.tile.rows) break;
    // Parts that are single splits are chosen only while spans would be too few thread blocks.
    const int64_t units = static_cast<int64_t>(splits.n_sets) * splits.n_groups;
    const int64_t few = ((kEnoughOfSpans - 1) * kSpanSplits + units) * splits.group_slots;
    most = std::max({most, spans.n_partials(), std::min(splits.n_partials(), few)});
  }
  return most;
}

}  // namespace draftscope::cuda
