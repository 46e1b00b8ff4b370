#include "engine/speculate/budget.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "engine/base/check.h"
#include "engine/speculate/budget_bound.h"
#include "engine/speculate/grow.h"

namespace draftscope {
namespace {

constexpr int32_t kCastRanks = 8;  // CAST looks at no more per depth

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

void grow_to(int32_t n_nodes, TreeGrower& grower) {
  while (grower.tree().size() <= n_nodes && grower.next_log_q()) grower.pop();
}

StopReason stop_of_fixed(int32_t asked, int32_t max_nodes, int32_t grown) {
  if (grown == asked) return StopReason::kFixedBudget;
  return grown == max_nodes ? StopReason::kNodeLimit : StopReason::kHeapEmpty;
}

// The tree of a policy that knows its size before it sees any probability.
DraftTree fixed_tree(const Marginals& q, int32_t root_token, const BudgetRule& rule, int32_t n_nodes) {
  switch (rule.method) {
    case Method::kDflash: return grow_chain(q, root_token, n_nodes);
    case Method::kSpine: return grow_spine(q, root_token, n_nodes);
    case Method::kCast: return grow_tree(first_ranks(q, kCastRanks), root_token, n_nodes);
    default: return grow_tree(q, root_token, n_nodes);
  }
}

// Nodes that a fixed policy asks for; nullopt when it decides as it grows.
std::optional<int32_t> fixed_size(const Marginals& q, const BudgetRule& rule) {
  switch (rule.method) {
    case Method::kDflash: return q.n_depths;
    case Method::kDdtree:
    case Method::kSpine: return rule.budget;
    case Method::kCast: return rule.width;
    default: return std::nullopt;
  }
}

bool corrects(const BudgetRule& rule) {
  return rule.method == Method::kCalibrated && rule.correction && !changes_nothing(*rule.correction);
}

// Candidates as far as the rule has to look, and why it stopped looking.
void grow_candidates(const Marginals& q, int32_t root_token, const RoundCost& cost, const BudgetRule& rule,
                     Choice& choice) {
  const int32_t max_nodes = rule.max_nodes;
  StopReason& stop = choice.decision.stop;
  if (const std::optional<int32_t> asked = fixed_size(q, rule)) {
    choice.tree = fixed_tree(q, root_token, rule, std::min(*asked, max_nodes));
    stop = stop_of_fixed(*asked, max_nodes, choice.tree.size() - 1);
    return;
  }
  Marginals room;
  TreeGrower grower(believed(q, rule, room), root_token, max_nodes, off_spine_of(rule));
  if (rule.method == Method::kCaddtree) {
    stop = grow_while_theta_rises(cost, max_nodes, grower);
  } else if (rule.method == Method::kBastion) {
    grow_to(max_nodes, grower);
    stop = StopReason::kThetaFell;
  } else {
    stop = grow_until_proved(cost, max_nodes, grower);
    if (rule.method == Method::kExactFill) {
      const int32_t grown = grower.tree().size() - 1;
      grow_to(fill_bucket(grown, rule.bucket_rows, max_nodes), grower);
    }
  }
  choice.tree = grower.take();
}

}  // namespace

const Marginals& believed(const Marginals& q, const BudgetRule& rule, Marginals& room) {
  if (!corrects(rule)) return q;
  room = corrected(first_ranks(q, kCorrectedRanks), *rule.correction);
  return room;
}

double off_spine_of(const BudgetRule& rule) { return corrects(rule) ? rule.correction->off_spine : 1; }

std::vector<double> expected_tokens_of(const DraftTree& tree) {
  std::vector<double> expected(tree.token.size());
  double phi = 0;
  for (size_t n = 0; n < expected.size(); ++n) {
    if (n > 0) phi += std::exp(tree.path_log_q[n]);
    expected[n] = 1 + phi;
  }
  return expected;
}

DraftTree every_candidate(const Marginals& q, int32_t root_token, const BudgetRule& rule) {
  if (fixed_size(q, rule)) return fixed_tree(q, root_token, rule, rule.max_nodes);
  Marginals room;
  TreeGrower grower(believed(q, rule, room), root_token, rule.max_nodes, off_spine_of(rule));
  grow_to(rule.max_nodes, grower);
  return grower.take();
}

Choice choose_tree(const Marginals& q, int32_t root_token, const RoundCost& cost, const BudgetRule& rule) {
  const int32_t max_nodes = rule.max_nodes;
  DS_CHECK(rule.method != Method::kPlain && rule.method != Method::kOracle && max_nodes >= 0 && rule.budget >= 0);
  DS_CHECK(std::min(cost.verify_s.size(), cost.faithful_s.size()) > static_cast<size_t>(max_nodes),
           "costs of {} and {} candidates for trees of up to {} nodes", cost.verify_s.size(),
           cost.faithful_s.size(), max_nodes);
  Choice choice;
  grow_candidates(q, root_token, cost, rule, choice);
  fill_curves(choice.tree, cost, choice.decision);
  choice.decision.chosen = decide(choice.decision.expected_tokens, cost, rule);
  return choice;
}

void fill_curves(std::vector<double> expected, const RoundCost& cost, BudgetDecision& decision) {
  decision.expected_tokens = std::move(expected);
  const size_t n_candidates = decision.expected_tokens.size();
  decision.cost_s.resize(n_candidates);
  decision.theta_tokens_per_s.resize(n_candidates);
  for (size_t n = 0; n < n_candidates; ++n) {
    decision.cost_s[n] = cost.total_s(static_cast<int32_t>(n));
    decision.theta_tokens_per_s[n] = decision.expected_tokens[n] / decision.cost_s[n];
  }
  decision.faithful_stop = faithful_stop(decision.expected_tokens, cost);
  decision.global_best = exact_best(decision.expected_tokens, cost);
  decision.runner_up = runner_up_of(decision, decision.global_best);
}

void fill_curves(const DraftTree& tree, const RoundCost& cost, BudgetDecision& decision) {
  fill_curves(expected_tokens_of(tree), cost, decision);
}

void complete_curves(const Marginals& q, const RoundCost& cost, const BudgetRule& rule, Choice& choice) {
  DS_CHECK(std::min(cost.verify_s.size(), cost.faithful_s.size()) > static_cast<size_t>(rule.max_nodes));
  // Growth is deterministic, so the longer tree begins with the one that was verified.
  choice.tree = every_candidate(q, choice.tree.token[0], rule);
  DS_CHECK(choice.tree.size() > choice.decision.chosen);
  fill_curves(choice.tree, cost, choice.decision);
}

}  // namespace draftscope
