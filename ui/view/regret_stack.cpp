#include "ui/view/regret_stack.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/record/policies.h"
#include "ui/view/lab_table.h"

namespace draftscope {
namespace {

using Parts = std::array<double, kRegretParts>;

bool fits(const LabRegret& regret) {
  const size_t n = regret.position.size();
  for (const auto* column :
       {&regret.search, &regret.cost, &regret.calibration, &regret.luck, &regret.oracle, &regret.realised}) {
    if (column->size() != n) return false;
  }
  return n > 0;
}

Parts parts_of(const LabRegret& regret, size_t round) {
  return {regret.search[round], regret.cost[round], regret.calibration[round], regret.luck[round]};
}

void add(RegretBands& bands, const Parts& parts) {
  double up = 0, down = 0;
  for (size_t part = 0; part < kRegretParts; ++part) {
    double& edge = parts[part] >= 0 ? up : down;
    const double from = edge;
    edge += parts[part];
    bands.low[part].push_back(std::min(from, edge));
    bands.high[part].push_back(std::max(from, edge));
  }
  bands.bottom = std::min(bands.bottom, down);
  bands.top = std::max(bands.top, up);
}

/// The share of `part` in the whole loss; empty when nothing was lost.
std::string share_text(double part, double whole) {
  return whole > 1e-9 ? fmt::format(" ({:.0f} %)", 100 * part / whole) : std::string();
}

std::string headline_of(const RegretStack& stack, const LabRegret& regret, int32_t n_tokens, double seconds) {
  const char* name = policy_of(regret.method).title;
  if (stack.lost_tokens < 0.05)
    return fmt::format("{} made {} tokens in {:.2f} s; hindsight would have made no more.", name, n_tokens,
                       seconds);
  return fmt::format(
      "{} made {} tokens in {:.2f} s; hindsight would have made {:.1f} more in that time, {:.1f} %.", name,
      n_tokens, seconds, stack.lost_tokens, 100 * stack.lost_tokens / n_tokens);
}

}  // namespace

const std::array<RegretPart, kRegretParts> kRegretPartNames = {{
    {"S", "search", "The rule did not take the best budget under the cost that it assumed."},
    {"M", "cost model", "A pass does not cost what the model said, so another budget would have been best."},
    {"C", "calibration",
     "The drafter's probabilities are not how often the target agrees; corrected ones choose otherwise."},
    {"L", "luck", "Only the target's answer tells: no rule could have known."},
}};

RegretStack regret_stack(const LabReport& report) {
  RegretStack stack;
  const LabRegret& regret = report.regret;
  if (!fits(regret)) {
    stack.empty_reason = "The regret is being computed.";
    return stack;
  }
  const size_t n = regret.position.size();
  for (const int32_t position : regret.position) stack.position.push_back(position);
  stack.position.push_back(report.n_tokens);
  double seconds = 0;
  for (size_t i = 0; i < n; ++i) {
    const Parts parts = parts_of(regret, i);
    add(stack.per_round, parts);
    const double tokens = stack.position[i + 1] - stack.position[i];
    const double round_s = regret.realised[i] > 0 ? tokens / regret.realised[i] : 0;
    seconds += round_s;
    for (size_t part = 0; part < kRegretParts; ++part) stack.tokens[part] += parts[part] * round_s;
    add(stack.summed, stack.tokens);
  }
  for (const double tokens : stack.tokens) stack.lost_tokens += tokens;
  for (size_t part = 0; part < kRegretParts; ++part) {
    stack.totals[part] = fmt::format("{}: {:.1f} tokens{}", kRegretPartNames[part].name, stack.tokens[part],
                                     share_text(stack.tokens[part], stack.lost_tokens));
  }
  stack.headline = headline_of(stack, regret, report.n_tokens, seconds);
  return stack;
}

int32_t round_at(const RegretStack& stack, double position) {
  if (stack.n_rounds() < 1 || position < stack.position.front() || position >= stack.position.back())
    return -1;
  return static_cast<int32_t>(std::ranges::upper_bound(stack.position, position) - stack.position.begin()) -
         1;
}

std::vector<std::string> regret_lines(const LabRegret& regret, int32_t round) {
  if (!fits(regret) || round < 0 || static_cast<size_t>(round) >= regret.position.size()) return {};
  const auto i = static_cast<size_t>(round);
  std::vector<std::string> lines = {fmt::format("round {} at position {}: {} tokens/s, hindsight {}", round,
                                                regret.position[i], speed_text(regret.realised[i]),
                                                speed_text(regret.oracle[i]))};
  const Parts parts = parts_of(regret, i);
  for (size_t part = 0; part < kRegretParts; ++part) {
    lines.push_back(fmt::format("{} {}: {:.1f}", kRegretPartNames[part].letter, kRegretPartNames[part].name,
                                parts[part]));
  }
  return lines;
}

}  // namespace draftscope
