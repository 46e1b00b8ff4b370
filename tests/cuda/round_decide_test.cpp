// The device verifies as many nodes as choose_tree does, under any cost and between contexts.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/speculate/grow.h"
#include "tests/cuda/round_case.h"

namespace draftscope::cuda {
namespace {

constexpr Method kMethods[] = {Method::kDflash, Method::kDdtree, Method::kCaddtree, Method::kExact, Method::kExactFill};

void expect_same_decision(const DeviceRound& round, const Choice& host) {
  if (round.state.n_chosen != host.decision.chosen && is_near_tie(host.decision, round.state.n_chosen)) return;
  EXPECT_EQ(round.state.n_chosen, host.decision.chosen);
  EXPECT_EQ(round.state.n_grown, host.tree.size() - 1);
  EXPECT_EQ(static_cast<int>(round.texts[0].stop), static_cast<int>(host.decision.stop));
  expect_same_tree(round.tree(), host.tree);
}

TEST(RoundDecide, AsTheHostUnderAnyCost) {
  std::mt19937 random(11);
  int n_proved = 0;
  for (int i = 0; i < 300; ++i) {
    const int32_t max_nodes = 1 + static_cast<int32_t>(random() % 120);
    const Marginals q = i % 2 == 0 ? realistic_marginals(random, 8, 16)
                                   : random_marginals(random, 5, 4, static_cast<Spread>(i / 2 % 3));
    const RoundCost cost = random_cost(random, max_nodes, kCostShapes[static_cast<size_t>(i) % std::size(kCostShapes)]);
    const BudgetRule rule{.method = kMethods[random() % std::size(kMethods)],
                          .budget = static_cast<int32_t>(random() % 150),
                          .max_nodes = max_nodes,
                          .bucket_rows = 1 + static_cast<int32_t>(random() % 40)};
    DeviceRound round(q, max_nodes);
    round.set_rule(rule);
    round.set_cost(cost);
    round.run_grow();
    SCOPED_TRACE(fmt::format("case {}, {}", i, name(rule.method)));
    expect_same_decision(round, choose_tree(q, 0, cost, rule));
    n_proved += round.texts[0].stop == RoundStop::kBoundProved;
  }
  EXPECT_GT(n_proved, 20) << "the early stop should be worth having";
}

TEST(RoundDecide, ExactIsTheArgmaxOverTheFullScan) {
  std::mt19937 random(12);
  for (int i = 0; i < 120; ++i) {
    const int32_t max_nodes = 40 + static_cast<int32_t>(random() % 200);
    const Marginals q = realistic_marginals(random, 10, 16);
    const RoundCost cost = random_cost(random, max_nodes, kCostShapes[static_cast<size_t>(i) % std::size(kCostShapes)]);
    DeviceRound round(q, max_nodes);
    round.set_rule({.method = Method::kExact, .max_nodes = max_nodes});
    round.set_cost(cost);
    round.run_grow();
    EXPECT_EQ(round.state.n_chosen, exact_best(expected_tokens_of(grow_tree(q, 0, max_nodes)), cost)) << i;
  }
}

CostModel model_with_contexts() {
  CostModel model;
  model.context = {10, 200, 900};
  model.rows = {1, 8, 9, 16, 32, 33, 64};
  for (size_t c = 0; c < model.context.size(); ++c) {
    for (const int32_t rows : model.rows) {
      model.verify_s.push_back(0.01 * static_cast<double>(c + 1) + 0.0007 * ((rows + 7) / 8) + 0.00003 * rows);
    }
    model.draft_s.push_back(0.003 + 0.0011 * static_cast<double>(c));
  }
  model.overhead_s = 0.0004;
  return model;
}

TEST(RoundDecide, CostsBetweenContextsAreTheTables) {
  constexpr int32_t kNodes = 80;
  const CostTable table(model_with_contexts());
  CostGrid grid;
  for (const int32_t context : table.model().context) {
    const RoundCost cost = table.at(context, kNodes);
    grid.context.push_back(context);
    grid.draft_s.push_back(cost.draft_s);
    grid.verify_s.insert(grid.verify_s.end(), cost.verify_s.begin(), cost.verify_s.end());
    grid.faithful_s.insert(grid.faithful_s.end(), cost.faithful_s.begin(), cost.faithful_s.end());
  }
  std::mt19937 random(13);
  for (const int32_t context : {0, 10, 11, 57, 199, 200, 201, 640, 899, 900, 901, 5000}) {
    const RoundCost cost = table.at(context, kNodes);
    for (const Method method : {Method::kExact, Method::kExactFill, Method::kCaddtree}) {
      const Marginals q = realistic_marginals(random, 10, 16);
      const BudgetRule rule{.method = method, .max_nodes = kNodes, .bucket_rows = 8};
      DeviceRound round(q, kNodes);
      round.set_rule(rule);
      round.buffers.set_cost(grid, nullptr);
      round.params.n_contexts = 3;
      round.params.overhead_s = cost.overhead_s;
      round.texts[0].context_len = context;
      round.run_grow();
      SCOPED_TRACE(fmt::format("context {}, {}", context, name(method)));
      expect_same_decision(round, choose_tree(q, 0, cost, rule));
    }
  }
}

TEST(RoundDecide, FillsTheBucketsOfThePass) {
  std::mt19937 random(14);
  for (int i = 0; i < 30; ++i) {
    const Marginals q = realistic_marginals(random, 8, 16);
    const RoundCost cost = random_cost(random, 60, CostShape::kStairs);
    DeviceRound round(q, 60);
    round.set_rule({.method = Method::kExactFill, .max_nodes = 60});
    round.params.fill_rows = 0;
    round.set_buckets({1, 3, 9, 20, 40});
    round.set_cost(cost);
    round.run_grow();
    const int32_t best = choose_tree(q, 0, cost, {.method = Method::kExact, .max_nodes = 60}).decision.chosen;
    EXPECT_EQ(round.state.n_chosen + 1, round.state.bucket);
    EXPECT_EQ(round.state.bucket, round.bucket_of(best + 1));
  }
}

TEST(RoundDecide, PlainRoundsVerifyTheRootAlone) {
  const Marginals none;
  DeviceRound round(none, 20);
  round.texts[0].root_token = 5;
  round.set_rule({.method = Method::kPlain, .max_nodes = 20});
  round.run_grow();
  EXPECT_EQ(round.state.n_chosen, 0);
  EXPECT_EQ(round.state.bucket, 1);
  EXPECT_EQ(round.texts[0].stop, RoundStop::kFixedBudget);
  expect_same_tree(round.tree(), grow_tree(none, 5, 0));
}

}  // namespace
}  // namespace draftscope::cuda
