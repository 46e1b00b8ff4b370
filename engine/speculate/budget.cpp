#include "engine/speculate/budget.h"

#include <algorithm>
#include <cmath>

#include "engine/base/check.h"
#include "engine/speculate/budget_bound.h"
#include "engine/speculate/grow.h"

namespace draftscope {
namespace {

// 1 + Phi(n) for every n of the tree, summed in pop order.
std::vector<double> expected_tokens_of(const DraftTree& tree) {
  std::vector<double> expected(tree.token.size());
  double phi = 0;
  for (size_t n = 0; n < expected.size(); ++n) {
    if (n > 0) phi += std::exp(tree.path_log_q[n]);
    expected[n] = 1 + phi;
  }
  return expected;
}

double faithful_theta(double expected, const RoundCost& cost, size_t n) {
  return expected / (cost.draft_s + cost.faithful_s[n]);
}

// Smallest n of the largest theta among those for which `counts` holds; `none` when there is none.
template <class Counts>
int32_t argmax(const std::vector<double>& theta, int32_t none, Counts counts) {
  int32_t best = -1;
  for (int32_t n = 0; n < static_cast<int32_t>(theta.size()); ++n) {
    if (!counts(n)) continue;
    if (best < 0 || theta[static_cast<size_t>(n)] > theta[static_cast<size_t>(best)]) best = n;
  }
  return best < 0 ? none : best;
}

// Best n outside the run of equal costs around `best`: inside it, a smaller tree loses by construction.
int32_t runner_up_of(const BudgetDecision& decision, int32_t best) {
  const std::vector<double>& cost = decision.cost_s;
  size_t low = static_cast<size_t>(best), high = low;
  while (low > 0 && cost[low - 1] == cost[low]) --low;
  while (high + 1 < cost.size() && cost[high + 1] == cost[high]) ++high;
  return argmax(decision.theta_tokens_per_s, best, [low, high](int32_t n) {
    return static_cast<size_t>(n) < low || static_cast<size_t>(n) > high;
  });
}

// Fills everything that follows from the tree and the cost; leaves chosen and stop.
void fill_curves(const DraftTree& tree, const RoundCost& cost, BudgetDecision& decision) {
  decision.expected_tokens = expected_tokens_of(tree);
  const size_t n_candidates = decision.expected_tokens.size();
  decision.cost_s.resize(n_candidates);
  decision.theta_tokens_per_s.resize(n_candidates);
  for (size_t n = 0; n < n_candidates; ++n) {
    decision.cost_s[n] = cost.total_s(static_cast<int32_t>(n));
    decision.theta_tokens_per_s[n] = decision.expected_tokens[n] / decision.cost_s[n];
  }
  decision.faithful_stop = faithful_stop(decision.expected_tokens, cost);
  decision.global_best = argmax(decision.theta_tokens_per_s, 0, [](int32_t) { return true; });
  decision.runner_up = runner_up_of(decision, decision.global_best);
}

// CaDDTree: pops while theta rises on its own curve. The node that would not raise it stays unpopped.
StopReason grow_while_theta_rises(const RoundCost& cost, int32_t max_nodes, TreeGrower& grower) {
  double phi = 0;
  double theta = faithful_theta(1, cost, 0);
  for (int32_t n = 0; n < max_nodes; ++n) {
    const std::optional<double> log_q = grower.next_log_q();
    if (!log_q) return StopReason::kHeapEmpty;
    phi += std::exp(*log_q);
    const double next_theta = faithful_theta(1 + phi, cost, static_cast<size_t>(n) + 1);
    if (next_theta <= theta) return StopReason::kThetaFell;
    theta = next_theta;
    grower.pop();
  }
  return StopReason::kNodeLimit;
}

// Pops until the bound proves that no larger tree can win.
StopReason grow_until_proved(const RoundCost& cost, int32_t max_nodes, TreeGrower& grower) {
  std::vector<double> cost_s(static_cast<size_t>(max_nodes) + 1);
  for (int32_t n = 0; n <= max_nodes; ++n) cost_s[static_cast<size_t>(n)] = cost.total_s(n);
  const BudgetBound bound(cost_s);
  double phi = 0;
  double best_theta = 1 / cost_s[0];
  for (int32_t n = 0; n < max_nodes; ++n) {
    const std::optional<double> log_q = grower.next_log_q();
    if (!log_q) return StopReason::kHeapEmpty;
    const double next_q = std::exp(*log_q);
    if (bound.nothing_beats(best_theta, n, 1 + phi, next_q)) return StopReason::kBoundProved;
    grower.pop();
    phi += next_q;
    best_theta = std::max(best_theta, (1 + phi) / cost_s[static_cast<size_t>(n) + 1]);
  }
  return StopReason::kNodeLimit;
}

StopReason stop_of_fixed(int32_t asked, int32_t max_nodes, int32_t grown) {
  if (grown == asked) return StopReason::kFixedBudget;
  return grown == max_nodes ? StopReason::kNodeLimit : StopReason::kHeapEmpty;
}

}  // namespace

int32_t faithful_stop(std::span<const double> expected_tokens, const RoundCost& cost) {
  DS_CHECK(!expected_tokens.empty() && expected_tokens.size() <= cost.faithful_s.size());
  double theta = faithful_theta(expected_tokens[0], cost, 0);
  for (size_t n = 1; n < expected_tokens.size(); ++n) {
    const double next_theta = faithful_theta(expected_tokens[n], cost, n);
    if (next_theta <= theta) return static_cast<int32_t>(n) - 1;
    theta = next_theta;
  }
  return static_cast<int32_t>(expected_tokens.size()) - 1;
}

Choice choose_tree(const Marginals& q, int32_t root_token, const RoundCost& cost, const BudgetRule& rule) {
  const int32_t max_nodes = rule.max_nodes;
  DS_CHECK(rule.method != Method::kPlain && max_nodes >= 0 && rule.budget >= 0);
  DS_CHECK(std::min(cost.verify_s.size(), cost.faithful_s.size()) > static_cast<size_t>(max_nodes),
           "costs of {} and {} candidates for trees of up to {} nodes", cost.verify_s.size(),
           cost.faithful_s.size(), max_nodes);
  Choice choice;
  StopReason& stop = choice.decision.stop;
  if (rule.method == Method::kDflash) {
    choice.tree = grow_chain(q, root_token, max_nodes);
    stop = stop_of_fixed(q.n_depths, max_nodes, choice.tree.size() - 1);
  } else if (rule.method == Method::kDdtree) {
    choice.tree = grow_tree(q, root_token, std::min(rule.budget, max_nodes));
    stop = stop_of_fixed(rule.budget, max_nodes, choice.tree.size() - 1);
  } else {
    TreeGrower grower(q, root_token, max_nodes);
    stop = rule.method == Method::kCaddtree ? grow_while_theta_rises(cost, max_nodes, grower)
                                            : grow_until_proved(cost, max_nodes, grower);
    choice.tree = grower.take();
  }
  fill_curves(choice.tree, cost, choice.decision);
  choice.decision.chosen =
      rule.method == Method::kExact ? choice.decision.global_best : choice.tree.size() - 1;
  return choice;
}

void complete_curves(const Marginals& q, const RoundCost& cost, const BudgetRule& rule, Choice& choice) {
  DS_CHECK(std::min(cost.verify_s.size(), cost.faithful_s.size()) > static_cast<size_t>(rule.max_nodes));
  // Growth is deterministic, so the longer tree begins with the one that was verified.
  if (rule.method != Method::kDflash) choice.tree = grow_tree(q, choice.tree.token[0], rule.max_nodes);
  DS_CHECK(choice.tree.size() > choice.decision.chosen);
  fill_curves(choice.tree, cost, choice.decision);
}

}  // namespace draftscope
