#include "ui/view/tree_layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/record/make_record.h"

namespace draftscope::test {
namespace {

constexpr float kRounding = 1e-3f;  // ems, far below a pixel

/// make_round with all `n_nodes` verified, where the path of the shorter tree still holds.
RoundRecord fully_verified_round(uint64_t seed, int n_nodes) {
  RoundRecord round = make_round(seed, n_nodes);
  round.decision.chosen = round.tree.size() - 1;
  return round;
}

bool overlap(const NodeBox& a, const NodeBox& b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

class LayoutShapes : public testing::TestWithParam<std::tuple<int, bool>> {};

TEST_P(LayoutShapes, EveryNodeHasItsOwnPlaceInsideTheBounds) {
  const auto [n_nodes, top_down] = GetParam();
  const TreeLayout layout = tree_layout(fully_verified_round(7, n_nodes), {.top_down = top_down});
  ASSERT_EQ(layout.boxes.size(), static_cast<size_t>(n_nodes) + 2) << "root, nodes, bonus";
  for (size_t i = 0; i < layout.boxes.size(); ++i) {
    const NodeBox& a = layout.boxes[i];
    EXPECT_GE(a.x, -kRounding);
    EXPECT_GE(a.y, -kRounding);
    EXPECT_LE(a.x + a.width, layout.width + kRounding);
    EXPECT_LE(a.y + a.height, layout.height + kRounding);
    for (size_t j = i + 1; j < layout.boxes.size(); ++j) {
      ASSERT_FALSE(overlap(a, layout.boxes[j])) << i << " and " << j;
    }
  }
}

TEST_P(LayoutShapes, ParentsComeBeforeTheirChildrenAlongTheDepth) {
  const auto [n_nodes, top_down] = GetParam();
  const TreeLayout layout = tree_layout(fully_verified_round(8, n_nodes), {.top_down = top_down});
  for (const NodeBox& box : layout.boxes) {
    if (box.parent_box < 0) continue;
    const NodeBox& parent = layout.boxes[box.parent_box];
    EXPECT_EQ(box.depth, parent.depth + 1);
    if (top_down) {
      EXPECT_GT(box.y, parent.y + parent.height);
    } else {
      EXPECT_GT(box.x, parent.x + parent.width);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(TreeLayout, LayoutShapes,
                         testing::Combine(testing::Values(1, 2, 17, 200, 1024), testing::Bool()));

TEST(TreeLayout, RolesFollowTheVerdict) {
  const RoundRecord round = make_round(3, 64);
  ASSERT_GT(round.accepted.path.size(), 1u);
  const TreeLayout layout = tree_layout(round);
  const std::set<int32_t> path(round.accepted.path.begin(), round.accepted.path.end());
  for (const NodeBox& box : layout.boxes) {
    NodeRole expected = NodeRole::kBonus;
    if (box.node == 0) {
      expected = NodeRole::kRoot;
    } else if (box.node > 0) {
      expected = path.contains(box.node)             ? NodeRole::kAccepted
                 : box.node <= round.decision.chosen ? NodeRole::kRejected
                                                     : NodeRole::kCandidate;
    }
    EXPECT_EQ(box.role, expected) << "node " << box.node;
  }
  EXPECT_EQ(layout.boxes.back().role, NodeRole::kBonus);
  EXPECT_EQ(layout.boxes.back().parent_box, round.accepted.path.back());
}

TEST(TreeLayout, QIsThePartOfTheParentAndMultipliesToThePath) {
  const TreeLayout layout = tree_layout(make_round(4, 64));
  for (const NodeBox& box : layout.boxes) {
    if (box.node <= 0) continue;
    EXPECT_GT(box.q, 0);
    EXPECT_LE(box.q, 1 + 1e-9);
    EXPECT_NEAR(box.path_q, box.q * layout.boxes[box.parent_box].path_q, 1e-12);
  }
}

TEST(TreeLayout, CandidatesBeyondTheLimitAreCountedNotDrawn) {
  const RoundRecord round = make_round(5, 200);
  const int32_t n_candidates = round.tree.size() - 1 - round.decision.chosen;
  ASSERT_GT(n_candidates, 5);
  const TreeLayout layout = tree_layout(round, {.max_candidates = 5});
  EXPECT_EQ(layout.n_hidden, n_candidates - 5);
  EXPECT_EQ(layout.boxes.size(), static_cast<size_t>(round.decision.chosen) + 1 + 5 + 1);
  EXPECT_EQ(tree_layout(round, {.max_candidates = 0}).n_hidden, n_candidates);
}

TEST(TreeLayout, BoxesAreWideEnoughForTheMeasuredText) {
  const auto wide = [](std::string_view text) { return 1.5f * static_cast<float>(text.size()); };
  for (const NodeBox& box : tree_layout(make_round(6, 32), {.text_width_em = wide}).boxes) {
    EXPECT_GT(box.width, wide(box.label));
  }
}

TEST(TreeLayout, ArrowsWalkTheTree) {
  const RoundRecord round = make_round(3, 64);
  const TreeLayout layout = tree_layout(round);
  EXPECT_EQ(step_from(layout, 0, Step::kParent), std::nullopt);
  const std::optional<int32_t> child = step_from(layout, 0, Step::kChild);
  ASSERT_TRUE(child);
  EXPECT_TRUE(layout.boxes[*child].on_path()) << "the path before other children";
  EXPECT_EQ(step_from(layout, *child, Step::kParent), 0);
  for (int32_t box = 0; box < static_cast<int32_t>(layout.boxes.size()); ++box) {
    const std::optional<int32_t> next = step_from(layout, box, Step::kNext);
    if (!next) continue;
    EXPECT_GT(layout.boxes[*next].y, layout.boxes[box].y);
    EXPECT_EQ(layout.boxes[*next].depth, layout.boxes[box].depth);
    EXPECT_EQ(step_from(layout, *next, Step::kPrevious), box);
  }
  EXPECT_EQ(step_from(layout, -1, Step::kChild), std::nullopt);
  EXPECT_EQ(step_from(layout, 10000, Step::kChild), std::nullopt);
}

TEST(TreeLayout, BoxesAreFoundByNode) {
  const TreeLayout layout = tree_layout(make_round(3, 64), {.max_candidates = 0});
  EXPECT_EQ(box_of(layout, 1), 1);
  EXPECT_EQ(box_of(layout, kBonusNode), static_cast<int32_t>(layout.boxes.size()) - 1);
  EXPECT_EQ(box_of(layout, 64), -1) << "a hidden candidate";
  EXPECT_EQ(box_of(TreeLayout{}, 0), -1);
}

/// One round with `n` children of the root, all rejected, and the target's own token.
RoundRecord wide_round(int32_t n) {
  RoundRecord round = make_round(1, 1);
  round.tree = {{7}, {-1}, {0}, {0}, {0.0}};
  for (int32_t i = 0; i < n; ++i) {
    round.tree.token.push_back(i);
    round.tree.parent.push_back(0);
    round.tree.depth.push_back(1);
    round.tree.rank.push_back(i);
    round.tree.path_log_q.push_back(-1.0 - i);
  }
  round.decision.chosen = n;
  round.accepted = {.path = {0}, .bonus = 3};
  return round;
}

TEST(TreeLayout, ThePathIsOneStraightLineWhateverHangsOffIt) {
  for (const bool top_down : {false, true}) {
    for (const RoundRecord& round : {make_round(3, 64), fully_verified_round(7, 200), wide_round(256)}) {
      const TreeLayout layout = tree_layout(round, {.top_down = top_down});
      const auto centre = [&](const NodeBox& box) {
        return top_down ? box.x + 0.5f * box.width : box.y + 0.5f * box.height;
      };
      for (const NodeBox& box : layout.boxes) {
        if (!box.on_path()) continue;
        EXPECT_NEAR(centre(box), centre(layout.boxes.front()), kRounding);
      }
    }
  }
}

TEST(TreeLayout, AWideRoundKeepsRootAndBonusInTheRoomAndCountsTheRest) {
  const TreeLayout layout = fitting_layout(wide_round(256), {}, 40, 20);
  EXPECT_LE(layout.width, 40);
  EXPECT_LE(layout.height, 20);
  EXPECT_EQ(layout.boxes.front().role, NodeRole::kRoot);
  EXPECT_EQ(layout.boxes.back().role, NodeRole::kBonus);
  EXPECT_EQ(layout.boxes.back().parent_box, 0);
  int32_t n_rejected = 0, n_folded = 0;
  for (const NodeBox& box : layout.boxes) {
    n_rejected += box.role == NodeRole::kRejected ? 1 : 0;
    n_folded += box.n_folded;
    if (box.role != NodeRole::kFolded || box.parent_box != 0) continue;
    EXPECT_EQ(box.label, "+" + std::to_string(box.n_folded) + " rejected");
  }
  EXPECT_GT(n_rejected, 2) << "the likeliest are shown";
  EXPECT_EQ(n_rejected + n_folded, 256);
  EXPECT_EQ(layout.n_folded, n_folded);
}

TEST(TreeLayout, FoldingKeepsThePathAndAccountsForEveryNode) {
  for (const uint64_t seed : {1u, 5u, 9u, 12u}) {
    const RoundRecord round = make_round(seed, 200);
    for (const int32_t most : {0, 3, 40}) {
      const TreeLayout layout = tree_layout(round, {.max_off_path = most});
      int32_t n_nodes = layout.n_folded + layout.n_hidden, n_path = 0, n_beside = 0;
      for (size_t i = 0; i < layout.boxes.size(); ++i) {
        const NodeBox& box = layout.boxes[i];
        if (box.node >= 0) ++n_nodes;
        if (box.on_path()) ++n_path;
        n_beside += box.role == NodeRole::kRejected || box.role == NodeRole::kCandidate ? 1 : 0;
        if (i == 0) continue;
        ASSERT_LT(box.parent_box, static_cast<int32_t>(i));
        EXPECT_EQ(box.depth, layout.boxes[box.parent_box].depth + 1);
        if (box.node <= 0) continue;
        EXPECT_EQ(layout.boxes[box.parent_box].node, round.tree.parent[box.node]);
      }
      EXPECT_EQ(n_nodes, round.tree.size());
      EXPECT_EQ(n_path, static_cast<int32_t>(round.accepted.path.size()) + 1);
      EXPECT_LE(n_beside, most);
    }
  }
}

TEST(TreeLayout, WithRoomForEverythingNothingIsFolded) {
  const TreeLayout layout = fitting_layout(make_round(3, 64), {}, 1e6f, 1e6f);
  EXPECT_EQ(layout.n_folded, 0);
  EXPECT_EQ(layout.boxes.size(), tree_layout(make_round(3, 64)).boxes.size());
  EXPECT_GT(fitting_layout(make_round(3, 64), {}, 1, 1).n_folded, 0) << "the path alone, where nothing fits";
}

/// One round whose path has `n` nodes, each with a rejected sibling.
RoundRecord long_round(int32_t n) {
  RoundRecord round = make_round(1, 1);
  round.tree = {{7}, {-1}, {0}, {0}, {0.0}};
  round.accepted = {.path = {0}, .bonus = 3};
  for (int32_t i = 0; i < n; ++i) {
    const int32_t parent = round.accepted.path.back();
    round.accepted.path.push_back(round.tree.size());
    for (const int32_t rank : {0, 1}) {
      round.tree.token.push_back(i);
      round.tree.parent.push_back(parent);
      round.tree.depth.push_back(i + 1);
      round.tree.rank.push_back(rank);
      round.tree.path_log_q.push_back(-1.0 - i - rank);
    }
  }
  round.decision.chosen = 2 * n;
  return round;
}

TEST(TreeLayout, APathTooLongForTheRoomGoesOnInFurtherLines) {
  const RoundRecord round = long_round(15);
  for (const bool top_down : {false, true}) {
    const float along = 33, across = top_down ? 40.0f : 17.0f;
    const float width = top_down ? across : along, height = top_down ? along : across;
    const TreeLayout layout = fitting_layout(round, {.top_down = top_down}, width, height);
    EXPECT_LE(layout.width, width);
    EXPECT_LE(layout.height, height);
    EXPECT_EQ(std::ranges::count_if(layout.boxes, &NodeBox::on_path), 17) << "root, path and bonus";
    EXPECT_EQ(layout.boxes[0].line, 0);
    EXPECT_GT(layout.boxes.back().line, 0);
    for (size_t i = 0; i < layout.boxes.size(); ++i) {
      const NodeBox& box = layout.boxes[i];
      for (size_t j = i + 1; j < layout.boxes.size(); ++j) ASSERT_FALSE(overlap(box, layout.boxes[j])) << i << " and " << j;
      if (box.parent_box < 0) continue;
      const NodeBox& parent = layout.boxes[static_cast<size_t>(box.parent_box)];
      const bool after = top_down ? box.y > parent.y : box.x > parent.x, below = top_down ? box.x > parent.x : box.y > parent.y;
      EXPECT_TRUE(box.line == parent.line ? after : box.line == parent.line + 1 && below && !after) << i;
    }
  }
  EXPECT_EQ(fitting_layout(round, {}, 1e6f, 17).boxes.back().line, 0) << "one line where there is room for it";
  EXPECT_EQ(fitting_layout(round, {}, 33, 2).boxes.back().line, 0) << "and where there is none for two";
  const TreeLayout small = fitting_layout(round, {}, 25, 12);
  EXPECT_GT(small.boxes.back().line, 0);
  EXPECT_LE(small.width, kSmallPrint * 25);
  EXPECT_LE(small.height, kSmallPrint * 12);
}

TEST(TreeLayout, ArrowsPassFoldedMarksBy) {
  const TreeLayout layout = fitting_layout(wide_round(256), {}, 40, 20);
  std::optional<int32_t> box = step_from(layout, 0, Step::kChild);
  ASSERT_TRUE(box);
  EXPECT_EQ(layout.boxes[*box].role, NodeRole::kBonus);
  while (box) {
    EXPECT_NE(layout.boxes[*box].role, NodeRole::kFolded);
    box = step_from(layout, *box, Step::kNext);
  }
}

TEST(TreeLayout, PathExtentHoldsThePathOnly) {
  const TreeLayout layout = tree_layout(make_round(3, 64));
  const PathExtent extent = path_extent(layout);
  for (const NodeBox& box : layout.boxes) {
    if (!box.on_path()) continue;
    EXPECT_GE(box.x, extent.x);
    EXPECT_GE(box.y, extent.y);
    EXPECT_LE(box.x + box.width, extent.x + extent.width + 1e-4f);
    EXPECT_LE(box.y + box.height, extent.y + extent.height + 1e-4f);
  }
  EXPECT_LT(extent.height, layout.height);
}

TEST(TreeLayout, PlainRoundsAndEmptyRecordsSayWhyThereIsNoTree) {
  EXPECT_FALSE(tree_layout(make_round(1, 0)).empty_reason.empty());
  EXPECT_FALSE(tree_layout(RoundRecord{}).empty_reason.empty());
  EXPECT_TRUE(tree_layout(make_round(1, 1)).empty_reason.empty());
}

TEST(TreeLayout, AThousandNodesAllFindTheirPlace) {
  // Root, 1,024 nodes and the bonus.
  EXPECT_EQ(tree_layout(fully_verified_round(9, 1024)).boxes.size(), 1026u);
}

}  // namespace
}  // namespace draftscope::test
