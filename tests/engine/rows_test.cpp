// Rows of texts that share a cache: each names its own range, and a pass is one after the other.
#include "engine/model/rows.h"

#include <gtest/gtest.h>

namespace draftscope {
namespace {

/// The attended cache rows of row i, in order.
std::vector<int32_t> attended(const PassRows& rows, int32_t i) {
  std::vector<int32_t> keys;
  const int32_t first = rows.keys.first_key.empty() ? 0 : rows.keys.first_key[i];
  for (int32_t t = 0; t < rows.keys.n_contiguous[i]; ++t) keys.push_back(first + t);
  for (int32_t t = rows.keys.extra_begin[i]; t < rows.keys.extra_begin[i + 1]; ++t) keys.push_back(rows.keys.extra[t]);
  return keys;
}

std::vector<int32_t> moved(std::vector<int32_t> rows, int32_t by) {
  for (int32_t& row : rows) row += by;
  return rows;
}

const DraftTree kTree{{1, 2, 3, 4}, {-1, 0, 0, 2}, {0, 1, 1, 2}, {0, 0, 1, 0}, {0, -1, -2, -3}};

TEST(Rows, ATextElsewhereInTheCacheIsTheSameTextMoved) {
  const std::vector<int32_t> tokens = {5, 6, 7};
  for (const int32_t window : {0, 3}) {
    const std::pair<PassRows, PassRows> pairs[] = {{chain_rows(tokens, 4), chain_rows(tokens, 4, 100)},
                                                   {tree_rows(kTree, 3, 4), tree_rows(kTree, 3, 4, 100)},
                                                   {block_rows(5, 9, 4, 6, window), block_rows(5, 9, 4, 6, window, 100)}};
    for (const auto& [here, there] : pairs) {
      EXPECT_EQ(there.token, here.token);
      EXPECT_EQ(there.position, here.position) << "a text does not know where it is kept";
      EXPECT_EQ(there.cache_row, moved(here.cache_row, 100));
      for (int32_t i = 0; i < here.n; ++i) EXPECT_EQ(attended(there, i), moved(attended(here, i), 100));
    }
  }
}

TEST(Rows, APassOfSeveralTextsIsEachOfThem) {
  const PassRows parts[] = {tree_rows(kTree, 3, 4), tree_rows(kTree, 2, 7, 50), chain_rows(std::vector<int32_t>{8, 9}, 2, 80),
                            tree_rows(kTree, 0, 3), tree_rows(kTree, 3, 1, 120)};
  for (size_t first = 0; first < std::size(parts); ++first) {
    PassRows all;
    for (size_t i = first; i < std::size(parts); ++i) append_rows(all, parts[i]);
    int32_t row = 0;
    for (size_t i = first; i < std::size(parts); ++i) {
      for (int32_t own = 0; own < parts[i].n; ++own, ++row) {
        EXPECT_EQ(all.token[row], parts[i].token[own]);
        EXPECT_EQ(all.position[row], parts[i].position[own]);
        EXPECT_EQ(all.cache_row[row], parts[i].cache_row[own]);
        EXPECT_EQ(attended(all, row), attended(parts[i], own)) << "part " << i << ", row " << own;
      }
    }
    EXPECT_EQ(all.n, row);
    EXPECT_EQ(static_cast<int32_t>(all.keys.extra_begin.size()), row + 1);
  }
}

}  // namespace
}  // namespace draftscope
