// Trees and budgets of the public DDTree and CaDDTree code, replayed from its float32 top-k tables.
// README: with the table as input everything is exact in float64.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/record/cost_curves.h"
#include "engine/speculate/budget.h"
#include "engine/speculate/grow.h"
#include "tests/speculate/golden_files.h"

namespace draftscope {
namespace {

constexpr int32_t kRootToken = -7;  // no token of any table

struct GoldenCost {
  double draft_s = 0;
  CostCurves curves;
};

Marginals marginals_of(const golden::Tensors& tensors) {
  const Shape& shape = tensors.shape("topk_log_probs");
  return {static_cast<int32_t>(shape[0]), static_cast<int32_t>(shape[1]), tensors.values<int32_t>("topk_ids"),
          tensors.values<float>("topk_log_probs")};
}

std::map<std::string, GoldenCost> cost_models_of(const Json& manifest) {
  const golden::Tensors tensors("tree/" + golden::text(manifest, "cost_models_file"));
  std::map<std::string, GoldenCost> models;
  golden::get(manifest, "cost_models").each([&](const std::string& name, const Json& entry) {
    GoldenCost cost{golden::number(entry, "Cd"), {}};
    cost.curves.context = golden::wholes(entry, "context_lengths");
    const size_t length = static_cast<size_t>(golden::whole(entry, "curve_len"));
    const std::vector<double> all = tensors.values<double>(golden::text(entry, "tensor"));
    for (size_t c = 0; c < cost.curves.context.size(); ++c) {
      PiecewiseLinear curve;
      for (size_t n = 0; n < length; ++n) {
        curve.x.push_back(static_cast<int32_t>(n));
        curve.seconds.push_back(all[c * length + n]);
      }
      cost.curves.curve.push_back(std::move(curve));
    }
    models.emplace(name, std::move(cost));
  });
  return models;
}

// The golden runs divide by Cd + Cv(n) in both rules, so both curves of the round are Cv.
RoundCost round_cost_of(const GoldenCost& model, int32_t context, int32_t max_nodes) {
  const std::vector<double> cv = model.curves.sample(context, 0, max_nodes + 1);
  return {model.draft_s, 0.0, cv, cv};
}

void expect_nodes(const Json& nodes, const Marginals& q) {
  const int32_t count = golden::whole(nodes, "count");
  const DraftTree tree = grow_tree(q, kRootToken, 1024);
  ASSERT_EQ(tree.size() - 1, count);
  const auto below_root = [](const auto& column) { return std::vector(column.begin() + 1, column.end()); };
  EXPECT_EQ(below_root(tree.token), golden::wholes(nodes, "token_id"));
  EXPECT_EQ(below_root(tree.parent), golden::wholes(nodes, "parent_index"));
  EXPECT_EQ(below_root(tree.depth), golden::wholes(nodes, "depth"));
  EXPECT_EQ(below_root(tree.rank), golden::wholes(nodes, "rank"));
  EXPECT_EQ(below_root(tree.path_log_q), golden::numbers(nodes, "log_weight_f64"));
}

void expect_fixed_budgets(const Json& budgets, const Marginals& q, int32_t support) {
  const RoundCost flat{0.0, 0.0, std::vector<double>(1025, 1.0), std::vector<double>(1025, 1.0)};
  const DraftTree whole_tree = grow_tree(q, kRootToken, 1024);
  for (size_t b = 0; b < budgets.size(); ++b) {
    const int32_t budget = golden::whole(budgets.at(b), "budget");
    const Choice choice =
        choose_tree(q, kRootToken, flat, {.method = Method::kDdtree, .budget = budget, .max_nodes = 1024});
    // Official trees run on past the finite support; ours end there.
    const int32_t expected = std::min(golden::whole(budgets.at(b), "n_nodes"), support);
    ASSERT_EQ(choice.decision.chosen, expected) << "budget " << budget;
    ASSERT_TRUE(golden::flag(budgets.at(b), "same_structure"));
    const auto prefix = std::vector(whole_tree.parent.begin(), whole_tree.parent.begin() + expected + 1);
    EXPECT_EQ(choice.tree.parent, prefix) << "budget " << budget;
  }
}

bool must_match(const Json& run) { return !run.has("must_match") || golden::flag(run, "must_match"); }

void expect_faithful_run(const Json& run, const Marginals& q, const RoundCost& cost,
                         const std::vector<double>& phi) {
  const Json official = golden::get(run, "official");
  const int32_t max_budget = golden::whole(run, "max_budget");
  const BudgetRule rule{.method = Method::kCaddtree, .max_nodes = max_budget};
  Choice choice = choose_tree(q, kRootToken, cost, rule);
  EXPECT_EQ(choice.decision.chosen, golden::whole(official, "n"));
  EXPECT_EQ(choice.tree.size() - 1, golden::whole(official, "n"));
  const std::string why = golden::text(official, "stop_reason");
  if (why == "max_budget") {
    EXPECT_EQ(choice.decision.stop, StopReason::kNodeLimit);
  }
  if (why == "heap_empty") {
    EXPECT_EQ(choice.decision.stop, StopReason::kHeapEmpty);
  }
  complete_curves(q, cost, rule, choice);
  EXPECT_EQ(choice.decision.faithful_stop, choice.decision.chosen);
  const std::vector<int32_t> theta_n = golden::wholes(official, "theta_n");
  const std::vector<double> theta = golden::numbers(official, "theta");
  for (size_t i = 0; i < theta_n.size(); ++i) {
    const size_t n = static_cast<size_t>(theta_n[i]);
    if (n >= choice.decision.theta_tokens_per_s.size()) continue;  // a node without probability
    EXPECT_NEAR(choice.decision.theta_tokens_per_s[n], theta[i], 1e-14 * theta[i]) << "n " << n;
    if (n > 0) {
      EXPECT_NEAR(choice.decision.expected_tokens[n], 1 + phi[n - 1], 1e-15 * (1 + phi[n - 1])) << "n " << n;
    }
  }
}

void expect_exact_run(const Json& run, const Marginals& q, const RoundCost& cost) {
  const Json own = golden::get(run, "own_global");
  const int32_t max_budget = golden::whole(run, "max_budget");
  const Choice choice = choose_tree(q, kRootToken, cost, {.method = Method::kExact, .max_nodes = max_budget});
  const double best_theta = golden::number(own, "best_theta");
  EXPECT_EQ(choice.decision.global_best, choice.decision.chosen);
  EXPECT_NEAR(choice.decision.theta_tokens_per_s[static_cast<size_t>(choice.decision.chosen)], best_theta,
              1e-12 * best_theta);
  if (golden::whole(own, "num_ties") == 1) {
    EXPECT_EQ(choice.decision.chosen, golden::whole(own, "best_n"));
  }
}

TEST(GoldenTree, NodesBudgetsAndChoicesAreThoseOfTheReference) {
  const Json manifest = golden::read_json("tree/manifest.json");
  const std::map<std::string, GoldenCost> cost_models = cost_models_of(manifest);
  const Json cases = golden::get(manifest, "cases");
  ASSERT_GT(cases.size(), 0u);
  size_t n_runs = 0;
  for (size_t c = 0; c < cases.size(); ++c) {
    SCOPED_TRACE(golden::text(cases.at(c), "name"));
    const Json one = golden::read_json("tree/" + golden::text(cases.at(c), "json"));
    const Marginals q = marginals_of(golden::Tensors("tree/" + golden::text(cases.at(c), "tensors")));
    const Json nodes = golden::get(one, "nodes");
    expect_nodes(nodes, q);
    expect_fixed_budgets(golden::get(one, "ddtree_budgets"), q, golden::whole(nodes, "count"));
    const Json runs = golden::get(one, "caddtree_runs");
    for (size_t r = 0; r < runs.size(); ++r) {
      const Json run = runs.at(r);
      const std::string cost_name = golden::text(run, "cost_model");
      const int32_t context = golden::whole(run, "context_length");
      SCOPED_TRACE(
          fmt::format("{} at context {}, up to {}", cost_name, context, golden::whole(run, "max_budget")));
      const RoundCost cost =
          round_cost_of(cost_models.at(cost_name), context, golden::whole(run, "max_budget"));
      if (must_match(run)) expect_faithful_run(run, q, cost, golden::numbers(nodes, "phi_after_pop_f64"));
      expect_exact_run(run, q, cost);
      ++n_runs;
    }
  }
  EXPECT_GT(n_runs, 0u);
}

}  // namespace
}  // namespace draftscope
