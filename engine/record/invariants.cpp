#include "engine/record/invariants.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace draftscope {
namespace {

constexpr int64_t kMaxCount = int64_t{1} << 40;  // sums of counts stay far from overflow

Status check_range(const char* what, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return success();
  return fail("{} is {}, expected {} to {}", what, value, low, high);
}

Status check_size(const char* what, size_t found, size_t expected) {
  if (found == expected) return success();
  return fail("{} has {} values, expected {}", what, found, expected);
}

Status check_finite(const char* what, std::span<const double> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) return fail("{}[{}] is {}, expected a finite number", what, i, values[i]);
  }
  return success();
}

Status check_amount(const char* what, double value) {
  if (std::isfinite(value) && value >= 0) return success();
  return fail("{} is {}, expected a finite number from 0", what, value);
}

Status check_amounts(const char* what, std::span<const double> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (Status status = check_amount(what, values[i]); !status)
      return fail("value {} of {}", i, status.error());
  }
  return success();
}

Status check_positive(const char* what, std::span<const double> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (!(std::isfinite(values[i]) && values[i] > 0)) {
      return fail("{}[{}] is {}, expected a finite number above 0", what, i, values[i]);
    }
  }
  return success();
}

Status check_tokens(const char* what, std::span<const int32_t> tokens) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] < 0) return fail("{}[{}] is {}, expected a token id", what, i, tokens[i]);
  }
  return success();
}

// The first failure of a list of checks; every check runs only if those before it succeeded.
template <class... Checks>
Status first_failure(const Checks&... checks) {
  Status status = success();
  static_cast<void>(((status = checks(), status.ok()) && ...));
  return status;
}

Status check_marginals(const Marginals& q) {
  if (q.n_depths < 0 || q.n_ranks < 0) return fail("q is {} depths by {} ranks", q.n_depths, q.n_ranks);
  const size_t n = static_cast<size_t>(q.n_depths) * static_cast<size_t>(q.n_ranks);
  if (q.token.size() != n || q.log_q.size() != n) {
    return fail("q has {} tokens and {} log_q, expected {} x {}", q.token.size(), q.log_q.size(), q.n_depths,
                q.n_ranks);
  }
  for (size_t i = 0; i < n; ++i) {
    // -inf is a token that the drafter rules out.
    if (std::isnan(q.log_q[i]) || q.log_q[i] == std::numeric_limits<float>::infinity()) {
      return fail("q.log_q[{}] is {}, expected a log-probability", i, q.log_q[i]);
    }
    const bool row_begins = i % static_cast<size_t>(q.n_ranks) == 0;
    if (!row_begins && q.log_q[i] > q.log_q[i - 1]) return fail("q.log_q[{}] is above the rank before it", i);
  }
  return check_tokens("q.token", q.token);
}

// Marginals may be absent (plain decoding, imported rounds); where they exist every node points into them.
Status check_node(const DraftTree& tree, const Marginals& q, size_t i) {
  const int32_t parent = tree.parent[i];
  if (parent < 0 || static_cast<size_t>(parent) >= i) {
    return fail("tree.parent[{}] is {}, expected a node before it", i, parent);
  }
  if (tree.depth[i] != tree.depth[parent] + 1) {
    return fail("tree.depth[{}] is {}, expected {}", i, tree.depth[i], tree.depth[parent] + 1);
  }
  if (tree.rank[i] < 0) return fail("tree.rank[{}] is {}, expected 0 or more", i, tree.rank[i]);
  if (!q.token.empty() && (tree.depth[i] > q.n_depths || tree.rank[i] >= q.n_ranks)) {
    return fail("node {} is at depth {} and rank {}, but q has {} depths and {} ranks", i, tree.depth[i],
                tree.rank[i], q.n_depths, q.n_ranks);
  }
  return success();
}

