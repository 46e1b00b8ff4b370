#include "ui/view/budget_track.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ui/view/lab_table.h"

namespace draftscope {

BudgetTrack budget_track(const LabReport& report, const std::vector<Method>& methods) {
  BudgetTrack track;
  track.n_tokens = report.n_tokens;
  for (const LabPolicy& policy : report.policies) {
    const bool wanted = std::ranges::find(methods, policy.method) != methods.end();
    if (!wanted || policy.method == Method::kPlain || policy.rounds.empty()) continue;
    BudgetSteps line;
    line.method = policy.method;
    line.name = policy_label(policy);
    for (const LabRound& round : policy.rounds) {
      line.position.push_back(round.position);
      line.budget.push_back(round.chosen);
      line.accepted.push_back(round.accepted);
      track.top = std::max(track.top, static_cast<double>(round.chosen));
    }
    line.position.push_back(report.n_tokens);
    line.budget.push_back(line.budget.back());
    track.lines.push_back(std::move(line));
  }
  return track;
}

double budget_height(double budget, double top) { return std::log2(1 + budget) / std::log2(1 + top); }

std::vector<double> budget_ticks(double top, double gap) {
  std::vector<double> ticks = {0};
  for (double budget = 4; budget <= top; budget *= 4) {
    if (budget_height(budget, top) - budget_height(ticks.back(), top) >= gap) ticks.push_back(budget);
  }
  return ticks;
}

int32_t round_at(const BudgetSteps& line, int32_t position) {
  if (line.position.empty() || position < line.position.front() || position >= line.position.back())
    return -1;
  const auto after =
      std::upper_bound(line.position.begin(), line.position.end(), static_cast<double>(position));
  return static_cast<int32_t>(after - line.position.begin()) - 1;
}

std::string budget_at(const BudgetSteps& line, int32_t position) {
  const int32_t round = round_at(line, position);
  if (round < 0) return {};
  const auto i = static_cast<size_t>(round);
  return fmt::format("{}: round {} at position {:.0f}, {:.0f} node{}, {} accepted + bonus", line.name, round,
                     line.position[i], line.budget[i], line.budget[i] == 1 ? "" : "s", line.accepted[i]);
}

}  // namespace draftscope
