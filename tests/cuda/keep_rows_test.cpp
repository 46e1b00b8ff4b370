#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/cuda/attention_setup.h"

namespace draftscope::cuda {
namespace {

constexpr int32_t kLayers = 3, kCapacity = 40;

TestCache filled_cache(HeadLayout heads, bool is_bf16) {
  TestCache cache(kLayers, heads, kCapacity, is_bf16);
  for (int32_t layer = 0; layer < kLayers; ++layer) {
    const Floats columns = random_floats(kCapacity, 2 * heads.n_kv_heads * heads.head_dim, 1 + layer);
    for (int32_t row = 0; row < kCapacity; ++row) cache.put(layer, row, columns.row(row));
  }
  return cache;
}

void expect_kept(HeadLayout heads, bool is_bf16, int32_t first, const std::vector<int32_t>& kept) {
  const TestCache before = filled_cache(heads, is_bf16);
  TestCache after = filled_cache(heads, is_bf16);
  const KvView view = after.view();
  const auto n_kept = static_cast<int32_t>(kept.size());
  const auto device_first = to_device(std::vector{first}), device_n = to_device(std::vector{n_kept});
  std::vector<int32_t> longer = kept;  // n_kept counts, not what lies behind
  longer.push_back(-1);
  const auto device_kept = to_device(longer);
  keep_rows(view, {device_first.data(), device_n.data(), 0, device_kept.data(), 0, 1}, nullptr);
  after.read_back();
  for (int32_t layer = 0; layer < kLayers; ++layer) {
    for (int32_t row = 0; row < kCapacity; ++row) {
      const bool is_target = row >= first && row < first + n_kept;
      const int32_t source = is_target ? first + kept[row - first] : row;
      for (int32_t i = 0; i < heads.n_kv_heads * heads.head_dim; ++i) {
        const int32_t head = i / heads.head_dim, column = i % heads.head_dim;
        ASSERT_EQ(after.key(layer, head, row, column), before.key(layer, head, source, column)) << row;
        ASSERT_EQ(after.value(layer, head, row, column), before.value(layer, head, source, column)) << row;
      }
    }
  }
}

TEST(CudaKeepRows, MovesTheAcceptedPathInEveryLayer) {
  for (const bool is_bf16 : {true, false}) {
    for (const HeadLayout heads : {HeadLayout{2, 2, 64}, {1, 1, 8}, {3, 1, 40}}) {
      expect_kept(heads, is_bf16, 4, {0, 2, 3, 7});
      expect_kept(heads, is_bf16, 0, {5});
      expect_kept(heads, is_bf16, 39, {0});
    }
  }
}

TEST(CudaKeepRows, ReadsEveryRowBeforeItIsOverwritten) {
  std::vector<int32_t> next_rows(20), first_rows(20), every_other(17);
  std::iota(next_rows.begin(), next_rows.end(), 1);
  std::iota(first_rows.begin(), first_rows.end(), 0);
  for (int32_t i = 0; i < 17; ++i) every_other[i] = 2 * i;
  for (const auto& kept : {next_rows, first_rows, every_other}) expect_kept({2, 2, 64}, true, 5, kept);
}

TEST(CudaKeepRows, NothingKeptMovesNothing) { expect_kept({2, 2, 64}, true, 5, {}); }

}  // namespace
}  // namespace draftscope::cuda
