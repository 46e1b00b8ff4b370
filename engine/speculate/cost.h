// Cost curves: seconds of a round by tree size and context, from a CostModel.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/record/cost_model.h"

namespace draftscope {

/// One context's round cost, every candidate budget evaluated once; index n = nodes below the root.
struct RoundCost {
  double draft_s = 0;                   // drafter block at this context
  double overhead_s = 0;                // build, mask, accept, compaction
  std::vector<double> verify_s;         // (max_nodes + 1,) a pass over n + 1 rows
  std::vector<double> faithful_s;       // (max_nodes + 1,) CaDDTree's C_v(n) on the convex fit, clamped below the first row
  double total_s(int32_t n) const { return draft_s + overhead_s + verify_s[n]; }
};

/// Evaluates `model` at `context` for n = 0..max_nodes. Between grid points: linear in rows and context;
/// below the first and above the last context: clamped; above the last row: last slope, never decreasing.
RoundCost round_cost(const CostModel& model, int32_t context, int32_t max_nodes);

/// One sentence when the model cannot be used (no points, unsorted axes, NaN, non-positive, sizes).
Status validate(const CostModel& model);

/// Least-squares monotone convex fit of y on the integers of its index (CaDDTree's fit_cost_model).
std::vector<double> monotone_convex_fit(const std::vector<double>& y);

/// Derived curves on the same grid: convex fit per context, affine, staircase with `tile` rows, roofline.
CostModel convex_fit(const CostModel& measured);
CostModel affine_fit(const CostModel& measured);
CostModel staircase(const CostModel& measured, int32_t tile);

/// JSON read and write ("cost-profile/1" of ours, and the published "cost-curve/1" layout).
Result<CostModel> parse_cost_json(const std::string& text, const std::string& path);
std::string cost_json(const CostModel& model);

}  // namespace draftscope
