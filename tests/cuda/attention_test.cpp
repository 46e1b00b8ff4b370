#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <random>
#include <set>

#include "kernels/cuda/attention_plan.h"
#include "tests/cuda/attention_setup.h"
#include "tests/cuda/device_act.h"
#include "tests/cuda/device_control.h"

namespace draftscope::cuda {
namespace {

// The tensor cores get weights rounded to bf16, each off by at most 2^-9; the sum is taken over the rounded
// ones.
constexpr double kTensorError = 0x1p-9;
// Float32 throughout: 2^-24 per operation, some hundred of them, and 2^-22 of the hardware's exponential.
constexpr double kScalarError = 1e-5;

struct Shape {
  HeadLayout heads;
  bool is_bf16 = true;
  bool is_tensor() const { return is_bf16 && (heads.head_dim == 64 || heads.head_dim == 128); }
};

// Values of max_keys that make a launch of n_rows cut its work in every way it knows (attention_plan.h): a
// block per warp or a tile per warp, over splits or over spans. 0: as the rows need.
std::vector<int32_t> tiers(const Shape& shape, int32_t n_rows) {
  std::vector<int32_t> found{0};
  if (!shape.is_tensor()) return found;
  std::set<std::pair<bool, int32_t>> cuts;
  for (int32_t max_keys = 2048; max_keys < 600'000; max_keys += 256) {
    const AttentionPlan plan = plan_attention(n_rows, shape.heads, n_splits_of(max_keys));
    if (cuts.insert({plan.is_stacked, plan.part_splits}).second) found.push_back(max_keys);
  }
  return found;
}

std::vector<uint32_t> bits_of_row(const Floats& table, int32_t row) {
  std::vector<uint32_t> bits;
  for (int32_t i = 0; i < table.cols; ++i) bits.push_back(std::bit_cast<uint32_t>(table.row(row)[i]));
  return bits;
}
std::vector<uint32_t> bits_of(const Floats& table) {
  std::vector<uint32_t> bits;
  for (int32_t r = 0; r < table.rows; ++r) {
    for (const uint32_t b : bits_of_row(table, r)) bits.push_back(b);
  }
  return bits;
}

Floats rows_of(const Floats& table, int32_t first, int32_t n) {
  Floats part(n, table.cols);
  std::copy_n(table.row(first), part.data.size(), part.data.begin());
  return part;
}

// A cache with rows [0, n) filled.
TestCache filled_cache(const Shape& shape, int32_t n, int32_t capacity, uint32_t seed) {
  TestCache cache(1, shape.heads, capacity, shape.is_bf16);
  const Floats columns = random_floats(n, 2 * shape.heads.n_kv_heads * shape.heads.head_dim, seed);
  for (int32_t row = 0; row < n; ++row) cache.put(0, row, columns.row(row));
  return cache;
}

// Rows of a chain behind `before` keys: each sees itself and all before it.
TestRows chain(int32_t before, int32_t n) {
  TestRows rows;
  for (int32_t r = 0; r < n; ++r) rows.add(before + r, 0, before + r + 1);
  return rows;
}

TEST(CudaAttention, AChainEqualsSoftmaxInDouble) {
  const struct {
    Shape shape;
    int32_t before, rows;
  } cases[] = {{{{1, 1, 64}}, 0, 1},          {{{4, 2, 64}}, 90, 40},       {{{4, 1, 128}}, 600, 17},
               {{{10, 2, 64}}, 255, 7},       {{{32, 1, 64}}, 130, 5},      {{{20, 1, 128}}, 64, 3},
               {{{2, 2, 64}}, 1300, 70},      {{{2, 1, 8}}, 59, 5},         {{{6, 2, 40}}, 59, 33},
               {{{3, 1, 256}}, 40, 3},        {{{4, 2, 64}, false}, 90, 9}, {{{2, 1, 8}, false}, 59, 5},
               {{{4, 2, 24}, false}, 20, 33}, {{{2, 2, 128}, false}, 70, 3}, {{{2, 1, 128}}, 2700, 3}};
  for (const auto& [shape, before, n_rows] : cases) {
    TestCache cache = filled_cache(shape, before + n_rows, before + n_rows + 3, 1);
    const Floats qkv = random_floats(n_rows, shape.heads.qkv_cols(), 2);
    const TestRows rows = chain(before, n_rows);
    const Floats expected = attend_by_formula(cache, shape.heads, qkv, rows, shape.is_tensor());
    for (const int32_t tier : tiers(shape, n_rows)) {
      const double error = normalised_error(attend(cache, shape.heads, qkv, rows, tier), expected);
      EXPECT_LE(error, shape.is_tensor() ? kTensorError : kScalarError)
          << shape.heads.n_q_heads << " heads, " << shape.heads.n_kv_heads << " kv heads of "
          << shape.heads.head_dim << ", bf16 " << shape.is_bf16 << ", " << n_rows << " rows behind " << before
          << ", tier " << tier;
    }
  }
}

TEST(CudaAttention, ARowHasTheSameBitsInAnyBatchAndLaunchSize) {
  for (const Shape& shape :
       {Shape{{4, 2, 64}}, Shape{{3, 1, 128}}, Shape{{4, 2, 24}}, Shape{{4, 2, 64}, false}}) {
    // 20 or 21 blocks: a span, a split of the next, and for the last rows the beginning of another split.
    const int32_t n = 64, before = shape.is_tensor() ? 1350 : 20;
    TestCache cache = filled_cache(shape, before + n, before + n, 3);
    const Floats qkv = random_floats(n, shape.heads.qkv_cols(), 4);
    const TestRows rows = chain(before, n);
    const Floats all = attend(cache, shape.heads, qkv, rows);
    for (const int32_t tier : tiers(shape, n))
      ASSERT_EQ(bits_of(attend(cache, shape.heads, qkv, rows, tier)), bits_of(all)) << tier;
    for (const auto& [first, n_rows] :
         {std::pair{0, 1}, {41, 1}, {42, 1}, {43, 3}, {60, 3}, {9, 17}, {63, 1}}) {
      for (const int32_t tier : tiers(shape, n_rows)) {
        const Floats part =
            attend(cache, shape.heads, rows_of(qkv, first, n_rows), rows.slice(first, n_rows), tier);
        for (int32_t r = 0; r < n_rows; ++r)
          ASSERT_EQ(bits_of_row(part, r), bits_of_row(all, first + r)) << first + r << " of " << n_rows;
      }
    }
  }
}

TEST(CudaAttention, MoreRowsThanOneLaunchTakesHaveTheSameBits) {
  const Shape shape{{2, 1, 64}};
  TestCache cache = filled_cache(shape, 300, 300, 3);
  const Floats qkv = random_floats(300, shape.heads.qkv_cols(), 4);
  const TestRows rows = chain(0, 300);
  const Floats all = attend(cache, shape.heads, qkv, rows);
  EXPECT_LE(normalised_error(all, attend_by_formula(cache, shape.heads, qkv, rows, true)), kTensorError);
  for (const int32_t first : {0, 250, 299}) {
    const Floats part = attend(cache, shape.heads, rows_of(qkv, first, 1), rows.slice(first, 1));
    ASSERT_EQ(bits_of_row(part, 0), bits_of_row(all, first)) << first;
  }
}

TEST(CudaAttention, TheOrderOfThreadBlocksDoesNotShow) {
  const Shape shape{{4, 2, 64}};
  TestCache cache = filled_cache(shape, 1500, 1500, 5);
  const Floats qkv = random_floats(36, shape.heads.qkv_cols(), 6);
  const TestRows rows = chain(1400, 36);
  ASSERT_EQ(tiers(shape, 36).size(), 4u);  // three cuts: with so many rows spans are never spread over warps
  for (const int32_t tier : tiers(shape, 36)) {
    const Floats forwards = attend(cache, shape.heads, qkv, rows, tier);
    run_backwards(true);
    const Floats backwards = attend(cache, shape.heads, qkv, rows, tier);
    run_backwards(false);
    ASSERT_EQ(bits_of(forwards), bits_of(backwards)) << tier;
  }
}

// Ancestors of each node, itself last.
std::vector<std::vector<int32_t>> random_tree(int32_t n, uint32_t seed) {
  std::vector<std::vector<int32_t>> paths;
  std::mt19937 random(seed);
  for (int32_t i = 0; i < n; ++i) {
    std::vector<int32_t> path;
    const int32_t parent = i == 0 ? -1 : static_cast<int32_t>(random() % std::min(i, 6)) + std::max(0, i - 6);
    if (parent >= 0 && paths[parent].size() < kMaxExtraKeys) path = paths[parent];
    path.push_back(i);
    paths.push_back(path);
  }
  return paths;
}

// Nodes of a tree behind `before` keys, their keys at cache rows before + 2, + 3, ...; and each node's text
// alone.
void expect_nodes_equal_plain_decoding(const Shape& shape, int32_t before, int32_t n_nodes, int32_t tier) {
  const int32_t kv_cols = 2 * shape.heads.n_kv_heads * shape.heads.head_dim;
  const auto paths = random_tree(n_nodes, static_cast<uint32_t>(before));
  const Floats keys = random_floats(n_nodes, kv_cols, 7),
               qkv = random_floats(n_nodes, shape.heads.qkv_cols(), 8);
  TestCache cache = filled_cache(shape, before, before + n_nodes + 2, 9);
  TestRows rows;
  for (int32_t i = 0; i < n_nodes; ++i) {
    cache.put(0, before + 2 + i, keys.row(i));
    rows.add(before + 2 + i, 0, before, paths[i]);
  }
  const Floats tree = attend(cache, shape.heads, qkv, rows, tier);
  EXPECT_LE(normalised_error(tree, attend_by_formula(cache, shape.heads, qkv, rows, shape.is_tensor())),
            shape.is_tensor() ? kTensorError : kScalarError);
  TestCache plain = filled_cache(shape, before, before + kMaxExtraKeys, 9);
  for (int32_t i = 0; i < n_nodes; i += 3) {
    const auto depth = static_cast<int32_t>(paths[i].size());
    for (int32_t d = 0; d < depth; ++d) plain.put(0, before + d, keys.row(paths[i][d]));
    TestRows row;
    row.add(before + depth - 1, 0, before + depth);
    const Floats alone = attend(plain, shape.heads, rows_of(qkv, i, 1), row);
    ASSERT_EQ(bits_of_row(alone, 0), bits_of_row(tree, i)) << "node " << i << " after " << before;
  }
}

TEST(CudaAttention, TreeNodesEqualPlainDecodingBitByBit) {
  for (const int32_t before :
       {0, 1, 20, 31, 32, 33, 63, 64, 65, 95, 96, 97, 127, 128, 129, 255, 256, 257, 300, 1090}) {
    expect_nodes_equal_plain_decoding({{4, 2, 64}}, before, 45, before % 2 * 20000);
  }
  for (const int32_t before : {0, 32, 66, 290}) {
    expect_nodes_equal_plain_decoding({{8, 1, 128}}, before, 20, 140000);
    expect_nodes_equal_plain_decoding({{4, 2, 40}}, before, 20, 0);
    expect_nodes_equal_plain_decoding({{4, 2, 64}, false}, before, 20, 0);
  }
}

TEST(CudaAttention, KeysMayBeginAnywhereAndInEachRowElsewhere) {
  for (const Shape& shape : {Shape{{4, 2, 64}}, Shape{{2, 1, 128}}, Shape{{4, 2, 24}}}) {
    TestCache cache = filled_cache(shape, 700, 700, 10);
    const Floats qkv = random_floats(24, shape.heads.qkv_cols(), 11);
    TestRows rows;
    for (int32_t r = 0; r < 24; ++r) {
      const int32_t first = r % 5 < 2 ? 37 : 11 * r;
      rows.add(699, first, std::min(700 - first, 30 + 25 * r));
    }
    const Floats expected = attend_by_formula(cache, shape.heads, qkv, rows, shape.is_tensor());
    const Floats all = attend(cache, shape.heads, qkv, rows);
    EXPECT_LE(normalised_error(all, expected), shape.is_tensor() ? kTensorError : kScalarError);
    for (const int32_t tier : tiers(shape, 24))
      ASSERT_EQ(bits_of(attend(cache, shape.heads, qkv, rows, tier)), bits_of(all));
    for (const int32_t r : {0, 1, 7, 13, 23}) {
      const Floats alone = attend(cache, shape.heads, rows_of(qkv, r, 1), rows.slice(r, 1));
      ASSERT_EQ(bits_of_row(alone, 0), bits_of_row(all, r)) << r;
    }
  }
}

TEST(CudaAttention, OutputsKeptAsBf16AreTheRoundedOnes) {
  const struct {
    Shape shape;
    int32_t before, rows;
  } cases[] = {{{{4, 2, 64}}, 20, 3},   {{{4, 2, 64}}, 1350, 17}, {{{3, 1, 128}}, 0, 1},
               {{{3, 1, 128}}, 300, 5}, {{{4, 2, 24}}, 20, 33},   {{{4, 2, 64}, false}, 20, 3}};
  for (const auto& [shape, before, n_rows] : cases) {
    TestCache cache = filled_cache(shape, before + n_rows, before + n_rows, 18);
    const Floats qkv = random_floats(n_rows, shape.heads.qkv_cols(), 19);
    const TestRows rows = chain(before, n_rows);
    const auto workspace = make_workspace(attention_workspace_bytes(n_rows, shape.heads, before + n_rows), SIZE_MAX);
    const DeviceBf16 out(n_rows, shape.heads.q_cols());
    attend(cache, shape.heads, qkv, rows, 0, workspace.data(), out.act);
    EXPECT_EQ(out.bits(), DeviceBf16::rounded(attend(cache, shape.heads, qkv, rows).data))
        << shape.heads.head_dim << " columns, " << n_rows << " rows behind " << before;
  }
}

TEST(CudaAttention, LargeScoresDoNotOverflow) {
  for (const Shape& shape : {Shape{{2, 1, 64}}, Shape{{2, 1, 8}}}) {
    TestCache cache = filled_cache(shape, 400, 400, 12);
    const TestRows rows = chain(300, 20);
    const Floats loud = random_floats(20, shape.heads.qkv_cols(), 13, 1e4f);
    for (const float x : attend(cache, shape.heads, loud, rows).data) ASSERT_TRUE(std::isfinite(x));
  }
}

TEST(CudaAttention, AnotherSequencesKeysAreNeverTouched) {
  // Rows of the cache that no row of the pass attends to stay NaN, between, behind and in front of those that
  // are seen.
  const Shape shape{{4, 2, 64}};
  TestCache cache(1, shape.heads, 500, true);
  const Floats columns = random_floats(500, 2 * shape.heads.n_kv_heads * 64, 14);
  for (int32_t row = 100; row < 300; ++row) cache.put(0, row, columns.row(row));
  for (int32_t row = 310; row < 330; row += 2) cache.put(0, row, columns.row(row));
  TestRows rows;
  for (int32_t i = 0; i < 10; ++i) rows.add(310 + 2 * i, 100, 200, {0, i});
  rows.extras[0] = {0};
  const Floats qkv = random_floats(10, shape.heads.qkv_cols(), 15);
  EXPECT_LE(normalised_error(attend(cache, shape.heads, qkv, rows),
                             attend_by_formula(cache, shape.heads, qkv, rows, true)),
            kTensorError);
}

TEST(CudaAttention, OneWorkspaceServesLaunchesOfEverySizeAndShape) {
  const Shape wide{{8, 2, 64}}, narrow{{4, 1, 128}};
  TestCache wide_cache = filled_cache(wide, 700, 700, 16), narrow_cache = filled_cache(narrow, 700, 700, 16);
  const DeviceBuffer<uint8_t> memory(
      static_cast<size_t>(std::max(attention_workspace_bytes(64, wide.heads, 140000),
                                   attention_workspace_bytes(64, narrow.heads, 140000))));
  CUDA_CHECK(cudaMemset(memory.data(), 0, memory.n_bytes()));
  const struct {
    int32_t before, rows, tier;
  } launches[] = {{600, 64, 140000}, {5, 3, 0}, {500, 1, 0}, {600, 64, 20000}};
  for (int32_t repeat = 0; repeat < 2; ++repeat) {
    for (const auto& [before, n_rows, tier] : launches) {
      for (const auto& [shape, cache] : {std::pair{wide, &wide_cache}, {narrow, &narrow_cache}}) {
        const Floats qkv = random_floats(n_rows, shape.heads.qkv_cols(), 17);
        const TestRows rows = chain(before, n_rows);
        ASSERT_EQ(bits_of(attend(*cache, shape.heads, qkv, rows, tier, memory.data())),
                  bits_of(attend(*cache, shape.heads, qkv, rows)))
            << before << ", " << n_rows << " rows, repeat " << repeat;
      }
    }
  }
}

}  // namespace
}  // namespace draftscope::cuda
