#include "ui/view/cost_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <span>

#include "engine/base/check.h"
#include "engine/record/cost_curves.h"
#include "ui/view/cost_edit.h"

namespace draftscope {
namespace {

constexpr double kLeastSeconds = 1e-9;  // costs are positive by contract

/// Intercept and slope of the least-squares line.
std::pair<double, double> fit_line(const std::vector<int32_t>& rows, std::span<const double> cost_s) {
  const auto n = static_cast<double>(rows.size());
  double sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const double x = rows[i];
    sum_x += x;
    sum_y += cost_s[i];
    sum_xx += x * x;
    sum_xy += x * cost_s[i];
  }
  const double spread = n * sum_xx - sum_x * sum_x;
  const double slope = spread > 0 ? (n * sum_xy - sum_x * sum_y) / spread : 0;
  return {(sum_y - slope * sum_x) / n, slope};
}

std::vector<double> shape_row(const std::vector<int32_t>& rows, std::span<const double> cost_s,
                              CostShape shape, int32_t tile) {
  std::vector<double> out(cost_s.begin(), cost_s.end());
  const PiecewiseLinear curve{rows, out};
  const auto [intercept, slope] = fit_line(rows, cost_s);
  for (size_t i = 0; i < rows.size(); ++i) {
    switch (shape) {
      case CostShape::kInForce:
        break;
      case CostShape::kStraightLine:
        out[i] = intercept + slope * rows[i];
        break;
      case CostShape::kStaircase:
        out[i] = curve.sample((rows[i] + tile - 1) / tile * tile, 1)[0];
        break;
      case CostShape::kRoofline:
        out[i] = std::max(cost_s.front(), cost_s.back() / rows.back() * rows[i]);
        break;
      case CostShape::kFlat:
        out[i] = cost_s.front();
        break;
    }
    out[i] = std::max(kLeastSeconds, out[i]);
  }
  return out;
}

CostKind kind_of(CostShape shape, CostKind in_force) {
  switch (shape) {
    case CostShape::kInForce:
      return in_force;
    case CostShape::kStraightLine:
      return CostKind::kAffine;
    case CostShape::kStaircase:
      return CostKind::kStaircase;
    case CostShape::kRoofline:
      return CostKind::kRoofline;
    case CostShape::kFlat:
      return CostKind::kByHand;
  }
  return in_force;
}

}  // namespace

const char* name(CostShape shape) {
  switch (shape) {
    case CostShape::kInForce:
      return "in force";
    case CostShape::kStraightLine:
      return "straight line";
    case CostShape::kStaircase:
      return "staircase";
    case CostShape::kRoofline:
      return "roofline";
    case CostShape::kFlat:
      return "flat";
  }
  return "unknown";
}

const char* meaning(CostShape shape) {
  switch (shape) {
    case CostShape::kInForce:
      return "The curve that the engine uses now.";
    case CostShape::kStraightLine:
      return "Least-squares line through the points: every row costs the same.";
    case CostShape::kStaircase:
      return "A started tile costs as much as a full one, as matrix units have it.";
    case CostShape::kRoofline:
      return "Free until compute is the limit, then linear.";
    case CostShape::kFlat:
      return "More rows cost nothing: the largest tree always wins.";
  }
  return "";
}

CostModel reshape(const CostModel& model, CostShape shape, int32_t tile) {
  DS_CHECK(tile >= 1, "tile is {}", tile);
  if (shape == CostShape::kInForce || !is_drawable(model)) return model;
  CostModel out = model;
  const size_t n_rows = model.rows.size();
  for (size_t c = 0; c < model.context.size(); ++c) {
    const auto row =
        shape_row(model.rows, std::span(model.verify_s).subspan(c * n_rows, n_rows), shape, tile);
    std::copy(row.begin(), row.end(), out.verify_s.begin() + static_cast<std::ptrdiff_t>(c * n_rows));
  }
  out.kind = kind_of(shape, model.kind);
  out.spread_s.clear();
  out.plain_s.clear();
  out.label = shape == CostShape::kStaircase ? fmt::format("staircase of {} rows", tile) : name(shape);
  out.source = fmt::format("derived in the window from: {}", model.label);
  return out;
}

bool move_point(CostModel& model, int32_t context_row, int32_t row_index, double verify_s) {
  if (!std::isfinite(verify_s) || verify_s <= 0 || !is_drawable(model)) return false;
  if (context_row < 0 || static_cast<size_t>(context_row) >= model.context.size()) return false;
  if (row_index < 0 || static_cast<size_t>(row_index) >= model.rows.size()) return false;
  model.verify_s[static_cast<size_t>(context_row) * model.rows.size() + static_cast<size_t>(row_index)] =
      verify_s;
  mark_by_hand(model);
  return true;
}

bool is_drawable(const CostModel& model) {
  return !model.context.empty() && !model.rows.empty() &&
         model.verify_s.size() == model.context.size() * model.rows.size();
}

int32_t nearest_context_row(const CostModel& model, int32_t context) {
  int32_t nearest = 0;
  for (size_t i = 1; i < model.context.size(); ++i) {
    if (std::abs(model.context[i] - context) < std::abs(model.context[nearest] - context))
      nearest = static_cast<int32_t>(i);
  }
  return nearest;
}

}  // namespace draftscope