Status check_tree(const DraftTree& tree, const Marginals& q) {
  const size_t n = tree.token.size();
  if (n == 0) return fail("tree is empty, expected the root at least");
  if (tree.parent.size() != n || tree.depth.size() != n || tree.rank.size() != n ||
      tree.path_log_q.size() != n) {
    return fail(
        "tree has {} tokens, {} parents, {} depths, {} ranks and {} path_log_q, expected equal counts", n,
        tree.parent.size(), tree.depth.size(), tree.rank.size(), tree.path_log_q.size());
  }
  if (tree.parent[0] != -1 || tree.depth[0] != 0 || tree.rank[0] != 0 || tree.path_log_q[0] != 0) {
    return fail("tree root has parent {}, depth {}, rank {} and path_log_q {}, expected -1, 0, 0 and 0",
                tree.parent[0], tree.depth[0], tree.rank[0], tree.path_log_q[0]);
  }
  for (size_t i = 1; i < n; ++i) {
    if (Status status = check_node(tree, q, i); !status) return status;
  }
  return first_failure([&] { return check_finite("tree.path_log_q", tree.path_log_q); },
                       [&] { return check_tokens("tree.token", tree.token); });
}

Status check_decision(const BudgetDecision& decision, int32_t n_nodes) {
  const size_t n = decision.theta_tokens_per_s.size();
  // Without curves the budgets are bounded by the candidates of the tree alone.
  const int64_t last = n == 0 ? n_nodes : static_cast<int64_t>(n) - 1;
  return first_failure(
      [&] { return check_range("decision.chosen", decision.chosen, 0, std::min<int64_t>(last, n_nodes)); },
      [&] { return check_range("decision.faithful_stop", decision.faithful_stop, 0, last); },
      [&] { return check_range("decision.global_best", decision.global_best, 0, last); },
      [&] { return check_range("decision.runner_up", decision.runner_up, 0, last); },
      [&] { return check_size("decision.expected_tokens", decision.expected_tokens.size(), n); },
      [&] { return check_size("decision.cost_s", decision.cost_s.size(), n); },
      [&] { return check_amounts("decision.expected_tokens", decision.expected_tokens); },
      [&] { return check_amounts("decision.cost_s", decision.cost_s); },
      [&] { return check_amounts("decision.theta_tokens_per_s", decision.theta_tokens_per_s); });
}

Status check_accepted(const Accepted& accepted, const DraftTree& tree, int32_t n_rows) {
  if (accepted.path.empty() || accepted.path[0] != 0) return fail("accepted.path does not begin at the root");
  for (size_t i = 1; i < accepted.path.size(); ++i) {
    const int32_t node = accepted.path[i];
    if (node < 0 || node >= n_rows) {
      return fail("accepted.path[{}] is {}, expected one of {} verified nodes", i, node, n_rows);
    }
    if (tree.parent[node] != accepted.path[i - 1]) {
      return fail("accepted.path[{}] is {}, which is no child of {}", i, node, accepted.path[i - 1]);
    }
  }
  return check_range("accepted.bonus", accepted.bonus, -1, std::numeric_limits<int32_t>::max());
}

Status check_times(const char* what, const StageTimes& times) {
  for (const int64_t time_ns :
       {times.draft_ns, times.grow_ns, times.verify_ns, times.accept_ns, times.commit_ns}) {
    if (Status status = check_range(what, time_ns, 0, kMostTime_ns); !status) return status;
  }
  return success();
}

// What a request has in a pass, the pass has too, and every other request has at least a root and a token.
Status check_shared(const RoundRecord& round) {
  if (!round.shared) return success();
  const SharedPass& shared = *round.shared;
  constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
  const int64_t n_others = static_cast<int64_t>(shared.n_requests) - 1;
  const auto n_tokens = static_cast<int64_t>(round.accepted.path.size());
  return first_failure(
      [&] { return check_range("shared.pass", shared.pass, 0, kMaxCount); },
      [&] { return check_range("shared.n_requests", shared.n_requests, 1, kMax); },
      [&] { return check_range("shared.n_rows", shared.n_rows, round.n_verified_rows() + n_others, kMax); },
      [&] { return check_range("shared.n_tokens", shared.n_tokens, n_tokens + n_others, kMax); },
      [&] { return check_amount("shared.expected_tokens", shared.expected_tokens); },
      [&] { return check_amount("shared.theta_tokens_per_s", shared.theta_tokens_per_s); });
}

Status check_text(const TokenText& text) {
  if (text.id.empty() && text.offset.empty() && text.pool.empty()) return success();
  if (Status status = check_size("text.offset", text.offset.size(), text.id.size() + 1); !status)
    return status;
  if (text.offset.front() != 0 || text.offset.back() != text.pool.size()) {
    return fail("text.offset goes from {} to {}, expected 0 to {}", text.offset.front(), text.offset.back(),
                text.pool.size());
  }
  if (!std::is_sorted(text.offset.begin(), text.offset.end())) return fail("text.offset decreases");
  const auto not_ascending = [](int32_t a, int32_t b) { return a >= b; };
  if (std::adjacent_find(text.id.begin(), text.id.end(), not_ascending) != text.id.end()) {
    return fail("text.id is not in ascending order");
  }
  return success();
}

