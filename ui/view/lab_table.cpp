#include "ui/view/lab_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "engine/record/policies.h"

namespace draftscope {
namespace {

constexpr const char* kHowTo =
    "draftscope record --dense --prompt TEXT --trace FILE makes a recording for it, and "
    "draftscope --open FILE shows it.";

bool is_adaptive(Method method) {
  switch (method) {
    case Method::kCaddtree:
    case Method::kExact:
    case Method::kBastion:
    case Method::kExactFill:
    case Method::kCalibrated:
      return true;
    default:
      return false;
  }
}

/// The fastest policy among those that `counts` lets in; the first of equals.
template <class Counts>
const LabPolicy* fastest(const std::vector<LabPolicy>& policies, Counts counts) {
  const LabPolicy* best = nullptr;
  for (const LabPolicy& policy : policies) {
    if (counts(policy.method) && (best == nullptr || policy.tokens_per_s > best->tokens_per_s))
      best = &policy;
  }
  return best;
}

const LabPolicy* fastest_live(const std::vector<LabPolicy>& policies) {
  return fastest(policies, [](Method method) { return policy_of(method).live; });
}

std::string times(double value, double of) { return of > 0 ? fmt::format("{:.2f}x", value / of) : "-"; }

std::string signed_percent(double value, double of) {
  return of > 0 ? fmt::format("{:+.1f} %", 100 * (value / of - 1)) : "-";
}

LabRow row_of(const LabPolicy& policy, const LabReport& report, double fastest_tokens_per_s) {
  LabRow row;
  row.method = policy.method;
  row.name = policy_label(policy);
  row.speed = speed_text(policy.tokens_per_s);
  const LabPolicy* plain = find_policy(report, Method::kPlain);
  row.of_plain = times(policy.tokens_per_s, plain != nullptr ? plain->tokens_per_s : 0);
  row.of_fixed =
      report.best_fixed.budget > 0 ? times(policy.tokens_per_s, report.best_fixed.tokens_per_s) : "...";
  row.tokens = fmt::format("{:.2f}", policy.tokens_per_round);
  row.nodes = fmt::format("{:.1f}", policy.nodes_per_round);
  row.believed = fmt::format("{} ({})", speed_text(policy.expected_tokens_per_s),
                             signed_percent(policy.expected_tokens_per_s, policy.tokens_per_s));
  row.share = policy.tokens_per_s / fastest_tokens_per_s;
  row.believed_share = std::min(1.0, policy.expected_tokens_per_s / fastest_tokens_per_s);
  row.bound = !policy_of(policy.method).live;
  return row;
}

double top_of(const std::vector<LabPolicy>& policies) {
  double top = 1e-12;
  for (const LabPolicy& policy : policies) top = std::max(top, policy.tokens_per_s);
  return top;
}

void add_other_side(LabTable& table, const LabReport& report) {
  const double top = top_of(report.other_policies);
  const LabPolicy* best = fastest_live(report.other_policies);
  for (size_t i = 0; i < std::min(table.rows.size(), report.other_policies.size()); ++i) {
    const LabPolicy& other = report.other_policies[i];
    table.rows[i].other_speed = speed_text(other.tokens_per_s) + (&other == best ? " best" : "");
    table.rows[i].ratio = times(other.tokens_per_s, report.policies[i].tokens_per_s);
    table.rows[i].other_share = other.tokens_per_s / top;
  }
}

std::string headline_of(const LabReport& report) {
  const LabPolicy* best = fastest_live(report.policies);
  const LabPolicy* plain = find_policy(report, Method::kPlain);
  if (best == nullptr || plain == nullptr) return {};
  std::string sentence =
      fmt::format("Fastest: {}, {} tokens/s", policy_label(*best), speed_text(best->tokens_per_s));
  if (best != plain)
    sentence += fmt::format(", {} of plain decoding", times(best->tokens_per_s, plain->tokens_per_s));
  return sentence + ".";
}

std::string adaptivity_of(const LabReport& report) {
  const LabPolicy& fixed = report.best_fixed;
  const LabPolicy* best = fastest(report.policies, is_adaptive);
  if (fixed.budget == 0 || best == nullptr) return {};
  const double gain = 100 * (best->tokens_per_s / fixed.tokens_per_s - 1);
  const std::string found = fmt::format("the best fixed tree of this text ({} nodes, {} tokens/s)",
                                        fixed.budget, speed_text(fixed.tokens_per_s));
  if (gain > 0)
    return fmt::format("Best adaptive policy: {}. It beats {} by {:.1f} %.", policy_label(*best), found,
                       gain);
  return fmt::format("Best adaptive policy: {}. It does not beat {}: {:.1f} % below.", policy_label(*best),
                     found, -gain);
}

/// Seconds of a pass over one row, and of each further row on average, at the context nearest to `context`.
struct PassCost {
  double first_s = 0, row_s = 0;
};
PassCost pass_cost(const CostModel& model, double context) {
  size_t nearest = 0;
  for (size_t i = 1; i < model.context.size(); ++i) {
    if (std::abs(model.context[i] - context) < std::abs(model.context[nearest] - context)) nearest = i;
  }
  const size_t n = model.rows.size();
  if (n == 0 || model.verify_s.size() < (nearest + 1) * n) return {};
  const double first = model.verify_s[nearest * n], last = model.verify_s[nearest * n + n - 1];
  return {first, n > 1 ? (last - first) / (model.rows[n - 1] - model.rows[0]) : 0};
}

std::string why_of(const LabReport& report) {
  const LabPolicy* a = find_policy(report, Method::kExact);
  if (!report.other_cost || a == nullptr || a->rounds.empty() ||
      report.other_policies.size() != report.policies.size())
    return {};
  const LabPolicy& b = report.other_policies[static_cast<size_t>(a - report.policies.data())];
  const double context = a->rounds[a->rounds.size() / 2].context_len;
  const PassCost cost_a = pass_cost(report.cost, context), cost_b = pass_cost(*report.other_cost, context);
  return fmt::format(
      "Under A a pass over one row takes {:.3g} ms and each further row {:.2g} ms; under B {:.3g} ms and "
      "{:.2g} ms. So the exact optimum verifies {:.1f} nodes a round under A and {:.1f} under B.",
      1e3 * cost_a.first_s, 1e3 * cost_a.row_s, 1e3 * cost_b.first_s, 1e3 * cost_b.row_s, a->nodes_per_round,
      b.nodes_per_round);
}

}  // namespace

std::string policy_label(const LabPolicy& policy) {
  const Policy& known = policy_of(policy.method);
  if (policy.budget <= 0) return known.title;
  return fmt::format("{}, {} {}", known.title, policy.budget,
                     known.budget == BudgetUse::kBucketRows ? "rows" : "nodes");
}

const LabPolicy* find_policy(const LabReport& report, Method method) {
  const auto found = std::ranges::find(report.policies, method, &LabPolicy::method);
  return found == report.policies.end() ? nullptr : &*found;
}

std::string speed_text(double tokens_per_s) {
  return tokens_per_s < 10    ? fmt::format("{:.2f}", tokens_per_s)
         : tokens_per_s < 100 ? fmt::format("{:.1f}", tokens_per_s)
                              : fmt::format("{:.0f}", tokens_per_s);
}

LabTable lab_table(const LabReport& report) {
  LabTable table;
  table.two_sides = report.other_cost.has_value() && !report.other_policies.empty();
  const double top = top_of(report.policies);
  const LabPolicy* best = fastest_live(report.policies);
  for (const LabPolicy& policy : report.policies) {
    table.rows.push_back(row_of(policy, report, top));
    table.rows.back().best = &policy == best;
    table.rows.back().note = &policy == best ? "best" : table.rows.back().bound ? "bound" : "";
  }
  table.side_a = report.cost.label;
  if (table.two_sides) {
    table.side_b = report.other_cost->label;
    add_other_side(table, report);
  }
  table.headline = headline_of(report);
  table.adaptivity = adaptivity_of(report);
  table.why = why_of(report);
  table.timing = fmt::format(
      "{} tokens decided again under {} policies in {:.1f} ms (measured); speeds are derived.",
      report.n_tokens, report.policies.size() + report.other_policies.size(), 1e3 * report.solve_s);
  return table;
}

std::vector<std::string> lab_sentences(const LabTable& table) {
  std::vector<std::string> sentences = {table.headline};
  if (table.two_sides) {
    if (!table.why.empty()) sentences.push_back(table.why);
    sentences.push_back(fmt::format(
        "A: {}. B: {}; the thin line below a bar. A bar is a share of the fastest policy of its side.",
        table.side_a, table.side_b));
  }
  for (const std::string& sentence : {table.adaptivity, table.timing}) {
    if (!sentence.empty()) sentences.push_back(sentence);
  }
  return sentences;
}

std::string lab_empty_reason(const std::optional<SessionInfo>& info, bool live, const LabReport* report) {
  if (!info) return std::string("The lab decides a recorded text again under every policy. ") + kHowTo;
  if (live) return std::string("The lab needs a whole text, so it works on recordings. ") + kHowTo;
  if (!info->dense)
    return std::string("This recording lacks the drafter's view at every position. ") + kHowTo;
  if (report == nullptr) return "Deciding the text again under every policy.";
  return report->problem;
}

}  // namespace draftscope
