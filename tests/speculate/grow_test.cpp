#include "engine/speculate/grow.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "tests/speculate/random_inputs.h"

namespace draftscope {
namespace {

struct Path {
  double log_q;
  std::vector<int32_t> ranks;
};

// Every finite path of the table, in the order that best-first growth must have.
std::vector<Path> all_paths(const Marginals& q) {
  std::vector<Path> paths;
  const std::function<void(const Path&)> extend = [&](const Path& path) {
    const int32_t depth = static_cast<int32_t>(path.ranks.size());
    if (depth == q.n_depths) return;
    for (int32_t rank = 0; rank < q.n_ranks && std::isfinite(q.log_q_at(depth, rank)); ++rank) {
      Path next{path.log_q + q.log_q_at(depth, rank), path.ranks};
      next.ranks.push_back(rank);
      paths.push_back(next);
      extend(next);
    }
  };
  extend({0.0, {}});
  std::sort(paths.begin(), paths.end(), [](const Path& a, const Path& b) {
    return a.log_q != b.log_q ? a.log_q > b.log_q : a.ranks < b.ranks;
  });
  return paths;
}

std::vector<int32_t> ranks_of(const DraftTree& tree, int32_t node) {
  std::vector<int32_t> ranks;
  for (; node > 0; node = tree.parent[static_cast<size_t>(node)])
    ranks.push_back(tree.rank[static_cast<size_t>(node)]);
  std::reverse(ranks.begin(), ranks.end());
  return ranks;
}

void expect_invariants(const DraftTree& tree, const Marginals& q) {
  ASSERT_GE(tree.size(), 1);
  EXPECT_EQ(tree.parent[0], -1);
  EXPECT_EQ(tree.depth[0], 0);
  EXPECT_EQ(tree.rank[0], 0);
  EXPECT_EQ(tree.path_log_q[0], 0.0);
  std::set<std::pair<int32_t, int32_t>> children;
  for (size_t i = 1; i < tree.token.size(); ++i) {
    const size_t parent = static_cast<size_t>(tree.parent[i]);
    ASSERT_LT(parent, i);
    EXPECT_EQ(tree.depth[i], tree.depth[parent] + 1);
    EXPECT_EQ(tree.token[i], q.token_at(tree.depth[i] - 1, tree.rank[i]));
    EXPECT_EQ(tree.path_log_q[i], tree.path_log_q[parent] + q.log_q_at(tree.depth[i] - 1, tree.rank[i]));
    EXPECT_TRUE(children.insert({tree.parent[i], tree.rank[i]}).second) << "node " << i << " twice";
    if (i > 1) {
      EXPECT_LE(tree.path_log_q[i], tree.path_log_q[i - 1]);
    }
  }
}

TEST(Grow, EveryPrefixIsTheBruteForceTopByPathProbability) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    const int32_t n_depths = 1 + static_cast<int32_t>(random() % 4),
                  n_ranks = 1 + static_cast<int32_t>(random() % 4);
    const Spread spread = static_cast<Spread>(round % 3);
    const Marginals q = random_marginals(random, n_depths, n_ranks, spread);
    const std::vector<Path> expected = all_paths(q);
    const DraftTree tree = grow_tree(q, 9, 10'000);
    SCOPED_TRACE(fmt::format("round {}: {} depths of {} ranks", round, n_depths, n_ranks));
    ASSERT_EQ(static_cast<size_t>(tree.size() - 1), expected.size());
    expect_invariants(tree, q);
    for (int32_t i = 1; i < tree.size(); ++i) {
      ASSERT_EQ(ranks_of(tree, i), expected[static_cast<size_t>(i) - 1].ranks) << "pop " << i;
    }
  }
}

TEST(Grow, SmallerTreesAreLeadingPartsOfLargerOnes) {
  std::mt19937 random(2);
  const Marginals q = realistic_marginals(random, 15, 64);
  const DraftTree large = grow_tree(q, 3, 500);
  expect_invariants(large, q);
  for (const int32_t n : {0, 1, 2, 17, 499}) {
    const DraftTree small = grow_tree(q, 3, n);
    ASSERT_EQ(small.size(), n + 1);
    EXPECT_TRUE(std::equal(small.token.begin(), small.token.end(), large.token.begin()));
    EXPECT_TRUE(std::equal(small.parent.begin(), small.parent.end(), large.parent.begin()));
  }
}

TEST(Grow, TiesPopTheSmallerRankPathAndPrefixesFirst) {
  // Two depths of two equally likely tokens, certain after the first: paths 0, 1, then with log q 0 below.
  const Marginals q{2, 2, {10, 11, 20, 21}, {-1.0f, -1.0f, 0.0f, 0.0f}};
  const DraftTree tree = grow_tree(q, 5, 6);
  std::vector<std::vector<int32_t>> order;
  for (int32_t i = 1; i < tree.size(); ++i) order.push_back(ranks_of(tree, i));
  const std::vector<std::vector<int32_t>> expected{{0}, {0, 0}, {0, 1}, {1}, {1, 0}, {1, 1}};
  EXPECT_EQ(order, expected);
}

TEST(Grow, EndsWhereTheDrafterGivesNoProbability) {
  constexpr float kNone = -std::numeric_limits<float>::infinity();
  const Marginals q{2, 3, {1, 2, 3, 4, 5, 6}, {-0.5f, -1.0f, kNone, kNone, kNone, kNone}};
  TreeGrower grower(q, 0);
  grower.pop();
  ASSERT_TRUE(grower.next_log_q());
  EXPECT_EQ(*grower.next_log_q(), -1.0);
  grower.pop();
  EXPECT_FALSE(grower.next_log_q());
  EXPECT_EQ(grower.tree().size(), 3);
  EXPECT_EQ(grow_chain(q, 0, 15).size(), 2);
}

TEST(Grow, NoDraftLeavesTheRootAlone) {
  for (const Marginals& q : {Marginals{}, Marginals{3, 0, {}, {}}, Marginals{0, 4, {}, {}}}) {
    EXPECT_EQ(grow_tree(q, 8, 20).token, std::vector<int32_t>{8});
    EXPECT_EQ(grow_chain(q, 8, 20).token, std::vector<int32_t>{8});
  }
}

TEST(Grow, ChainFollowsRankZero) {
  std::mt19937 random(3);
  const Marginals q = realistic_marginals(random, 7, 4);
  const DraftTree chain = grow_chain(q, 1, 15);
  expect_invariants(chain, q);
  ASSERT_EQ(chain.size(), 8);
  for (int32_t i = 1; i < chain.size(); ++i) {
    EXPECT_EQ(chain.parent[static_cast<size_t>(i)], i - 1);
    EXPECT_EQ(chain.rank[static_cast<size_t>(i)], 0);
  }
  EXPECT_EQ(grow_chain(q, 1, 3).size(), 4);
}

}  // namespace
}  // namespace draftscope
