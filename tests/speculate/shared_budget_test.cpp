#include "engine/speculate/shared_budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "engine/speculate/grow.h"
#include "tests/speculate/random_inputs.h"

namespace draftscope {
namespace {

struct Pass {
  std::vector<Marginals> q;
  std::vector<RequestDraft> requests;
  RoundCost cost;
  BudgetRule rule;
};

Pass random_pass(std::mt19937& random, int round, size_t n_requests) {
  Pass pass;
  for (size_t r = 0; r < n_requests; ++r) {
    pass.q.push_back((round + static_cast<int>(r)) % 2 == 0
                         ? realistic_marginals(random, 8, 16)
                         : random_marginals(random, 5, 4, static_cast<Spread>(round / 2 % 3)));
  }
  for (size_t r = 0; r < n_requests; ++r) pass.requests.push_back({&pass.q[r], static_cast<int32_t>(r)});
  pass.rule.max_nodes = 1 + static_cast<int32_t>(random() % 150);
  pass.cost = random_cost(random, pass.rule.max_nodes, kCostShapes[static_cast<size_t>(round) % std::size(kCostShapes)]);
  return pass;
}

struct Node {
  double log_q;
  size_t request;
};

/// Every node of every request, the most probable first: what the common order must be.
std::vector<Node> merged(const Pass& pass) {
  std::vector<Node> nodes;
  for (size_t r = 0; r < pass.requests.size(); ++r) {
    const DraftTree tree = grow_tree(pass.q[r], 0, pass.rule.max_nodes);
    for (int32_t i = 1; i < tree.size(); ++i) nodes.push_back({tree.path_log_q[static_cast<size_t>(i)], r});
  }
  std::stable_sort(nodes.begin(), nodes.end(), [](const Node& a, const Node& b) { return a.log_q > b.log_q; });
  nodes.resize(std::min(nodes.size(), static_cast<size_t>(pass.rule.max_nodes)));
  return nodes;
}

std::vector<double> all_theta(const Pass& pass, const std::vector<Node>& nodes) {
  std::vector<double> theta;
  double phi = 0;
  const double n_requests = static_cast<double>(pass.requests.size());
  for (size_t n = 0; n <= nodes.size(); ++n) {
    if (n > 0) phi += std::exp(nodes[n - 1].log_q);
    theta.push_back((n_requests + phi) / pass.cost.total_s(static_cast<int32_t>(n)));
  }
  return theta;
}

TEST(SharedBudget, IsTheBruteForceArgmaxOverTheMergedOrderUnderAnyCost) {
  std::mt19937 random(21);
  int n_proved = 0;
  for (int round = 0; round < 600; ++round) {
    const Pass pass = random_pass(random, round, 1 + random() % 8);
    const std::vector<Node> nodes = merged(pass);
    const std::vector<double> theta = all_theta(pass, nodes);
    const SharedChoice choice = choose_trees(pass.requests, pass.cost, pass.rule);
    const BudgetDecision& decision = choice.decision;
    SCOPED_TRACE(fmt::format("round {}, {} requests", round, pass.requests.size()));
    ASSERT_EQ(decision.chosen, std::max_element(theta.begin(), theta.end()) - theta.begin());
    EXPECT_EQ(decision.global_best, decision.chosen);
    for (size_t n = 0; n < decision.theta_tokens_per_s.size(); ++n) EXPECT_EQ(decision.theta_tokens_per_s[n], theta[n]);
    std::vector<int32_t> share(pass.requests.size(), 0);
    for (int32_t n = 0; n < decision.chosen; ++n) ++share[nodes[static_cast<size_t>(n)].request];
    for (size_t r = 0; r < share.size(); ++r) EXPECT_EQ(choice.tree[r].size() - 1, share[r]) << "request " << r;
    n_proved += decision.stop == StopReason::kBoundProved;
  }
  EXPECT_GT(n_proved, 50) << "the early stop should be worth having";
}

TEST(SharedBudget, NoSplitOfAnyTotalIsBetter) {
  std::mt19937 random(22);
  for (int round = 0; round < 60; ++round) {
    Pass pass = random_pass(random, round, 2);
    pass.rule.max_nodes = std::min(pass.rule.max_nodes, 40);
    const SharedChoice choice = choose_trees(pass.requests, pass.cost, pass.rule);
    std::vector<double> expected[2];
    for (size_t r = 0; r < 2; ++r) expected[r] = expected_tokens_of(grow_tree(pass.q[r], 0, pass.rule.max_nodes));
    double best = 0;
    for (size_t a = 0; a < expected[0].size(); ++a) {
      for (size_t b = 0; b < expected[1].size() && a + b <= static_cast<size_t>(pass.rule.max_nodes); ++b) {
        best = std::max(best, (expected[0][a] + expected[1][b]) / pass.cost.total_s(static_cast<int32_t>(a + b)));
      }
    }
    const double found = choice.decision.theta_tokens_per_s[static_cast<size_t>(choice.decision.chosen)];
    EXPECT_NEAR(found, best, 1e-12 * best) << "round " << round;
  }
}

TEST(SharedBudget, EveryTreeIsAPrefixOfItsRequestsOwnBestFirstTree) {
  std::mt19937 random(23);
  for (int round = 0; round < 200; ++round) {
    const Pass pass = random_pass(random, round, 1 + random() % 6);
    const SharedChoice choice = choose_trees(pass.requests, pass.cost, pass.rule);
    int32_t total = 0;
    for (size_t r = 0; r < pass.requests.size(); ++r) {
      const DraftTree& tree = choice.tree[r];
      const DraftTree own = grow_tree(pass.q[r], pass.requests[r].root_token, tree.size() - 1);
      EXPECT_EQ(tree.token, own.token);
      EXPECT_EQ(tree.parent, own.parent);
      EXPECT_EQ(tree.rank, own.rank);
      EXPECT_EQ(tree.path_log_q, own.path_log_q);
      total += tree.size() - 1;
    }
    EXPECT_EQ(total, choice.decision.chosen);
  }
}

TEST(SharedBudget, OneRequestIsDecidedAsASessionDecides) {
  std::mt19937 random(24);
  for (int round = 0; round < 300; ++round) {
    Pass pass = random_pass(random, round, 1);
    const Method methods[] = {Method::kExact, Method::kExactFill, Method::kCalibrated};
    pass.rule.method = methods[round % 3];
    Correction correction;
    correction.temperature = 1.3;
    correction.off_spine = 0.8;
    pass.rule.correction = std::make_shared<const Correction>(correction);
    pass.rule.bucket_rows = 1 + static_cast<int32_t>(random() % 20);
    const Choice alone = choose_tree(pass.q[0], 0, pass.cost, pass.rule);
    const SharedChoice shared = choose_trees(pass.requests, pass.cost, pass.rule);
    EXPECT_EQ(shared.decision.chosen, alone.decision.chosen);
    EXPECT_EQ(shared.decision.stop, alone.decision.stop);
    EXPECT_EQ(shared.decision.theta_tokens_per_s, alone.decision.theta_tokens_per_s);
    EXPECT_EQ(shared.decision.faithful_stop, alone.decision.faithful_stop);
    EXPECT_EQ(shared.decision.runner_up, alone.decision.runner_up);
    const std::vector<int32_t> verified(alone.tree.token.begin(), alone.tree.token.begin() + alone.decision.chosen + 1);
    EXPECT_EQ(shared.tree[0].token, verified);
  }
}

TEST(SharedBudget, EqualProbabilitiesGoToTheSmallerRequestFirst) {
  const Marginals q{1, 2, {5, 6}, {-1.0f, -1.0f}};
  const RequestDraft requests[] = {{&q, 0}, {&q, 1}};
  BudgetRule rule;
  rule.max_nodes = 3;
  RoundCost cost{0, 0, {1, 1, 1, 1}, {1, 1, 1, 1}, {1, 1, 1, 1}};
  const SharedChoice choice = choose_trees(requests, cost, rule);
  EXPECT_EQ(choice.decision.chosen, 3);
  EXPECT_EQ(choice.tree[0].size() - 1, 2);
  EXPECT_EQ(choice.tree[1].size() - 1, 1);
}

TEST(SharedBudget, AFilledBucketCountsEveryRoot) {
  std::mt19937 random(25);
  for (int round = 0; round < 100; ++round) {
    Pass pass = random_pass(random, 2 * round, 3);
    pass.rule.method = Method::kExactFill;
    pass.rule.bucket_rows = 8;
    const SharedChoice choice = choose_trees(pass.requests, pass.cost, pass.rule);
    const int32_t n = choice.decision.chosen;
    EXPECT_TRUE((n + 3) % 8 == 0 || n == pass.rule.max_nodes || choice.decision.stop == StopReason::kHeapEmpty) << n;
  }
}

TEST(SharedBudget, WhatARequestIsToldAgreesWithTheWholePass) {
  std::mt19937 random(26);
  for (int round = 0; round < 200; ++round) {
    const Pass pass = random_pass(random, round, 1 + random() % 5);
    const SharedChoice choice = choose_trees(pass.requests, pass.cost, pass.rule);
    const auto total = static_cast<size_t>(choice.decision.chosen);
    for (size_t r = 0; r < pass.requests.size(); ++r) {
      OthersInPass others;
      for (size_t other = 0; other < pass.requests.size(); ++other) {
        if (other == r) continue;
        others.n_nodes += choice.tree[other].size() - 1;
        others.expected += expected_tokens_of(choice.tree[other]).back();
      }
      const Choice told = choice_beside(pass.requests[r], choice.tree[r], others, pass.cost, pass.rule, true);
      const BudgetDecision& own = told.decision;
      EXPECT_EQ(own.chosen, choice.tree[r].size() - 1);
      const double best = choice.decision.theta_tokens_per_s[total];
      EXPECT_NEAR(own.theta_tokens_per_s[static_cast<size_t>(own.chosen)], best, 1e-9 * best);
      EXPECT_EQ(own.cost_s[static_cast<size_t>(own.chosen)], choice.decision.cost_s[total]);
      for (const double theta : own.theta_tokens_per_s) EXPECT_LE(theta, best * (1 + 1e-12));
    }
  }
}

TEST(SharedBudget, PassCostReadsTheCurveAtTheRowsOfTheWholePass) {
  CostModel model;
  model.context = {0, 100};
  model.rows = {1, 16, 64, 300};
  model.verify_s = {0.010, 0.012, 0.020, 0.090, 0.011, 0.014, 0.030, 0.150};
  model.draft_s = {0.002, 0.003};
  model.overhead_s = 0.001;
  const CostTable table(model);
  const RoundCost alone = pass_cost(table, 50, 1, 16, 40), single = table.at(50, 40);
  EXPECT_EQ(alone.verify_s, single.verify_s);
  EXPECT_EQ(alone.faithful_s, single.faithful_s);
  EXPECT_EQ(alone.total_s(7), single.total_s(7));
  const RoundCost four = pass_cost(table, 50, 4, 16, 40), wide = table.at(50, 63);
  for (int32_t n = 0; n <= 40; ++n) EXPECT_EQ(four.verify_s[static_cast<size_t>(n)], wide.verify_s[static_cast<size_t>(n) + 3]);
  EXPECT_DOUBLE_EQ(four.draft_s, single.draft_s * wide.verify_s[63] / wide.verify_s[15]);
  EXPECT_DOUBLE_EQ(four.overhead_s, 0.004);
  const RoundCost plain = pass_cost(table, 50, 4, 0, 0);
  EXPECT_EQ(plain.total_s(0), wide.verify_s[3]);
  model.plain_s.assign(model.context.size(), 0.004);
  const CostTable timed(model);
  EXPECT_EQ(pass_cost(timed, 50, 1, 0, 0).total_s(0), 0.004) << "a text alone";
  EXPECT_EQ(pass_cost(timed, 50, 4, 0, 0).total_s(0), wide.verify_s[3]);
  EXPECT_EQ(pass_cost(timed, 50, 1, 16, 40).verify_s, single.verify_s) << "behind a drafter block";
}

TEST(SharedBudget, TheShareOfARequestFallsAsTheBatchGrowsUnderARisingCost) {
  std::mt19937 random(27);
  CostModel model;
  model.context = {0};
  model.rows = {1, 8, 64, 512};
  model.verify_s = {0.010, 0.011, 0.020, 0.100};
  model.draft_s = {0.002};
  const CostTable table(model);
  double last = 1e9;
  for (const size_t n_requests : {1, 2, 4, 8, 16}) {
    double nodes = 0;
    for (int round = 0; round < 40; ++round) {
      std::vector<Marginals> q;
      std::vector<RequestDraft> requests;
      for (size_t r = 0; r < n_requests; ++r) q.push_back(realistic_marginals(random, 15, 32));
      for (size_t r = 0; r < n_requests; ++r) requests.push_back({&q[r], 0});
      const RoundCost cost = pass_cost(table, 0, static_cast<int32_t>(n_requests), 16, 256);
      nodes += choose_trees(requests, cost, BudgetRule{}).decision.chosen / static_cast<double>(n_requests) / 40;
    }
    EXPECT_LT(nodes, last) << n_requests << " requests";
    last = nodes;
  }
}

}  // namespace
}  // namespace draftscope
