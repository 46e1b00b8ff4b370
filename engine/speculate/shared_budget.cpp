#include "engine/speculate/shared_budget.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "engine/base/check.h"
#include "engine/speculate/budget_bound.h"
#include "engine/speculate/grow.h"

namespace draftscope {
namespace {

// The trees of all requests, grown in one order.
class Forest {
 public:
  Forest(std::span<const RequestDraft> requests, const BudgetRule& rule)
      : rooms_(requests.size()), expected_{static_cast<double>(requests.size())} {
    growers_.reserve(requests.size());
    for (size_t r = 0; r < requests.size(); ++r) {
      growers_.emplace_back(believed(*requests[r].q, rule, rooms_[r]), requests[r].root_token, rule.max_nodes,
                            off_spine_of(rule));
    }
    find_next();
  }

  // log q of the node that the next pop would add to any tree.
  std::optional<double> next_log_q() const {
    return next_ < growers_.size() ? growers_[next_].next_log_q() : std::nullopt;
  }
  void pop() {
    phi_ += std::exp(*next_log_q());
    expected_.push_back(expected_[0] + phi_);
    growers_[next_].pop();
    owner_.push_back(next_);
    find_next();
  }
  int32_t n_nodes() const { return static_cast<int32_t>(owner_.size()); }
  // (n_nodes + 1,) n_requests + Phi(n).
  const std::vector<double>& expected() const { return expected_; }

  // The trees that the first n_nodes pops make.
  std::vector<DraftTree> take(int32_t n_nodes) {
    std::vector<int32_t> share(growers_.size(), 0);
    for (int32_t i = 0; i < n_nodes; ++i) ++share[owner_[static_cast<size_t>(i)]];
    std::vector<DraftTree> trees;
    for (size_t r = 0; r < growers_.size(); ++r) trees.push_back(first_nodes(growers_[r].take(), share[r]));
    return trees;
  }

 private:
  void find_next() {
    next_ = growers_.size();
    double best = 0;
    for (size_t r = 0; r < growers_.size(); ++r) {
      const std::optional<double> log_q = growers_[r].next_log_q();
      if (!log_q || (next_ < growers_.size() && *log_q <= best)) continue;
      next_ = r;
      best = *log_q;
    }
  }

