#include "engine/speculate/budget.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/speculate/budget_bound.h"
#include "engine/speculate/grow.h"
#include "tests/speculate/random_inputs.h"

namespace draftscope {
namespace {

// theta of every n, straight from the definition.
std::vector<double> all_theta(const Marginals& q, const RoundCost& cost, int32_t max_nodes) {
  const DraftTree tree = grow_tree(q, 0, max_nodes);
  std::vector<double> theta;
  double phi = 0;
  for (int32_t n = 0; n < tree.size(); ++n) {
    if (n > 0) phi += std::exp(tree.path_log_q[static_cast<size_t>(n)]);
    theta.push_back((1 + phi) / cost.total_s(n));
  }
  return theta;
}

int32_t first_argmax(const std::vector<double>& values) {
  return static_cast<int32_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

TEST(Budget, ExactIsTheBruteForceArgmaxUnderAnyCost) {
  std::mt19937 random(7);
  int32_t n_proved = 0, n_differs_from_faithful = 0;
  for (int round = 0; round < 600; ++round) {
    const CostShape shape = kCostShapes[static_cast<size_t>(round) % std::size(kCostShapes)];
    const Marginals q = round % 2 == 0 ? realistic_marginals(random, 8, 16)
                                       : random_marginals(random, 5, 4, static_cast<Spread>(round / 2 % 3));
    const int32_t max_nodes = 1 + static_cast<int32_t>(random() % 200);
    const RoundCost cost = random_cost(random, max_nodes, shape);
    const std::vector<double> theta = all_theta(q, cost, max_nodes);
    const BudgetRule rule{.method = Method::kExact, .max_nodes = max_nodes};
    Choice choice = choose_tree(q, 0, cost, rule);
    SCOPED_TRACE(fmt::format("round {}, cost shape {}", round, static_cast<int>(shape)));
    ASSERT_EQ(choice.decision.chosen, first_argmax(theta));
    EXPECT_EQ(choice.decision.global_best, choice.decision.chosen);
    ASSERT_GT(choice.tree.size(), choice.decision.chosen);
    n_proved += choice.decision.stop == StopReason::kBoundProved;
    complete_curves(q, cost, rule, choice);
    EXPECT_EQ(choice.decision.theta_tokens_per_s, theta);
    EXPECT_EQ(choice.decision.chosen, first_argmax(theta));
    n_differs_from_faithful += choice.decision.faithful_stop != choice.decision.chosen;
  }
  EXPECT_GT(n_proved, 50) << "the early stop should be worth having";
  EXPECT_GT(n_differs_from_faithful, 50) << "the shapes should be hard for a rule that needs convexity";
}

TEST(Budget, BoundNeverHidesABetterTree) {
  std::mt19937 random(8);
  int n_stops = 0;
  for (int round = 0; round < 300; ++round) {
    const RoundCost cost =
        random_cost(random, 100, kCostShapes[static_cast<size_t>(round) % std::size(kCostShapes)]);
    const BudgetBound bound(cost.verify_s);
    const Marginals q = realistic_marginals(random, 6, 8);
    const DraftTree tree = grow_tree(q, 0, 100);
    double expected = 1, best = 0;
    for (int32_t n = 0; n < 100; ++n) {
      best = std::max(best, expected / cost.verify_s[static_cast<size_t>(n)]);
      const double next_q = std::exp(tree.path_log_q[static_cast<size_t>(n) + 1]);
      // The same question, answered by looking at every larger tree.
      double reach = 0;
      for (int32_t m = n + 1; m <= 100; ++m) {
        reach = std::max(reach, (expected + (m - n) * next_q) / cost.verify_s[static_cast<size_t>(m)]);
      }
      const bool proved = bound.nothing_beats(best, n, expected, next_q);
      if (reach > best * (1 + 1e-9)) {
        EXPECT_FALSE(proved) << "round " << round << ", n " << n;
      }
      if (reach < best * (1 - 1e-9)) {
        EXPECT_TRUE(proved) << "round " << round << ", n " << n;
      }
      n_stops += proved;
      expected += next_q;
    }
  }
  EXPECT_GT(n_stops, 1000);
}

TEST(Budget, EqualThetaTakesTheSmallestTree) {
  // Certain drafts, and a cost that grows with the tokens: theta is 1 everywhere.
  const Marginals q{4, 1, {1, 2, 3, 4}, {0.0f, 0.0f, 0.0f, 0.0f}};
  const RoundCost cost{0.0, 0.0, {1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}};
  for (const Method method : {Method::kExact, Method::kCaddtree}) {
    const Choice choice = choose_tree(q, 0, cost, {.method = method, .max_nodes = 4});
    EXPECT_EQ(choice.decision.chosen, 0) << name(method);
  }
}

TEST(Budget, CaddtreeStopsAtTheFirstStepThatExactLooksBeyond) {
  // A step before the third node that a wider tree pays back.
  const Marginals q{6, 1, {1, 2, 3, 4, 5, 6}, {-0.01f, -0.01f, -0.01f, -0.01f, -0.01f, -0.01f}};
  const std::vector<double> seconds{1, 1, 1, 1.6, 1.6, 1.6, 1.6};
  const RoundCost cost{0.0, 0.0, seconds, seconds};
  Choice caddtree = choose_tree(q, 0, cost, {.method = Method::kCaddtree, .max_nodes = 6});
  EXPECT_EQ(caddtree.decision.chosen, 2);
  EXPECT_EQ(caddtree.decision.stop, StopReason::kThetaFell);
  const Choice exact = choose_tree(q, 0, cost, {.method = Method::kExact, .max_nodes = 6});
  EXPECT_EQ(exact.decision.chosen, 6);
  EXPECT_EQ(exact.decision.faithful_stop, 2);
  EXPECT_EQ(exact.decision.runner_up, 2);
  complete_curves(q, cost, {.method = Method::kCaddtree, .max_nodes = 6}, caddtree);
  EXPECT_EQ(caddtree.decision.chosen, 2);
  EXPECT_EQ(caddtree.decision.global_best, 6);
  EXPECT_EQ(caddtree.decision.theta_tokens_per_s, exact.decision.theta_tokens_per_s);
}

TEST(Budget, CaddtreeReadsItsOwnCurveWithoutOverhead) {
  const Marginals q{4, 1, {1, 2, 3, 4}, {-0.1f, -0.1f, -0.1f, -0.1f}};
  const RoundCost cost{0.5, 100.0, {1, 1, 1, 1, 1}, {1, 1, 9, 9, 9}};
  EXPECT_EQ(choose_tree(q, 0, cost, {.method = Method::kCaddtree, .max_nodes = 4}).decision.chosen, 1);
  EXPECT_EQ(choose_tree(q, 0, cost, {.method = Method::kExact, .max_nodes = 4}).decision.chosen, 4);
}

TEST(Budget, FixedMethodsSayWhyTheyStopped) {
  std::mt19937 random(9);
  const Marginals q = realistic_marginals(random, 5, 2);  // 62 paths
  const RoundCost cost = random_cost(random, 100, CostShape::kAffine);
  const auto chosen = [&](BudgetRule rule) { return choose_tree(q, 0, cost, rule).decision; };
  const BudgetDecision fixed = chosen({.method = Method::kDdtree, .budget = 20, .max_nodes = 100});
  EXPECT_EQ(fixed.chosen, 20);
  EXPECT_EQ(fixed.stop, StopReason::kFixedBudget);
  EXPECT_EQ(fixed.theta_tokens_per_s.size(), 21u);
  const BudgetDecision capped = chosen({.method = Method::kDdtree, .budget = 20, .max_nodes = 10});
  EXPECT_EQ(capped.chosen, 10);
  EXPECT_EQ(capped.stop, StopReason::kNodeLimit);
  const BudgetDecision exhausted = chosen({.method = Method::kDdtree, .budget = 90, .max_nodes = 100});
  EXPECT_EQ(exhausted.chosen, 62);
  EXPECT_EQ(exhausted.stop, StopReason::kHeapEmpty);
  const BudgetDecision chain = chosen({.method = Method::kDflash, .max_nodes = 100});
  EXPECT_EQ(chain.chosen, 5);
  EXPECT_EQ(chain.stop, StopReason::kFixedBudget);
}

TEST(Budget, CompletedCurvesKeepTheVerifiedPart) {
  std::mt19937 random(10);
  const Marginals q = realistic_marginals(random, 8, 8);
  const RoundCost cost = random_cost(random, 150, CostShape::kStairs);
  for (const Method method : {Method::kDflash, Method::kDdtree, Method::kCaddtree, Method::kExact}) {
    SCOPED_TRACE(name(method));
    const BudgetRule rule{.method = method, .budget = 30, .max_nodes = 150};
    const Choice before = choose_tree(q, 4, cost, rule);
    Choice after = before;
    complete_curves(q, cost, rule, after);
    EXPECT_EQ(after.decision.chosen, before.decision.chosen);
    EXPECT_EQ(after.decision.stop, before.decision.stop);
    EXPECT_EQ(after.tree.size(), method == Method::kDflash ? 9 : 151);
    EXPECT_EQ(after.decision.cost_s.size(), static_cast<size_t>(after.tree.size()));
    EXPECT_TRUE(std::equal(before.tree.token.begin(), before.tree.token.end(), after.tree.token.begin()));
    EXPECT_TRUE(std::equal(before.tree.parent.begin(), before.tree.parent.end(), after.tree.parent.begin()));
  }
}

TEST(Budget, RunnerUpIsNotAnotherSizeOfTheSameCost) {
  // The second and third node add less than a double can hold, so theta is flat where cost is.
  const Marginals q{3, 1, {1, 2, 3}, {-0.5f, -60.0f, -1.0f}};
  const BudgetRule rule{.method = Method::kDdtree, .budget = 3, .max_nodes = 3};
  const RoundCost one_step{0.0, 0.0, {1.0, 1.1, 1.1, 1.1}, {1.0, 1.1, 1.1, 1.1}};
  const BudgetDecision with_other = choose_tree(q, 0, one_step, rule).decision;
  EXPECT_EQ(with_other.global_best, 1);
  EXPECT_EQ(with_other.runner_up, 0);
  const RoundCost flat{0.0, 0.0, {1.0, 1.0, 1.0, 1.0}, {1.0, 1.0, 1.0, 1.0}};
  EXPECT_EQ(choose_tree(q, 0, flat, rule).decision.runner_up, 1) << "no other cost: the best itself";
}

TEST(Budget, WithoutADraftOnlyTheRootIsVerified) {
  const RoundCost cost{0.1, 0.0, {1, 1}, {1, 1}};
  for (const Method method : {Method::kDflash, Method::kDdtree, Method::kCaddtree, Method::kExact}) {
    const Choice choice = choose_tree(Marginals{}, 4, cost, {.method = method, .budget = 1, .max_nodes = 1});
    EXPECT_EQ(choice.decision.chosen, 0) << name(method);
    EXPECT_EQ(choice.decision.runner_up, 0) << name(method);
  }
}

}  // namespace
}  // namespace draftscope
