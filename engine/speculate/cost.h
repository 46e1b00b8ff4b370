// Cost curves: seconds of a round by tree size and context, from a CostModel.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/record/cost_curves.h"
#include "engine/record/cost_model.h"

namespace draftscope {

/// One context's round cost, every candidate budget evaluated once; index n = nodes below the root.
struct RoundCost {
  double draft_s = 0;            // drafter block at this context
  double overhead_s = 0;         // build, mask, accept, compaction
  std::vector<double> verify_s;  // (max_nodes + 1,) a pass over n + 1 rows
  std::vector<double>
      faithful_s;  // (max_nodes + 1,) CaDDTree's C_v(n) on the convex fit, n tokens for n nodes
  std::vector<double> roofline_s = {};  // (max_nodes + 1,) BASTION's fit: the larger of a floor and a line, n + 1 rows
  double plain_s = 0;            // one step of plain decoding, see plain_step_s
  double total_s(int32_t n) const { return draft_s + overhead_s + verify_s[static_cast<size_t>(n)]; }
};

/// Evaluates `model` at `context` for n = 0..max_nodes. Between grid points: linear in rows and context;
/// below the first and above the last context: clamped; above the last row: last slope, never decreasing.
/// Requires validate(model). Repeated calls are cheaper through CostTable.
RoundCost round_cost(const CostModel& model, int32_t context, int32_t max_nodes);

/// A cost model with its convex fit done once, to be evaluated every round.
class CostTable {
 public:
  explicit CostTable(CostModel model);  // requires validate(model)

  const CostModel& model() const { return model_; }
  RoundCost at(int32_t context, int32_t max_nodes) const;

 private:
  CostModel model_;
  CostCurves verify_;
  CostCurves faithful_;
  CostCurves roofline_;
};

/// Seconds that a pass may take: tokens per second stay finite above the one, and the other is more than a day.
inline constexpr double kLeastPass_s = 1e-100, kMostPass_s = 1e5;

/// One sentence when the model cannot be used (no points, unsorted axes, NaN, non-positive, sizes, seconds that no pass takes).
/// draft_s and overhead_s may be zero: published curves leave them out. plain_s may be empty, never zero.
Status validate(const CostModel& model);

/// Least-squares monotone convex fit of y on the integers of its index (CaDDTree's fit_cost_model):
/// the exact minimiser of the squared error over non-decreasing sequences with non-negative second
/// differences, which never falls below the smallest value. Fewer than three values come back as they are.
/// (n,) -> (n,), any unit.
std::vector<double> monotone_convex_fit(const std::vector<double>& y);

/// Derived curves on the same contexts and rows, draft, overhead and plain step kept, spread dropped.
/// convex_fit: monotone_convex_fit per context, against the index of the row as CaDDTree does.
/// affine_fit: least squares in the rows per context, slope never negative, nowhere below the cheapest
/// measured pass at the first row. Both require validate(measured).
CostModel convex_fit(const CostModel& measured);
CostModel affine_fit(const CostModel& measured);
/// The larger of a floor and a rising line per context, least squares with small passes weighing more (BASTION's
/// calibrated roofline, arXiv 2605.29727, sigma = 1 + 30 * rows / last row): never falls, convex. Requires
/// validate(measured).
CostModel roofline_fit(const CostModel& measured);
/// Rows come in tiles of `tile` >= 1: a pass costs what `measured` says at the upper edge of its tile.
/// Its row axis is the edges of the tiles up to the last measured row. The plain step is dropped: it would fill a tile too.
CostModel staircase(const CostModel& measured, int32_t tile);

/// A machine and a model in six numbers, for costs from first principles.
struct Roofline {
  double weight_bytes = 0;        // read once per pass
  double kv_bytes_per_token = 0;  // read once per pass for every cached token
  double flops_per_row = 0;       // matrix products of one row
  double bytes_per_s = 0;         // memory bandwidth, > 0
  double flops_per_s = 0;         // arithmetic throughput, > 0
  double launch_floor_s = 0;      // host time that no pass avoids
  double draft_s = 0;             // one drafter block
};

/// launch floor + max(bytes / bandwidth, flops / throughput) on the given axes (each strictly ascending);
/// an Error when the numbers do not make a valid cost model.
Result<CostModel> roofline(const Roofline& machine, const std::vector<int32_t>& context,
                           const std::vector<int32_t>& rows);

/// Every cost model of a JSON text: "cost-profile/1" (ours) and "cost-curve/1" hold one, "cost-probes/1"
/// (published single-context probes) one per probe. Every model passes validate and has at least two row counts, since
/// one point is no curve. A total function of the text.
Result<std::vector<CostModel>> parse_cost_models(const std::string& text, const std::string& path);
/// The same for a text that holds exactly one model; an Error otherwise.
Result<CostModel> parse_cost_json(const std::string& text, const std::string& path);
/// "cost-profile/1": parse_cost_json gives the same model back, bit for bit. Requires validate(model).
std::string cost_json(const CostModel& model);

}  // namespace draftscope