  std::vector<Marginals> rooms_;     // what is believed where that is not the draft itself
  std::vector<TreeGrower> growers_;  // (n_requests,)
  std::vector<size_t> owner_;        // (n_nodes,) request of each pop
  std::vector<double> expected_;
  double phi_ = 0;
  size_t next_ = 0;                  // request of the next pop; n_requests: no candidate is left
};

// Pops until no larger total can win.
StopReason grow_until_proved(const std::vector<double>& cost_s, Forest& forest) {
  const BudgetBound bound(cost_s);
  double best_theta = 0;
  for (size_t n = 0; n + 1 < cost_s.size(); ++n) {
    const double expected = forest.expected()[n];
    best_theta = std::max(best_theta, expected / cost_s[n]);
    const std::optional<double> log_q = forest.next_log_q();
    if (!log_q) return StopReason::kHeapEmpty;
    if (bound.nothing_beats(best_theta, static_cast<int32_t>(n), expected, std::exp(*log_q))) return StopReason::kBoundProved;
    forest.pop();
  }
  return StopReason::kNodeLimit;
}

// The last total of the rows that the whole pass is padded to anyway.
int32_t fill_pass(int32_t n, int32_t n_requests, int32_t bucket_rows, int32_t last) {
  return fill_bucket(n + n_requests - 1, bucket_rows, last + n_requests - 1) - (n_requests - 1);
}

RoundCost from_node(const RoundCost& cost, int32_t first, int32_t n_candidates) {
  const auto cut = [&](const std::vector<double>& values) {
    return std::vector<double>(values.begin() + first, values.begin() + first + n_candidates);
  };
  return {cost.draft_s, cost.overhead_s, cut(cost.verify_s), cut(cost.faithful_s), cut(cost.roofline_s), cost.plain_s};
}

}  // namespace

bool shares_budget(Method method) {
  return method == Method::kExact || method == Method::kExactFill || method == Method::kCalibrated;
}

RoundCost pass_cost(const CostTable& cost, int32_t context, int32_t n_requests, int32_t block_rows, int32_t max_nodes) {
  DS_CHECK(n_requests >= 1 && block_rows >= 0 && max_nodes >= 0);
  const int32_t n_blocks_rows = n_requests * block_rows, more_roots = n_requests - 1;
  const RoundCost wide = cost.at(context, std::max(max_nodes + more_roots, n_blocks_rows));
  RoundCost pass = from_node(wide, more_roots, max_nodes + 1);
  // Several plain rows cost the curve's pass of as many, although a profile times that behind a draft: from four rows on it
  // took as long behind its like, with one or two 3 % longer behind the draft (demo pair, one core).
  if (n_requests > 1) pass.plain_s = pass.verify_s[0];
  if (block_rows == 0) {
    pass.draft_s = pass.overhead_s = 0;
    pass.verify_s[0] = pass.plain_s;
  } else {
    pass.draft_s *= wide.verify_s[static_cast<size_t>(n_blocks_rows) - 1] / wide.verify_s[static_cast<size_t>(block_rows) - 1];
    pass.overhead_s *= n_requests;
  }
  return pass;
}

SharedChoice choose_trees(std::span<const RequestDraft> requests, const RoundCost& cost, const BudgetRule& rule) {
  const int32_t max_nodes = rule.max_nodes, n_requests = static_cast<int32_t>(requests.size());
  DS_CHECK(n_requests >= 1 && max_nodes >= 0 && shares_budget(rule.method), "{} requests, {}", n_requests, name(rule.method));
  DS_CHECK(std::min(cost.verify_s.size(), cost.faithful_s.size()) > static_cast<size_t>(max_nodes));
  std::vector<double> cost_s;
  for (int32_t n = 0; n <= max_nodes; ++n) cost_s.push_back(cost.total_s(n));

  Forest forest(requests, rule);
  SharedChoice choice;
  choice.decision.stop = grow_until_proved(cost_s, forest);
  int32_t chosen = exact_best(forest.expected(), cost);
  if (rule.method == Method::kExactFill) {
    const int32_t asked = fill_pass(chosen, n_requests, rule.bucket_rows, max_nodes);
    while (forest.n_nodes() < asked && forest.next_log_q()) forest.pop();
    chosen = std::min(asked, forest.n_nodes());
  }
  choice.decision.chosen = chosen;
  fill_curves(forest.expected(), cost, choice.decision);
  choice.tree = forest.take(chosen);
  return choice;
}

Choice choice_beside(const RequestDraft& request, DraftTree verified, const OthersInPass& others, const RoundCost& cost,
                     const BudgetRule& rule, bool whole) {
  const int32_t chosen = verified.size() - 1, reach = static_cast<int32_t>(cost.verify_s.size()) - 1 - others.n_nodes;
  DS_CHECK(chosen <= reach, "{} nodes beside {}, costs for {}", chosen, others.n_nodes, cost.verify_s.size() - 1);
  Choice choice;
  choice.tree = std::move(verified);
  choice.decision.chosen = chosen;
  if (whole && rule.method != Method::kPlain) {
    BudgetRule wide = rule;
    wide.max_nodes = std::max(chosen, std::min(rule.max_nodes, reach));
    // Growth is deterministic, so the longer tree begins with the one that was verified.
    choice.tree = every_candidate(*request.q, request.root_token, wide);
    DS_CHECK(choice.tree.size() > chosen);
  }
  std::vector<double> expected = expected_tokens_of(choice.tree);
  for (double& tokens : expected) tokens += others.expected;
  const auto n_candidates = static_cast<int32_t>(expected.size());
  fill_curves(std::move(expected), from_node(cost, others.n_nodes, n_candidates), choice.decision);
  return choice;
}

}  // namespace draftscope
