// How the best budget of a recorded round moves between cost curves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/record/cost_model.h"
#include "engine/record/round.h"

namespace draftscope {

/// A round's best budget under a curve, from the round's own expected tokens.
struct BestBudget {
  int32_t n = 0;            // nodes below the root; the smallest of equals
  double tokens_per_s = 0;  // expected
};

/// Nothing for rounds without a budget decision (plain decoding), for rounds that shared their pass with other requests,
/// and for curves that are not drawable or not positive.
std::optional<BestBudget> best_budget(const RoundRecord& record, const CostModel& cost);

/// What a pass costs in passes of one row, at the record's context.
double relative_price(const CostModel& cost, int32_t context_len, int32_t rows);

/// Seconds of passes of 1, 2, ... n_rows rows at a grid context; beyond the last row with the last slope.
/// (n_rows,)
std::vector<double> pass_seconds(const CostModel& cost, int32_t context_row, int32_t n_rows);

/// One sentence each: where the best budget lies under `a`, where under `b`, and why it moved. Empty when the
/// round decides nothing.
struct BudgetWords {
  std::string short_words;  // "best 24 nodes (A), 60 (B)"
  std::string sentence, why;
};
BudgetWords budget_words(const RoundRecord& record, const CostModel& a, const std::string& name_a,
                         const CostModel& b, const std::string& name_b);

}  // namespace draftscope
