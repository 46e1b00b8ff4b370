// The calibrated roofline: per context the larger of a floor and a rising line, by exact least squares.
//
// Such a curve is floor + slope * max(x - bend, 0). With the split of the points known, either the free fits
// of both sides meet between the two points around the split, or the optimum bends at one of those points
// (Hudson 1966), so that two closed forms per point cover every curve. Running sums make each one O(1).
#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "engine/speculate/cost.h"

namespace draftscope {
namespace {

constexpr double kLastSigma = 30;      // a pass over the last row weighs 1 / 31^2 of one over no rows
constexpr size_t kMeasuredTwice = 16;  // candidates whose error is computed again without cancellation

// Weighted sums over some of the points.
struct Sums {
  double w = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0;

  void add(double weight, double px, double py) {
    w += weight;
    x += weight * px;
    y += weight * py;
    xx += weight * px * px;
    xy += weight * px * py;
    yy += weight * py * py;
  }
};

struct Bend {
  double floor = 0, slope = 0, at = 0;  // floor + slope * max(x - at, 0)
  double error = 0;                     // weighted squares, up to cancellation

  double value(double x) const { return floor + slope * std::max(x - at, 0.0); }
};

// Least squares with the bend at `at`: `left` holds the points up to it, `right` those beyond. A slope that
// would fall is zero.
Bend fit_bend_at(double at, const Sums& left, const Sums& right) {
  const double n = left.w + right.w, y = left.y + right.y;
  const double h = right.x - at * right.w;  // sums over h = x - at beyond the bend
  const double hh = right.xx - 2 * at * right.x + at * at * right.w;
  const double hy = right.xy - at * right.y;
  const double spread = hh - h * h / n;
  Bend bend;
  bend.at = at;
  bend.slope = spread > 0 ? std::max((hy - h * y / n) / spread, 0.0) : 0.0;
  bend.floor = (y - bend.slope * h) / n;
  bend.error = left.yy + right.yy - bend.floor * y - bend.slope * hy;
  if (bend.slope == 0) bend.error = left.yy + right.yy - y * y / n;
  return bend;
}

// Free fits of a mean to the left and a line to the right; false unless they meet within [low, high].
bool fit_apart(const Sums& left, const Sums& right, double low, double high, Bend& bend) {
  const double spread = right.xx - right.x * right.x / right.w;
  if (!(spread > 0)) return false;
  bend.slope = (right.xy - right.x * right.y / right.w) / spread;
  if (!(bend.slope > 0)) return false;
  bend.floor = left.y / left.w;
  const double start = (right.y - bend.slope * right.x) / right.w;  // of the line, at x = 0
  bend.at = (bend.floor - start) / bend.slope;
  bend.error = left.yy - bend.floor * left.y + right.yy - start * right.y - bend.slope * right.xy;
  return bend.at >= low && bend.at <= high;
}

// Every candidate for x ascending from 0 to 1. O(n).
std::vector<Bend> candidates(const std::vector<double>& x, const std::vector<double>& y,
                             const std::vector<double>& weight) {
  const size_t n = x.size();
  std::vector<Sums> from(n + 1);  // from[i]: points i and beyond
  for (size_t i = n; i-- > 0;) {
    from[i] = from[i + 1];
    from[i].add(weight[i], x[i], y[i]);
  }
  std::vector<Bend> bends;
  Sums left;
  for (size_t i = 0; i < n; ++i) {
    left.add(weight[i], x[i], y[i]);
    bends.push_back(fit_bend_at(x[i], left, from[i + 1]));
    Bend apart;
    if (i + 2 < n && fit_apart(left, from[i + 1], x[i], x[i + 1], apart)) bends.push_back(apart);
  }
  return bends;
}

double squared_error(const Bend& bend, const std::vector<double>& x, const std::vector<double>& y,
                     const std::vector<double>& weight) {
  double error = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double off = y[i] - bend.value(x[i]);
    error += weight[i] * off * off;
  }
  return error;
}

// One context: the fitted seconds on the same rows, appended to `out`.
void append_roofline(const std::vector<int32_t>& rows, std::span<const double> seconds,
                     std::vector<double>& out) {
  const auto [least, most] = std::minmax_element(seconds.begin(), seconds.end());
  const double base_s = *least, range_s = *most - *least;
  if (!(range_s > 0)) {
    out.insert(out.end(), seconds.begin(), seconds.end());
    return;
  }
  std::vector<double> x, y, weight;  // scaled to 0..1
  for (size_t r = 0; r < rows.size(); ++r) {
    const double sigma = 1 + kLastSigma * rows[r] / static_cast<double>(rows.back());
    x.push_back(static_cast<double>(int64_t{rows[r]} - rows.front()) /
                static_cast<double>(int64_t{rows.back()} - rows.front()));
    y.push_back((seconds[r] - base_s) / range_s);
    weight.push_back(1 / (sigma * sigma));
  }
  std::vector<Bend> bends = candidates(x, y, weight);
  const auto by_error = [](const Bend& a, const Bend& b) { return a.error < b.error; };
  const size_t kept = std::min(bends.size(), kMeasuredTwice);
  std::partial_sort(bends.begin(), bends.begin() + static_cast<ptrdiff_t>(kept), bends.end(), by_error);
  for (size_t i = 0; i < kept; ++i) bends[i].error = squared_error(bends[i], x, y, weight);
  const Bend best = *std::min_element(bends.begin(), bends.begin() + static_cast<ptrdiff_t>(kept), by_error);
  // The optimum has no value below the cheapest pass: a floor raised to it would fit better. So max() here
  // removes rounding alone, and no fitted pass can end up free.
  for (const double place : x) out.push_back(base_s + range_s * std::max(best.value(place), 0.0));
}

}  // namespace

CostModel roofline_fit(const CostModel& measured) {
  CostModel model = measured;
  model.kind = CostKind::kRoofline;
  model.label = measured.label.empty() ? "roofline fit" : fmt::format("roofline fit of {}", measured.label);
  const std::string from = measured.source.empty() ? name(measured.kind) : measured.source;
  model.source = fmt::format("larger of a floor and a line, fitted to: {}", from);
  model.verify_s.clear();
  model.spread_s.clear();
  for (size_t c = 0; c < measured.context.size(); ++c) {
    const size_t begin = c * measured.rows.size();
    append_roofline(measured.rows, std::span(measured.verify_s).subspan(begin, measured.rows.size()),
                    model.verify_s);
  }
  return model;
}

Result<CostModel> roofline(const Roofline& machine, const std::vector<int32_t>& context,
                           const std::vector<int32_t>& rows) {
  if (!(machine.bytes_per_s > 0) || !(machine.flops_per_s > 0)) {
    return fail("roofline: expected positive bytes and flops per second, found {} and {}",
                machine.bytes_per_s, machine.flops_per_s);
  }
  CostModel model;
  model.kind = CostKind::kRoofline;
  model.label = name(CostKind::kRoofline);
  model.context = context;
  model.rows = rows;
  model.draft_s.assign(context.size(), machine.draft_s);
  for (const int32_t tokens : context) {
    const double bytes = machine.weight_bytes + machine.kv_bytes_per_token * tokens;
    for (const int32_t n_rows : rows) {
      const double compute_s = machine.flops_per_row * n_rows / machine.flops_per_s;
      model.verify_s.push_back(machine.launch_floor_s + std::max(bytes / machine.bytes_per_s, compute_s));
    }
  }
  if (const Status valid = validate(model); !valid) return Error{valid.error()};
  return model;
}

}  // namespace draftscope
