#include "ui/view/theta_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "ui/view/cost_shape.h"
#include "ui/view/decoded_tokens.h"

namespace draftscope {
namespace {

void add_mark(ThetaPlot& plot, BudgetMark mark, int32_t n) {
  if (n < 0 || static_cast<size_t>(n) >= plot.n.size()) return;
  auto at =
      std::find_if(plot.markers.begin(), plot.markers.end(), [&](const ThetaMarker& m) { return m.n >= n; });
  if (at == plot.markers.end() || at->n != n) {
    at = plot.markers.insert(at,
                             {.n = n, .theta_tokens_per_s = plot.theta_tokens_per_s[static_cast<size_t>(n)]});
  }
  at->marks.push_back(mark);
}

void label_markers(ThetaPlot& plot) {
  for (ThetaMarker& marker : plot.markers) {
    for (const BudgetMark mark : marker.marks) {
      if (!marker.label.empty()) marker.label += " = ";
      marker.label += name(mark);
    }
    marker.label += fmt::format(", n = {}", marker.n);
  }
}

/// "12.5 %", from twice on "11.6x": theta of the best budget against the chosen one's.
std::string times_words(double times) {
  return times < 2 ? fmt::format("{:.1f} %", 100 * (times - 1)) : fmt::format("{:.1f}x", times);
}

/// How many times what the chosen budget promises the best one does; nothing when they are the same.
std::optional<double> missed_times(const ThetaPlot& plot, const BudgetDecision& decision) {
  const auto n = static_cast<int32_t>(plot.n.size());
  if (decision.chosen >= n || decision.global_best >= n || decision.chosen == decision.global_best)
    return std::nullopt;
  const double best = plot.theta_tokens_per_s[decision.global_best];
  return best / std::max(1e-12, plot.theta_tokens_per_s[decision.chosen]);
}

std::string decision_words(const ThetaPlot& plot, const BudgetDecision& decision) {
  const auto missed = missed_times(plot, decision);
  if (!missed) return fmt::format("n = {}, the best of all", decision.chosen);
  return fmt::format("n = {}; n = {} is {} {}", decision.chosen, decision.global_best, times_words(*missed),
                     *missed < 2 ? "better" : "as fast");
}

std::string decision_sentence(const ThetaPlot& plot, const BudgetDecision& decision) {
  std::string sentence = fmt::format("Verified {} nodes ({})", decision.chosen, name(decision.stop));
  if (const auto missed = missed_times(plot, decision)) {
    sentence += fmt::format("; the best of all is {} nodes, {} {} chosen", decision.global_best,
                            times_words(*missed), *missed < 2 ? "more than" : "as fast as");
  } else {
    sentence += ", the best of all candidates";
  }
  if (decision.faithful_stop != decision.global_best) {
    sentence += fmt::format("; CaDDTree's stop would be at {}", decision.faithful_stop);
  }
  return sentence + ".";
}

std::string shared_sentence(const SharedPass& pass) {
  if (pass.n_requests == 1) return " No other request shared the pass.";
  const int32_t n_others = pass.n_requests - 1;
  return fmt::format(" The pass is shared with {} other request{}: tokens, cost and theta are the whole pass's of {} rows.", n_others,
                     n_others == 1 ? "" : "s", pass.n_rows);
}

/// What the round made, or all rounds of its pass.
void set_realised(ThetaPlot& plot, const RecordStore& store, size_t round) {
  const RequestHistory& request = store.requests()[store.shown_request()];
  const RoundRecord& record = request.rounds[round];
  const auto n_path = static_cast<int64_t>(record.accepted.path.size());
  const int64_t n_committed = record.shared ? record.shared->n_tokens : n_path;
  plot.n_behind = record.shared ? behind_by_pass(store)[record.shared->pass] : n_path - kept_tokens(request, round);
  plot.realised_tokens = static_cast<double>(n_committed - plot.n_behind);
  plot.realised_ms = 1e-6 * static_cast<double>(record.took.total_ns());
}

/// Which candidates the session's cost curve has points for; without a curve nothing is said against any.
void set_known(ThetaPlot& plot, const RecordStore& store, const RoundRecord& record) {
  plot.last_known = static_cast<int32_t>(plot.n.size()) - 1;
  if (!store.info() || !is_drawable(store.info()->cost)) return;
  const std::vector<int32_t>& rows = store.info()->cost.rows;
  // Of the pass beside the nodes of this request: its root, and whatever the others verify.
  const int32_t n_beside = record.shared ? record.shared->n_rows - record.decision.chosen : 1;
  plot.first_known = std::max(0, rows.front() - n_beside);
  plot.last_known = std::min(plot.last_known, rows.back() - n_beside);
}

}  // namespace

const char* name(BudgetMark mark) {
  switch (mark) {
    case BudgetMark::kChosen:
      return "chosen";
    case BudgetMark::kFaithfulStop:
      return "CaDDTree's stop";
    case BudgetMark::kGlobalBest:
      return "global best";
    case BudgetMark::kRunnerUp:
      return "runner-up";
  }
  return "unknown";
}

ThetaPlot theta_plot(const RecordStore& store, size_t round) {
  ThetaPlot plot;
  const RoundRecord& record = store.rounds()[round];
  const BudgetDecision& decision = record.decision;
  const size_t n =
      std::min({decision.expected_tokens.size(), decision.cost_s.size(), decision.theta_tokens_per_s.size()});
  set_realised(plot, store, round);
  plot.provenance = name(decision.provenance);
  if (n == 0 || record.method == Method::kPlain) {
    plot.empty_reason = record.method == Method::kPlain ? "Plain decoding makes no budget decision."
                                                        : "This record carries no budget curves.";
    return plot;
  }
  for (size_t i = 0; i < n; ++i) {
    plot.n.push_back(static_cast<double>(i));
    plot.expected_tokens.push_back(decision.expected_tokens[i]);
    plot.cost_ms.push_back(1e3 * decision.cost_s[i]);
    plot.theta_tokens_per_s.push_back(decision.theta_tokens_per_s[i]);
  }
  set_known(plot, store, record);
  add_mark(plot, BudgetMark::kChosen, decision.chosen);
  add_mark(plot, BudgetMark::kFaithfulStop, decision.faithful_stop);
  add_mark(plot, BudgetMark::kGlobalBest, decision.global_best);
  if (decision.runner_up != decision.global_best) add_mark(plot, BudgetMark::kRunnerUp, decision.runner_up);
  label_markers(plot);
  plot.verdict = decision_sentence(plot, decision);
  if (record.shared) plot.verdict += shared_sentence(*record.shared);
  plot.headline = decision_words(plot, decision);
  return plot;
}

int32_t useful_n(const ThetaPlot& plot) {
  constexpr int32_t kLeast = 16, kTimes = 4;
  if (plot.n.empty()) return 0;
  const auto all = static_cast<int32_t>(plot.n.size()) - 1;
  const int32_t marked = plot.markers.empty() ? all : plot.markers.back().n;  // ascending
  return std::min(all, std::max(kLeast, marked > all / kTimes ? all : kTimes * marked));
}

std::string extrapolated_words(const ThetaPlot& plot, int32_t last) {
  const bool below = plot.first_known > 0, beyond = plot.last_known < last;
  if (plot.last_known < 0 || plot.first_known > last) return "extrapolated: all n";
  if (below && beyond) return fmt::format("extrapolated: n < {} and n > {}", plot.first_known, plot.last_known);
  if (below) return fmt::format("extrapolated: n < {}", plot.first_known);
  return beyond ? fmt::format("extrapolated: n > {}", plot.last_known) : std::string();
}

std::string realised_sentence(const ThetaPlot& plot) {
  std::string sentence =
      fmt::format("This round made {:.0f} token{}", plot.realised_tokens, plot.realised_tokens == 1 ? "" : "s");
  if (plot.realised_ms > 0) sentence += fmt::format(" in {:.2f} ms", plot.realised_ms);
  sentence += " (measured)";
  if (plot.n_behind > 0) sentence += fmt::format(", and {} more behind the end of the text", plot.n_behind);
  return sentence + ".";
}

std::string budget_line(const ThetaPlot& plot, int32_t n) {
  if (n < 0 || static_cast<size_t>(n) >= plot.n.size()) return {};
  const auto at = static_cast<size_t>(n);
  const bool known = n >= plot.first_known && n <= plot.last_known;
  return fmt::format("n = {}: {:.2f} tokens, {:.2f} ms, {:.1f} tokens/s ({}{})", n, plot.expected_tokens[at],
                     plot.cost_ms[at], plot.theta_tokens_per_s[at], plot.provenance, known ? "" : ", extrapolated");
}

}  // namespace draftscope
