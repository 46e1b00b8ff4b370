#include "engine/record/cost_curves.h"

#include <algorithm>

#include "engine/base/check.h"

namespace draftscope {

std::vector<double> PiecewiseLinear::sample(int32_t first, int32_t count) const {
  DS_CHECK(!x.empty() && x.size() == seconds.size() && count >= 0);
  std::vector<double> values(static_cast<size_t>(count), seconds.front());
  if (x.size() == 1) return values;
  // Segment k runs from point k to k + 1; the last one also serves everything beyond it.
  const size_t last_segment = x.size() - 2;
  const auto above = std::upper_bound(x.begin(), x.end() - 1, first);
  size_t k = above == x.begin() ? 0 : static_cast<size_t>(above - x.begin()) - 1;
  for (size_t i = 0; i < values.size(); ++i) {
    const int64_t at = int64_t{first} + static_cast<int64_t>(i);
    if (at < x.front()) continue;
    if (k < last_segment && at >= x[k + 1]) ++k;
    const double slope = (seconds[k + 1] - seconds[k]) / static_cast<double>(int64_t{x[k + 1]} - x[k]);
    // Beyond the grid it is measured from the last point, so that the last point keeps its digits.
    values[i] = at < x[k + 1] ? seconds[k] + slope * static_cast<double>(at - x[k])
                              : seconds[k + 1] + std::max(slope, 0.0) * static_cast<double>(at - x[k + 1]);
  }
  return values;
}

Bracket bracket(std::span<const int32_t> axis, int32_t x) {
  DS_CHECK(!axis.empty());
  if (x <= axis.front()) return {0, 0, 0.0};
  if (x >= axis.back()) return {axis.size() - 1, axis.size() - 1, 0.0};
  const size_t high = static_cast<size_t>(std::upper_bound(axis.begin(), axis.end(), x) - axis.begin());
  const double run = static_cast<double>(int64_t{axis[high]} - axis[high - 1]);
  return {high - 1, high, static_cast<double>(int64_t{x} - axis[high - 1]) / run};
}

std::vector<double> CostCurves::sample(int32_t context_len, int32_t first, int32_t count) const {
  const Bracket place = bracket(context, context_len);
  std::vector<double> low = curve[place.low].sample(first, count);
  if (place.low == place.high) return low;
  const std::vector<double> high = curve[place.high].sample(first, count);
  for (size_t i = 0; i < low.size(); ++i) low[i] = place.blend(low[i], high[i]);
  return low;
}

CostCurves verify_curves(const CostModel& model) {
  CostCurves curves;
  curves.context = model.context;
  for (size_t c = 0; c < model.context.size(); ++c) {
    const auto begin = model.verify_s.begin() + static_cast<ptrdiff_t>(c * model.rows.size());
    curves.curve.push_back(
        {model.rows, std::vector<double>(begin, begin + static_cast<ptrdiff_t>(model.rows.size()))});
  }
  return curves;
}

double plain_step_s(const CostModel& model, int32_t context_len) {
  const auto at = [&](size_t c) { return model.plain_s.empty() ? model.verify_s[c * model.rows.size()] : model.plain_s[c]; };
  const Bracket place = bracket(model.context, context_len);
  return place.blend(at(place.low), at(place.high));
}

}  // namespace draftscope
