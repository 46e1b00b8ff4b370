#include "ui/view/marginals_grid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/record/make_record.h"

namespace draftscope::test {
namespace {

TEST(MarginalsGrid, CellsCarryTokenAndProbability) {
  const RoundRecord round = make_round(2, 40);
  const MarginalsGrid grid = marginals_grid(round);
  ASSERT_EQ(grid.n_depths, round.q.n_depths);
  ASSERT_EQ(grid.n_ranks, round.q.n_ranks);
  for (int32_t row = 0; row < grid.n_depths; ++row) {
    double sum = grid.rest_q[row];
    for (int32_t rank = 0; rank < grid.n_ranks; ++rank) {
      EXPECT_EQ(grid.at(row, rank).token, round.q.token_at(row, rank));
      EXPECT_FLOAT_EQ(static_cast<float>(grid.at(row, rank).q), std::exp(round.q.log_q_at(row, rank)));
      sum += grid.at(row, rank).q;
    }
    EXPECT_NEAR(sum, 1.0, 1e-5);
  }
}

TEST(MarginalsGrid, CountsEveryNodeOnce) {
  const RoundRecord round = make_round(2, 40);
  const MarginalsGrid grid = marginals_grid(round);
  int32_t n_nodes = 0, n_verified = 0;
  for (const MarginalCell& cell : grid.cells) {
    n_nodes += cell.n_nodes;
    n_verified += cell.n_verified;
    EXPECT_EQ(cell.state == CellState::kUnused, cell.n_nodes == 0);
    EXPECT_EQ(cell.node < 0, cell.n_nodes == 0);
  }
  EXPECT_EQ(n_nodes, round.tree.size() - 1);
  EXPECT_EQ(n_verified, round.decision.chosen);
}

TEST(MarginalsGrid, AcceptedCellsPointAtThePath) {
  const RoundRecord round = make_round(3, 64);
  ASSERT_GT(round.accepted.path.size(), 1u);
  const MarginalsGrid grid = marginals_grid(round);
  for (size_t i = 1; i < round.accepted.path.size(); ++i) {
    const int32_t node = round.accepted.path[i];
    const MarginalCell& cell = grid.at(round.tree.depth[node] - 1, round.tree.rank[node]);
    EXPECT_EQ(cell.state, CellState::kAccepted);
    EXPECT_EQ(cell.node, node);
  }
  const auto n_accepted = std::count_if(grid.cells.begin(), grid.cells.end(), [](const MarginalCell& cell) {
    return cell.state == CellState::kAccepted;
  });
  EXPECT_EQ(n_accepted, static_cast<int64_t>(round.accepted.path.size()) - 1);
}

TEST(MarginalsGrid, NodesOutsideTheStoredRanksAreIgnored) {
  RoundRecord round = make_round(2, 40);
  round.tree.rank[1] = 1000;
  round.tree.depth[2] = 99;
  const MarginalsGrid grid = marginals_grid(round);
  int32_t n_nodes = 0;
  for (const MarginalCell& cell : grid.cells) n_nodes += cell.n_nodes;
  EXPECT_EQ(n_nodes, round.tree.size() - 3);
}

TEST(MarginalsGrid, RoundsWithoutMarginalsSayWhy) {
  EXPECT_NE(marginals_grid(make_round(1, 0)).empty_reason.find("Plain decoding"), std::string::npos);
  RoundRecord bare = make_round(1, 8);
  bare.q = {};
  EXPECT_NE(marginals_grid(bare).empty_reason.find("no marginals"), std::string::npos);
}

}  // namespace
}  // namespace draftscope::test