Status check_cost(const CostModel& cost) {
  const size_t n_points = cost.context.size() * cost.rows.size();
  const auto ascending = [](const char* what, const std::vector<int32_t>& axis) -> Status {
    const auto not_ascending = [](int32_t a, int32_t b) { return a >= b; };
    if (std::adjacent_find(axis.begin(), axis.end(), not_ascending) == axis.end()) return success();
    return fail("{} is not in ascending order", what);
  };
  return first_failure(
      [&] { return ascending("cost.context", cost.context); },
      [&] { return ascending("cost.rows", cost.rows); },
      [&] { return check_size("cost.verify_s", cost.verify_s.size(), n_points); },
      [&] { return check_size("cost.spread_s", cost.spread_s.size(), cost.spread_s.empty() ? 0 : n_points); },
      [&] { return check_size("cost.draft_s", cost.draft_s.size(), cost.context.size()); },
      [&] { return check_size("cost.plain_s", cost.plain_s.size(), cost.plain_s.empty() ? 0 : cost.context.size()); },
      [&] { return check_amounts("cost.verify_s", cost.verify_s); },
      [&] { return check_amounts("cost.spread_s", cost.spread_s); },
      [&] { return check_amounts("cost.draft_s", cost.draft_s); },
      [&] { return check_positive("cost.plain_s", cost.plain_s); },
      [&] { return check_amount("cost.overhead_s", cost.overhead_s); });
}

}  // namespace

Status check_invariants(const SessionInfo& info) {
  constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
  return first_failure([&] { return check_range("session", info.session, 0, kMaxCount); },
                       [&] { return check_range("prompt_tokens", info.prompt_tokens, 0, kMax); },
                       [&] { return check_range("block_size", info.block_size, 0, kMax); },
                       [&] { return check_range("max_tokens", info.max_tokens, 0, kMax); },
                       [&] { return check_range("budget", info.budget, 0, kMax); },
                       [&] { return check_range("max_nodes", info.max_nodes, 0, kMax); },
                       [&] { return check_range("n_slots", info.n_slots, 0, kMax); },
                       [&] { return check_amount("temperature", info.temperature); },
                       [&] { return check_cost(info.cost); });
}

Status check_invariants(const RoundRecord& round) {
  const size_t n_rows = static_cast<size_t>(round.decision.chosen) + 1;
  constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
  return first_failure(
      [&] { return check_range("seq", round.seq, 0, kMaxCount); },
      [&] { return check_range("session", round.session, 0, kMaxCount); },
      [&] { return check_range("context_len", round.context_len, 0, kMax); },
      [&] { return check_amount("temperature", round.temperature); },
      [&] { return check_marginals(round.q); }, [&] { return check_tree(round.tree, round.q); },
      [&] { return check_decision(round.decision, round.tree.size() - 1); },
      [&] { return check_size("verdict.choice", round.verdict.choice.size(), n_rows); },
      [&] { return check_size("verdict.choice_log_p", round.verdict.choice_log_p.size(), n_rows); },
      [&] { return check_tokens("verdict.choice", round.verdict.choice); },
      [&] { return check_accepted(round.accepted, round.tree, static_cast<int32_t>(n_rows)); },
      [&] { return check_times("took", round.took); },
      [&] { return check_times("predicted", round.predicted); },
      [&] { return check_range("telemetry_ns", round.telemetry_ns, 0, kMostTime_ns); },
      [&] { return check_amount("cost_drift", round.cost_drift); },
      [&] { return check_shared(round); }, [&] { return check_text(round.text); });
}

Status check_invariants(const SessionEnd& end) {
  return first_failure([&] { return check_range("session", end.session, 0, kMaxCount); },
                       [&] { return check_range("n_tokens", end.n_tokens, 0, kMaxCount); },
                       [&] { return check_range("n_rounds", end.n_rounds, 0, kMaxCount); },
                       [&] { return check_range("decode_ns", end.decode_ns, 0, kMostTime_ns); },
                       [&] { return check_range("prefill_ns", end.prefill_ns, 0, kMostTime_ns); });
}

}  // namespace draftscope
