// Piecewise linear curves over an axis of contexts: the one look-up behind every cost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/record/cost_model.h"

namespace draftscope {

/// Piecewise linear through (x[i], seconds[i]); x strictly ascending, at least one point.
/// Below the first point: its value. Beyond the last: the last segment's slope, or flat where that falls.
struct PiecewiseLinear {
  std::vector<int32_t> x;
  std::vector<double> seconds;

  /// Values at first, first + 1, ... (count,)
  std::vector<double> sample(int32_t first, int32_t count) const;
};

/// Where a context lies on an ascending axis: `share` of the way from entry `low` to entry `high`.
struct Bracket {
  size_t low = 0, high = 0;
  double share = 0;

  double blend(double at_low, double at_high) const { return at_low + share * (at_high - at_low); }
};
/// Clamped to the ends of the axis, which must not be empty.
Bracket bracket(std::span<const int32_t> axis, int32_t x);

/// One curve per context.
struct CostCurves {
  std::vector<int32_t> context;        // strictly ascending
  std::vector<PiecewiseLinear> curve;  // one per context

  bool empty() const { return context.empty(); }
  /// Seconds at first, first + 1, ... (count,): linear between contexts, clamped outside. Requires !empty().
  std::vector<double> sample(int32_t context_len, int32_t first, int32_t count) const;
  double at(int32_t context_len, int32_t x) const { return sample(context_len, x, 1)[0]; }
};

/// verify_s of a valid model, x being the rows of the pass.
CostCurves verify_curves(const CostModel& model);

/// Seconds of one step of plain decoding: plain_s where the model knows it, else a pass of one row. Linear between contexts,
/// clamped outside. `model` is valid and has a point.
double plain_step_s(const CostModel& model, int32_t context_len);

}  // namespace draftscope
