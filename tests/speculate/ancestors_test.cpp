#include "engine/speculate/ancestors.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/speculate/grow.h"
#include "tests/speculate/random_inputs.h"

namespace draftscope {
namespace {

std::vector<int32_t> keys_of(const AncestorRows& rows, size_t row) {
  std::vector<int32_t> keys;
  for (int32_t key = 0; key < rows.n_contiguous[row]; ++key) keys.push_back(key);
  for (int32_t at = rows.extra_begin[row]; at < rows.extra_begin[row + 1]; ++at) {
    keys.push_back(rows.extra[static_cast<size_t>(at)]);
  }
  return keys;
}

TEST(Ancestors, AreTheContextThenThePathInDepthOrder) {
  std::mt19937 random(5);
  for (int round = 0; round < 50; ++round) {
    const DraftTree tree = grow_tree(random_marginals(random, 6, 4, Spread::kRandom), 0, 120);
    const int32_t context_len = static_cast<int32_t>(random() % 40);
    const int32_t n_nodes = static_cast<int32_t>(random() % tree.token.size());
    const AncestorRows rows = ancestor_rows(tree, n_nodes, context_len);
    ASSERT_EQ(rows.n_contiguous.size(), static_cast<size_t>(n_nodes) + 1);
    ASSERT_EQ(rows.extra_begin.size(), static_cast<size_t>(n_nodes) + 2);
    EXPECT_EQ(static_cast<size_t>(rows.extra_begin.back()), rows.extra.size());
    for (int32_t node = 0; node <= n_nodes; ++node) {
      std::vector<int32_t> expected;
      for (int32_t at = node; at >= 0; at = tree.parent[static_cast<size_t>(at)])
        expected.push_back(context_len + at);
      for (int32_t key = context_len - 1; key >= 0; --key) expected.push_back(key);
      std::reverse(expected.begin(), expected.end());
      ASSERT_EQ(keys_of(rows, static_cast<size_t>(node)), expected) << "round " << round << ", node " << node;
    }
  }
}

TEST(Ancestors, OfAChainAreContiguous) {
  std::mt19937 random(6);
  const DraftTree chain = grow_chain(realistic_marginals(random, 15, 2), 0, 15);
  const AncestorRows rows = ancestor_rows(chain, 15, 100);
  EXPECT_TRUE(rows.extra.empty());
  for (int32_t row = 0; row <= 15; ++row) EXPECT_EQ(rows.n_contiguous[static_cast<size_t>(row)], 101 + row);
}

TEST(Ancestors, ContiguousRunsAreAsLongAsThePathRunsOn) {
  DraftTree tree;  // 0 - 1 - 2, a second child 3 of node 1, and a child 4 of node 3
  tree.token = {0, 1, 2, 3, 4};
  tree.parent = {-1, 0, 1, 1, 3};
  tree.depth = {0, 1, 2, 2, 3};
  tree.rank = {0, 0, 0, 1, 0};
  tree.path_log_q = {0, 0, 0, 0, 0};
  const AncestorRows rows = ancestor_rows(tree, 4, 10);
  EXPECT_EQ(rows.n_contiguous, (std::vector<int32_t>{11, 12, 13, 12, 12}));
  EXPECT_EQ(rows.extra_begin, (std::vector<int32_t>{0, 0, 0, 0, 1, 3}));
  EXPECT_EQ(rows.extra, (std::vector<int32_t>{13, 13, 14}));
}

}  // namespace
}  // namespace draftscope
