#include "engine/speculate/accept.h"

#include <gtest/gtest.h>

#include "engine/speculate/grow.h"
#include "tests/speculate/random_inputs.h"

namespace draftscope {
namespace {

// 0 ─ 1(a) ─ 2(b) ─ 4(d)
//  └─ 3(c) ─ 5(b)
DraftTree small_tree() {
  DraftTree tree;
  tree.token = {99, 'a', 'b', 'c', 'd', 'b'};
  tree.parent = {-1, 0, 1, 0, 2, 3};
  tree.depth = {0, 1, 2, 1, 3, 2};
  tree.rank = {0, 0, 0, 1, 0, 0};
  tree.path_log_q = {0, -1, -2, -3, -4, -5};
  return tree;
}

struct Walk {
  const char* what;
  std::vector<int32_t> choice;
  std::vector<int32_t> path;
  int32_t bonus;
};

TEST(Accept, FollowsTheTargetFromTheRoot) {
  const std::vector<Walk> walks{
      {"nothing matches", {'z', 'b', 'd', 'b', 'x', 'x'}, {0}, 'z'},
      {"first branch to the end", {'a', 'b', 'd', 'x', 'y', 'x'}, {0, 1, 2, 4}, 'y'},
      {"second branch", {'c', 'b', 'd', 'b', 'x', 'w'}, {0, 3, 5}, 'w'},
      {"stops in the middle", {'a', 'q', 'd', 'b', 'x', 'x'}, {0, 1}, 'q'},
      {"a token of another branch does not count", {'a', 'd', 'd', 'b', 'x', 'x'}, {0, 1}, 'd'},
      {"only the root was verified", {'a'}, {0}, 'a'},
      {"the node that matches was not verified", {'a', 'b', 'd', 'x'}, {0, 1, 2}, 'd'},
  };
  for (const Walk& walk : walks) {
    SCOPED_TRACE(walk.what);
    const Accepted accepted = accept(small_tree(), walk.choice);
    EXPECT_EQ(accepted.path, walk.path);
    EXPECT_EQ(accepted.bonus, walk.bonus);
  }
}

TEST(Accept, AgreesWithASearchForChildrenOnRandomTrees) {
  std::mt19937 random(4);
  size_t n_accepted = 0;
  for (int round = 0; round < 200; ++round) {
    const Marginals q = random_marginals(random, 6, 3, Spread::kRandom);
    const DraftTree tree = grow_tree(q, -1, 60);
    std::vector<int32_t> choice(1 + random() % tree.token.size());
    for (size_t i = 0; i < choice.size(); ++i) {
      choice[i] = 100 * tree.depth[i] + static_cast<int32_t>(random() % 4);  // rank 3 is no child's token
    }
    std::vector<int32_t> path{0};
    for (bool moved = true; moved;) {
      moved = false;
      for (size_t child = 1; child < choice.size() && !moved; ++child) {
        const int32_t tip = path.back();
        if (tree.parent[child] == tip && tree.token[child] == choice[static_cast<size_t>(tip)]) {
          path.push_back(static_cast<int32_t>(child));
          moved = true;
        }
      }
    }
    const Accepted accepted = accept(tree, choice);
    ASSERT_EQ(accepted.path, path) << "round " << round;
    EXPECT_EQ(accepted.bonus, choice[static_cast<size_t>(path.back())]);
    n_accepted += path.size() - 1;
  }
  EXPECT_GT(n_accepted, 200u);
}

}  // namespace
}  // namespace draftscope
