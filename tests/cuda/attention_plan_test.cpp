#include "kernels/cuda/attention_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <vector>

#include "kernels/cuda/softmax_fold.h"

namespace draftscope::cuda {
namespace {

TEST(AttentionPlan, ThePrefixIsWholeBlocksThatNoTreeNodeLiesIn) {
  for (int32_t n_keys = 1; n_keys < 2000; ++n_keys) {
    const int32_t prefix = n_prefix_blocks(n_keys) * kKeyBlock;
    EXPECT_LE(prefix, std::max(0, n_keys - kMaxExtraKeys));
    EXPECT_LE(n_keys - prefix, kMaxTail);
    EXPECT_GT(n_keys - prefix, 0);
  }
  EXPECT_EQ(n_prefix_blocks(95), 0);
  EXPECT_EQ(n_prefix_blocks(96), 1);
  EXPECT_EQ(n_prefix_blocks(159), 1);
  EXPECT_EQ(n_prefix_blocks(160), 2);
}

TEST(AttentionPlan, LowestBitsComeFirst) {
  uint32_t word = 0x80010005u;
  std::vector<int32_t> bits;
  while (word != 0) bits.push_back(take_lowest_bit(word));
  EXPECT_EQ(bits, (std::vector<int32_t>{0, 2, 16, 31}));
}

TEST(AttentionPlan, TilesHoldWholeRowsAndEveryHead) {
  const struct {
    int32_t n_q, n_kv, heads, rows, sets;
  } cases[] = {{32, 8, 4, 4, 1}, {16, 8, 2, 8, 1},  {8, 8, 1, 16, 1},  {40, 8, 5, 3, 1},
               {28, 4, 7, 2, 1}, {16, 1, 16, 1, 1}, {20, 1, 16, 1, 2}, {64, 2, 16, 1, 2}};
  for (const auto& c : cases) {
    const Tile tile = tile_of({c.n_q, c.n_kv, 128});
    EXPECT_EQ(tile.heads, c.heads);
    EXPECT_EQ(tile.rows, c.rows);
    EXPECT_EQ(tile.sets_per_kv_head, c.sets);
    EXPECT_LE(tile.rows * tile.heads, kTileSlots);
    EXPECT_GE(tile.heads * tile.sets_per_kv_head * c.n_kv, c.n_q);
  }
}

TEST(AttentionPlan, PartsCoverEveryKeyAndGroupsEveryRow) {
  for (const HeadLayout heads : {HeadLayout{32, 8, 128}, {16, 8, 128}, {2, 2, 64}, {20, 1, 64}}) {
    for (int32_t rows = 1; rows <= 256; rows += rows < 20 ? 1 : 17) {
      for (const int32_t max_keys : {0, 95, 96, 2048, 8192, 32768}) {
        const AttentionPlan plan = plan_attention(rows, heads, n_splits_of(max_keys));
        EXPECT_GE(plan.n_parts * plan.part_splits * kSplitBlocks, n_prefix_blocks(max_keys));
        EXPECT_GE(plan.n_groups * plan.group_rows, rows);
        EXPECT_LT((plan.n_groups - 1) * plan.group_rows, rows);
        EXPECT_LE(plan.group_rows, kMaxGroupRows);
        EXPECT_LE(plan.n_groups, rows);
      }
    }
  }
}

TEST(AttentionPlan, TheWorkspaceSufficesForEverySmallerLaunch) {
  for (const HeadLayout heads : {HeadLayout{32, 8, 128}, {16, 8, 128}, {2, 2, 64}, {20, 1, 64}}) {
    for (const int32_t max_rows : {1, 3, 16, 64, 256}) {
      for (const int32_t max_splits : {0, 1, 8, 32}) {
        const int64_t enough = most_partials(max_rows, heads, max_splits);
        for (int32_t rows = 1; rows <= max_rows; ++rows) {
          for (int32_t splits = 0; splits <= max_splits; ++splits)
            ASSERT_LE(plan_attention(rows, heads, splits).n_partials(), enough) << rows << ", " << splits;
        }
      }
    }
  }
}

TEST(AttentionPlan, WideAndLongLaunchesCutCoarsely) {
  const HeadLayout qwen3_8b{32, 8, 128};
  const auto plan = [&](int32_t rows, int32_t max_keys) {
    const AttentionPlan p = plan_attention(rows, qwen3_8b, n_splits_of(max_keys));
    return std::pair{p.is_stacked, p.part_splits};
  };
  EXPECT_EQ(plan(1, 2048), (std::pair{false, 1}));
  EXPECT_EQ(plan(1, 8192), (std::pair{false, 1}));
  EXPECT_EQ(plan(16, 2048), (std::pair{false, 1}));
  EXPECT_EQ(plan(16, 8192), (std::pair{true, 1}));
  EXPECT_EQ(plan(64, 2048), (std::pair{true, 1}));
  EXPECT_EQ(plan(64, 8192), (std::pair{true, kSpanSplits}));
  EXPECT_EQ(plan(256, 2048), (std::pair{true, kSpanSplits}));
}

Softmax<2> part(float max, float sum, float a, float b) {
  Softmax<2> s;
  s.max = max, s.sum = sum, s.value[0] = a, s.value[1] = b;
  return s;
}
std::vector<uint32_t> bits(const Softmax<2>& s) {
  std::vector<uint32_t> all;
  for (const float x : {s.max, softmax_result(s.value[0], s.sum), softmax_result(s.value[1], s.sum)})
    all.push_back(std::bit_cast<uint32_t>(x));
  return all;
}

TEST(SoftmaxFold, APartWithoutKeysChangesNoBit) {
  for (const Softmax<2>& s :
       {part(3.5f, 1.25f, 0.1f, -7.0f), part(-80.0f, 1.0f, -0.0f, 0.0f), part(0.0f, 3.0f, 1e-40f, 1.0f)}) {
    Softmax<2> after = s, before;
    fold(after, Softmax<2>());
    EXPECT_EQ(bits(after), bits(s));
    fold(before, s);
    EXPECT_EQ(bits(before), bits(s));
    fold(before, Softmax<2>());
    EXPECT_EQ(bits(before), bits(s));
  }
}

TEST(SoftmaxFold, FoldingIsASoftmaxOverBothParts) {
  Softmax<2> all = part(1.0f, 1.5f, 2.0f, 3.0f);  // relative to 2^1
  fold(all, part(3.0f, 1.0f, 5.0f, -1.0f));
  EXPECT_EQ(all.max, 3.0f);
  EXPECT_EQ(all.sum, 1.375f);
  EXPECT_EQ(all.value[0], 5.5f);
  EXPECT_EQ(all.value[1], -0.25f);
}

}  // namespace
}  // namespace draftscope::cuda
