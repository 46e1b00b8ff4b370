// Dense texts and what is prepared from them, on texts made by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/lab/simulate.h"
#include "engine/speculate/grow.h"
#include "tests/speculate/random_inputs.h"

namespace draftscope {
namespace {

/// A text over tokens of `random_marginals`' numbering whose every continuation is one of the kept ranks.
DenseText random_text(std::mt19937& random, int32_t n_tokens, int32_t max_nodes) {
  DenseText text{0, max_nodes, {}};
  int32_t root = 0;
  for (int32_t i = 0; i < n_tokens; ++i) {
    DensePosition here{10 + i, root, static_cast<int32_t>(random() % 3), realistic_marginals(random, 6, 8)};
    for (int32_t& token : here.q.token) token %= 100;  // the rank, at every depth
    root = here.next_token;
    text.at.push_back(std::move(here));
  }
  return text;
}

CostModel line(double floor_s, double slope_s) {
  CostModel cost;
  cost.label = "line";
  cost.context = {0};
  cost.rows = {1, 101};
  cost.verify_s = {floor_s, floor_s + 100 * slope_s};
  cost.draft_s = {floor_s / 4};
  return cost;
}

RoundRecord dense_round(int64_t seq, int32_t root, int32_t next) {
  RoundRecord round;
  round.seq = seq;
  round.context_len = 5 + static_cast<int32_t>(seq);
  round.tree.token = {root};
  round.verdict.choice = {next};
  return round;
}

TEST(DenseText, JoinsTheRoundsOfADenseRecording) {
  SessionInfo info;
  info.dense = true;
  info.max_nodes = 64;
  const Result<DenseText> text = dense_text(info, std::vector{dense_round(0, 1, 2), dense_round(1, 2, 3)});
  ASSERT_TRUE(text) << text.error();
  EXPECT_EQ(text->max_nodes, 64);
  EXPECT_EQ(text->n_tokens(), 2);
  EXPECT_EQ(text->at[1].root_token, 2);
  EXPECT_EQ(text->at[1].next_token, 3);
  EXPECT_EQ(text->at[1].context_len, 6);
}

TEST(DenseText, SaysWhatIsWrongWithOtherRecordings) {
  SessionInfo info;
  const auto error_of = [&](std::vector<RoundRecord> rounds) {
    const Result<DenseText> text = dense_text(info, rounds);
    return text ? std::string() : text.error();
  };
  EXPECT_NE(error_of({dense_round(0, 1, 2)}).find("expected a dense recording"), std::string::npos);
  info.dense = true;
  for (const int32_t impossible : {-1, 0, 4097, std::numeric_limits<int32_t>::max()}) {
    info.max_nodes = impossible;
    EXPECT_NE(error_of({dense_round(0, 1, 2)}).find("max_nodes: expected 1 to 4096, found"), std::string::npos);
  }
  info.max_nodes = 64;
  EXPECT_NE(error_of({}).find("at least one round"), std::string::npos);
  EXPECT_NE(error_of({dense_round(0, 1, 2), dense_round(2, 2, 3)}).find("expected round 1, found 2"), std::string::npos);
  EXPECT_NE(error_of({dense_round(0, 1, 2), dense_round(1, 7, 3)}).find("expected root 2"), std::string::npos);
  RoundRecord tree = dense_round(0, 1, 2);
  tree.verdict.choice = {2, 3};
  EXPECT_NE(error_of({tree}).find("2 rows"), std::string::npos);
}

TEST(Prepared, AcceptedIsWhatAWalkDownEveryPrefixFinds) {
  std::mt19937 random(5);
  const DenseText text = random_text(random, 60, 80);
  for (const TreeOrder order : {TreeOrder::kBestFirst, TreeOrder::kChain, TreeOrder::kSpine, TreeOrder::kEightRanks}) {
    const PreparedText prepared = prepare(text, order);
    int64_t n_accepted = 0;
    for (size_t position = 0; position < text.at.size(); ++position) {
      const DensePosition& here = text.at[position];
      const DraftTree tree = order == TreeOrder::kChain   ? grow_chain(here.q, here.root_token, 80)
                             : order == TreeOrder::kSpine ? grow_spine(here.q, here.root_token, 80)
                                                          : grow_tree(here.q, here.root_token, 80);
      ASSERT_EQ(prepared.at[position].n_candidates(), tree.size() - 1);
      for (int32_t n = 0; n < tree.size(); n += 1 + n / 4) {
        int32_t at = 0, accepted = 0;
        for (bool moved = true; moved && position + static_cast<size_t>(accepted) < text.at.size();) {
          moved = false;
          for (int32_t child = at + 1; child <= n && !moved; ++child) {
            const auto i = static_cast<size_t>(child);
            moved = tree.parent[i] == at && tree.token[i] == text.at[position + static_cast<size_t>(accepted)].next_token;
            if (moved) at = child;
          }
          accepted += moved;
        }
        ASSERT_EQ(prepared.at[position].accepted_with(n), accepted) << "position " << position << ", n " << n;
        n_accepted += accepted;
      }
    }
    EXPECT_GT(n_accepted, 50);
  }
}

TEST(Simulate, RoundsCoverTheTextOnceForEveryPolicy) {
  std::mt19937 random(6);
  const DenseText text = random_text(random, 90, 64);
  const CostTable cost(line(1e-3, 2e-5));
  for (int method = 0; method <= static_cast<int>(Method::kOracle); ++method) {
    const BudgetRule rule{.method = static_cast<Method>(method), .budget = 16, .max_nodes = 64};
    const SimulatedRun run = simulate(prepare(text, order_of(rule.method)), cost, rule);
    SCOPED_TRACE(name(rule.method));
    int32_t position = 0;
    double seconds = 0;
    for (const SimulatedRound& round : run.rounds) {
      EXPECT_EQ(round.position, position);
      position += round.accepted + 1;
      seconds += round.predicted_s;
    }
    EXPECT_EQ(position, text.n_tokens());
    EXPECT_EQ(run.n_tokens, text.n_tokens());
    EXPECT_DOUBLE_EQ(run.seconds, seconds);
    EXPECT_DOUBLE_EQ(run.tokens_per_s(), 90 / seconds);
  }
}

/// Least seconds from `position` to the end, trying every budget of every round.
double least_seconds(const PreparedText& text, const CostTable& cost, size_t position) {
  if (position >= text.at.size()) return 0;
  const PreparedPosition& here = text.at[position];
  const RoundCost now = cost.at(here.context_len, text.max_nodes);
  double least = std::numeric_limits<double>::infinity();
  for (int32_t n = 0; n <= here.n_candidates(); ++n) {
    const size_t next = position + static_cast<size_t>(here.accepted_with(n)) + 1;
    least = std::min(least, now.total_s(n) + least_seconds(text, cost, next));
  }
  return least;
}

TEST(Simulate, HindsightIsTheFastestOfAllWaysThroughTheText) {
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    const PreparedText text = prepare(random_text(random, 5, 12), TreeOrder::kBestFirst);
    const CostTable cost(line(1e-3, 1e-5 * (1 + 5 * round)));
    const SimulatedRun run = simulate(text, cost, {.method = Method::kOracle, .max_nodes = 12});
    EXPECT_NEAR(run.seconds, least_seconds(text, cost, 0), 1e-12);
  }
}

TEST(Simulate, NoBestFirstPolicyBeatsHindsight) {
  std::mt19937 random(9);
  const PreparedText text = prepare(random_text(random, 120, 64), TreeOrder::kBestFirst);
  const CostTable cost(line(1e-3, 3e-5));
  const double bound = simulate(text, cost, {.method = Method::kOracle, .max_nodes = 64}).tokens_per_s();
  for (int32_t budget = 0; budget <= 64; ++budget) {
    EXPECT_LE(simulate(text, cost, {.method = Method::kDdtree, .budget = budget, .max_nodes = 64}).tokens_per_s(), bound);
  }
  for (const Method method : {Method::kCaddtree, Method::kExact, Method::kBastion, Method::kExactFill}) {
    EXPECT_LE(simulate(text, cost, {.method = method, .max_nodes = 64}).tokens_per_s(), bound) << name(method);
  }
}

TEST(Simulate, CastKeepsTheWidthOfItsFirstDraft) {
  std::mt19937 random(8);
  const DenseText text = random_text(random, 60, 140);
  const SimulatedRun run = simulate(prepare(text, TreeOrder::kEightRanks), CostTable(line(1e-3, 1e-9)),
                                    {.method = Method::kCast, .max_nodes = 140});
  for (const SimulatedRound& round : run.rounds) EXPECT_EQ(round.chosen, 127);
}

}  // namespace
}  // namespace draftscope
