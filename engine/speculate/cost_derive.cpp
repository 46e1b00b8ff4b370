// Curves derived from measured ones.
#include <algorithm>
#include <numeric>
#include <span>

#include "engine/record/cost_curves.h"
#include "engine/speculate/cost.h"

namespace draftscope {
namespace {

// `measured` without its verify times; the kind and its label say what replaces them.
CostModel derived(const CostModel& measured, CostKind kind) {
  CostModel model = measured;
  model.kind = kind;
  model.label = measured.label.empty() ? name(kind) : fmt::format("{} of {}", name(kind), measured.label);
  model.verify_s.clear();
  model.spread_s.clear();
  return model;
}

// Least squares line over the rows: value at the first row (never below the cheapest pass) and slope (>= 0).
void append_line(const std::vector<int32_t>& rows, std::span<const double> seconds,
                 std::vector<double>& out) {
  const double n = static_cast<double>(rows.size());
  const double least = *std::min_element(seconds.begin(), seconds.end());
  const double mean_s = std::accumulate(seconds.begin(), seconds.end(), 0.0) / n;
  double mean_x = 0, sum_xx = 0, sum_xy = 0;
  for (const int32_t row : rows) mean_x += static_cast<double>(int64_t{row} - rows.front()) / n;
  for (size_t r = 0; r < rows.size(); ++r) {
    const double x = static_cast<double>(int64_t{rows[r]} - rows.front()) - mean_x;
    sum_xx += x * x;
    sum_xy += x * (seconds[r] - mean_s);
  }
  double slope = sum_xx > 0 ? std::max(sum_xy / sum_xx, 0.0) : 0.0;
  double first_s = mean_s - slope * mean_x;
  if (first_s < least) {
    // The line that is held up at the first row: least squares in the slope alone.
    const double held_xx = sum_xx + n * mean_x * mean_x;
    slope = (sum_xy + n * mean_x * (mean_s - least)) / held_xx;
    first_s = least;
  }
  for (const int32_t row : rows)
    out.push_back(first_s + slope * static_cast<double>(int64_t{row} - rows.front()));
}

std::span<const double> row_of(const CostModel& model, size_t context) {
  return std::span(model.verify_s).subspan(context * model.rows.size(), model.rows.size());
}

}  // namespace

CostModel convex_fit(const CostModel& measured) {
  CostModel model = derived(measured, CostKind::kConvexFit);
  for (size_t c = 0; c < measured.context.size(); ++c) {
    const std::span<const double> seconds = row_of(measured, c);
    const std::vector<double> fitted = monotone_convex_fit({seconds.begin(), seconds.end()});
    model.verify_s.insert(model.verify_s.end(), fitted.begin(), fitted.end());
  }
  return model;
}

CostModel affine_fit(const CostModel& measured) {
  CostModel model = derived(measured, CostKind::kAffine);
  for (size_t c = 0; c < measured.context.size(); ++c)
    append_line(measured.rows, row_of(measured, c), model.verify_s);
  return model;
}

CostModel staircase(const CostModel& measured, int32_t tile) {
  DS_CHECK(tile >= 1);
  CostModel model = derived(measured, CostKind::kStaircase);
  model.plain_s.clear();
  model.rows.clear();
  std::vector<int32_t> upper_edge;  // of the tile that each row of the new axis lies in
  const int64_t last_row = measured.rows.back();
  for (int64_t tile_begin = 1; tile_begin <= last_row; tile_begin += tile) {
    const int64_t edge = std::min<int64_t>(tile_begin + tile - 1, last_row);
    for (const int64_t row : {tile_begin, edge}) {
      if (!model.rows.empty() && model.rows.back() == row) continue;  // a tile of one row has one edge
      model.rows.push_back(static_cast<int32_t>(row));
      upper_edge.push_back(static_cast<int32_t>(edge));
    }
  }
  const CostCurves curves = verify_curves(measured);
  for (const PiecewiseLinear& curve : curves.curve) {
    for (const int32_t edge : upper_edge) model.verify_s.push_back(curve.sample(edge, 1)[0]);
  }
  return model;
}

}  // namespace draftscope
