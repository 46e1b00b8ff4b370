// Budgets along the text: what every policy verified at which position, and how far each round got.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/record/lab_report.h"

namespace draftscope {

/// One policy's rounds as steps over the text; a round covers its accepted tokens and the bonus.
struct BudgetSteps {
  Method method = Method::kPlain;
  std::string name;
  std::vector<double> position;  // (n_rounds + 1,) where each round begins; last: the end of the text
  std::vector<double>
      budget;  // (n_rounds + 1,) nodes; the last value once more, so that stairs reach the end
  std::vector<int32_t> accepted;  // (n_rounds,)

  int32_t n_rounds() const { return static_cast<int32_t>(accepted.size()); }
};

struct BudgetTrack {
  std::vector<BudgetSteps> lines;  // of the policies asked for, in the report's order
  int32_t n_tokens = 0;
  double top = 1;  // largest budget of any line, at least 1
};

/// The lines of `methods`; policies that draft nothing have none.
BudgetTrack budget_track(const LabReport& report, const std::vector<Method>& methods);

/// Where a budget stands on the track's scale, which gives small budgets their room: 0 at the bottom, 1 at `top`.
double budget_height(double budget, double top);
/// The budgets to name there: 0 and powers of 4 up to `top`, without those less than `gap` above the one before.
std::vector<double> budget_ticks(double top, double gap);

/// Index of the round that covers `position`; -1 outside the text.
int32_t round_at(const BudgetSteps& line, int32_t position);

/// "exact optimum: round 12 at position 57, 24 nodes, 3 accepted + bonus". Empty outside the text.
std::string budget_at(const BudgetSteps& line, int32_t position);

}  // namespace draftscope
