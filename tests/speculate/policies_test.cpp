// Policies beside the exact and the faithful rule: their sizes, their shapes, and that growing live decides as `decide`
// does when it sees every candidate.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "engine/record/policies.h"
#include "engine/speculate/budget.h"
#include "engine/speculate/grow.h"
#include "tests/speculate/random_inputs.h"

namespace draftscope {
namespace {

constexpr int32_t kMaxNodes = 200;

RoundCost affine_cost(double floor_s, double slope_s, int32_t max_nodes = kMaxNodes) {
  RoundCost cost;
  for (int32_t n = 0; n <= max_nodes; ++n) cost.verify_s.push_back(floor_s + slope_s * (n + 1));
  cost.faithful_s = cost.roofline_s = cost.verify_s;
  return cost;
}

std::vector<BudgetRule> every_live_rule(std::mt19937& random, int32_t max_nodes) {
  std::vector<BudgetRule> rules;
  for (const Policy& policy : policies()) {
    if (!policy.live || policy.method == Method::kPlain) continue;
    BudgetRule rule{.method = policy.method, .max_nodes = max_nodes};
    rule.budget = static_cast<int32_t>(random() % static_cast<unsigned>(max_nodes + 1));
    rule.width = 1 + static_cast<int32_t>(random() % 127);
    rule.bucket_rows = 1 + static_cast<int32_t>(random() % 40);
    rule.correction = std::make_shared<Correction>(Correction{1.2, {}, {}, 0.7});
    rules.push_back(rule);
  }
  return rules;
}

TEST(Policies, AreEachNamedOnceAndFoundByName) {
  std::set<std::string> words;
  for (const Policy& policy : policies()) {
    EXPECT_TRUE(words.insert(name(policy.method)).second) << name(policy.method);
    EXPECT_EQ(method_named(name(policy.method)), policy.method);
    EXPECT_EQ(policy_of(policy.method).title, policy.title);
  }
  EXPECT_EQ(words.size(), static_cast<size_t>(Method::kOracle) + 1) << "every method has its row";
  EXPECT_EQ(method_named("best"), std::nullopt);
}

TEST(Policies, GrowingLiveDecidesAsSeeingEveryCandidateDoes) {
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    const Marginals q = realistic_marginals(random, 1 + round % 15, 12);
    const auto max_nodes = 1 + static_cast<int32_t>(random() % kMaxNodes);
    const RoundCost cost = random_cost(random, max_nodes, kCostShapes[static_cast<size_t>(round) % std::size(kCostShapes)]);
    for (const BudgetRule& rule : every_live_rule(random, max_nodes)) {
      SCOPED_TRACE(fmt::format("round {}, {}, at most {}", round, name(rule.method), max_nodes));
      const Choice live = choose_tree(q, 7, cost, rule);
      const DraftTree all = every_candidate(q, 7, rule);
      const std::vector<double> expected = expected_tokens_of(all);
      const int32_t chosen = decide(expected, cost, rule);
      ASSERT_EQ(live.decision.chosen, chosen);
      for (int32_t i = 0; i <= chosen; ++i) {
        ASSERT_EQ(live.tree.token[static_cast<size_t>(i)], all.token[static_cast<size_t>(i)]);
        ASSERT_EQ(live.tree.parent[static_cast<size_t>(i)], all.parent[static_cast<size_t>(i)]);
      }
      ASSERT_EQ(live.decision.expected_tokens[static_cast<size_t>(chosen)], expected[static_cast<size_t>(chosen)]);
    }
  }
}

TEST(Policies, SpineFirstHoldsTheChainAndTheMostLikelyOthers) {
  std::mt19937 random(12);
  for (int round = 0; round < 100; ++round) {
    const Marginals q = realistic_marginals(random, 10, 8);
    const int32_t budget = 1 + static_cast<int32_t>(random() % 80);
    const DraftTree tree = grow_spine(q, 0, budget);
    ASSERT_EQ(tree.size(), budget + 1);
    for (int32_t depth = 1; depth <= std::min(budget, 10); ++depth) {
      ASSERT_EQ(tree.rank[static_cast<size_t>(depth)], 0);
      ASSERT_EQ(tree.parent[static_cast<size_t>(depth)], depth - 1);
    }
    if (budget <= 10) continue;
    // Every path of the full best-first order that is more likely than the last one taken is in the tree.
    std::multiset<double> taken(tree.path_log_q.begin(), tree.path_log_q.end());
    const DraftTree best_first = grow_tree(q, 0, budget);
    const double last = tree.path_log_q.back();
    for (const double log_q : best_first.path_log_q) {
      if (log_q > last) { EXPECT_TRUE(taken.contains(log_q)) << log_q; }
    }
  }
}

TEST(Policies, SpineFirstWithRoomForEverythingIsTheWholeTree) {
  std::mt19937 random(13);
  const Marginals q = realistic_marginals(random, 4, 3);  // 3 + 9 + 27 + 81 nodes
  DraftTree spine = grow_spine(q, 0, 500), best_first = grow_tree(q, 0, 500);
  EXPECT_EQ(spine.size(), 121);
  std::sort(spine.path_log_q.begin(), spine.path_log_q.end());
  std::sort(best_first.path_log_q.begin(), best_first.path_log_q.end());
  EXPECT_EQ(spine.path_log_q, best_first.path_log_q);
}

TEST(Policies, BastionTakesOneBucketAtLeastAndWholeBucketsElse) {
  std::mt19937 random(14);
  const Marginals q = realistic_marginals(random, 15, 32);
  BudgetRule rule{.method = Method::kBastion, .max_nodes = kMaxNodes};
  EXPECT_EQ(choose_tree(q, 0, affine_cost(1, 10), rule).decision.chosen, 31) << "dear rows: one bucket, root included";
  const Choice cheap = choose_tree(q, 0, affine_cost(1, 0), rule);
  EXPECT_EQ(cheap.decision.chosen, 191) << "free rows: all candidates, rounded down to whole buckets";
  rule.bucket_rows = 8;
  EXPECT_EQ(choose_tree(q, 0, affine_cost(1, 10), rule).decision.chosen, 7);
}

TEST(Policies, BastionIsTheExactRuleOnAConvexRooflineBeforeItRounds) {
  std::mt19937 random(15);
  for (int round = 0; round < 50; ++round) {
    const Marginals q = realistic_marginals(random, 12, 16);
    const RoundCost cost = affine_cost(1, std::pow(10.0, -4 + 0.05 * round));
    const int32_t best = choose_tree(q, 0, cost, {.method = Method::kExact, .max_nodes = kMaxNodes}).decision.chosen;
    BudgetRule rule{.method = Method::kBastion, .max_nodes = kMaxNodes};
    rule.bucket_rows = 1;
    EXPECT_EQ(choose_tree(q, 0, cost, rule).decision.chosen, best) << "round " << round;
  }
}

TEST(Policies, FillingTheBucketNeverLowersThroughputWhereTheBucketCostsTheSame) {
  std::mt19937 random(16);
  int n_larger = 0;
  for (int round = 0; round < 100; ++round) {
    const Marginals q = realistic_marginals(random, 12, 16);
    const RoundCost smooth = affine_cost(1, 0.01 + 0.001 * round);
    RoundCost padded = smooth;
    for (int32_t n = 0; n <= kMaxNodes; ++n) {
      padded.verify_s[static_cast<size_t>(n)] = smooth.verify_s[static_cast<size_t>(std::min(n / 16 * 16 + 15, kMaxNodes))];
    }
    BudgetRule rule{.method = Method::kExactFill, .max_nodes = kMaxNodes};
    rule.bucket_rows = 16;
    const Choice filled = choose_tree(q, 0, smooth, rule);
    const int32_t best = filled.decision.global_best, chosen = filled.decision.chosen;
    ASSERT_TRUE((chosen + 1) % 16 == 0 || chosen == kMaxNodes) << chosen;
    ASSERT_GE(chosen, best);
    ASSERT_LT(chosen - best, 16);
    const std::vector<double> expected = expected_tokens_of(filled.tree);
    EXPECT_GE(expected[static_cast<size_t>(chosen)] / padded.total_s(chosen),
              expected[static_cast<size_t>(best)] / padded.total_s(best));
    n_larger += chosen > best;
  }
  EXPECT_GT(n_larger, 50);
}

TEST(Policies, CastWidthFallsAsRowsGetDearer) {
  std::mt19937 random(17);
  const Marginals q = first_ranks(realistic_marginals(random, 15, 32), 8);
  const std::vector<double> expected = expected_tokens_of(grow_tree(q, 0, kMaxNodes));
  EXPECT_EQ(cast_width(expected, affine_cost(1, 0)), 127) << "free rows: the widest of the grid";
  EXPECT_EQ(cast_width(expected, affine_cost(1, 1)), 15) << "dear rows: the narrowest";
  int32_t last = 127;
  for (double slope = 1e-6; slope < 1; slope *= 1.5) {
    const int32_t width = cast_width(expected, affine_cost(1, slope));
    EXPECT_LE(width, last);
    last = width;
  }
}

TEST(Policies, CastUsesEightRanksADepth) {
  std::mt19937 random(18);
  const Marginals flat = random_marginals(random, 3, 40, Spread::kRandom);
  BudgetRule rule{.method = Method::kCast, .max_nodes = kMaxNodes};
  rule.width = 127;
  const Choice choice = choose_tree(flat, 0, affine_cost(1, 0.001), rule);
  EXPECT_EQ(*std::max_element(choice.tree.rank.begin(), choice.tree.rank.end()), 7);
  EXPECT_EQ(choice.decision.chosen, 127);
}

}  // namespace
}  // namespace draftscope
