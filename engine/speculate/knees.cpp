#include "engine/speculate/knees.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/base/check.h"

namespace draftscope {
namespace {

constexpr double kNoise = 0.0075;  // of a pass, at least: no machine repeats itself more closely
constexpr double kUnexplained_n =
    3;                            // times the threshold, from which on a step or bend without a cause counts
constexpr ptrdiff_t kAround = 4;  // segments on each side that make the trend of a jump
constexpr double kCoarse = 0.25;  // a segment longer than this share of its rows shows no jump
constexpr double kLeastShare = 0.5;  // of a rule's visible edges that must be steps
constexpr double kFlatShare = 0.25;  // a curve that rose by less than this was bound by memory
constexpr int kMostBendDepth = 2;    // bends are looked for in halves of halves
constexpr const char* kUnexplained = "unexplained";

// One context of a model, ready to be examined.
struct Curve {
  std::vector<double> rows, seconds, noise_s;  // (n,) noise: what a point may be off by
};

Curve curve_of(const CostModel& model, int32_t context_row) {
  const size_t n = model.rows.size(), begin = static_cast<size_t>(context_row) * n;
  Curve curve;
  curve.rows.assign(model.rows.begin(), model.rows.end());
  const auto from = model.verify_s.begin() + static_cast<ptrdiff_t>(begin);
  curve.seconds.assign(from, from + static_cast<ptrdiff_t>(n));
  for (size_t i = 0; i < n; ++i) {
    const double spread_s = model.spread_s.empty() ? 0 : model.spread_s[begin + i];
    curve.noise_s.push_back(std::max(spread_s, kNoise * curve.seconds[i]));
  }
  return curve;
}

double slope(const Curve& curve, ptrdiff_t i) {
  const auto at = static_cast<size_t>(i);
  return (curve.seconds[at + 1] - curve.seconds[at]) / (curve.rows[at + 1] - curve.rows[at]);
}

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Seconds per row that the segments around segment `i` suggest: the lower quarter of them, so that other
// steps nearby do not count, and never falling.
double trend_around(const Curve& curve, ptrdiff_t i) {
  const auto n_segments = static_cast<ptrdiff_t>(curve.rows.size()) - 1;
  std::vector<double> slopes;
  for (ptrdiff_t j = std::max<ptrdiff_t>(0, i - kAround); j < std::min(n_segments, i + kAround + 1); ++j) {
    if (j != i) slopes.push_back(slope(curve, j));
  }
  if (slopes.empty()) return std::max(0.0, slope(curve, i));  // one segment: all trend
  std::sort(slopes.begin(), slopes.end());
  return std::max(0.0, slopes[slopes.size() / 4]);
}

// Median of up to three points from `from` on, in direction `step`.
double level(const Curve& curve, ptrdiff_t from, ptrdiff_t step) {
  std::vector<double> values;
  for (ptrdiff_t i = from; values.size() < 3 && i >= 0 && i < static_cast<ptrdiff_t>(curve.rows.size());
       i += step)
    values.push_back(curve.seconds[static_cast<size_t>(i)]);
  return median_of(std::move(values));
}

bool fine_enough(const Curve& curve, size_t i) {
  const double gap = curve.rows[i + 1] - curve.rows[i];
  return gap <= 1 || gap <= kCoarse * curve.rows[i + 1];
}

struct Step {
  size_t segment = 0;  // between grid points segment and segment + 1
  double seconds = 0;
};

std::vector<Step> find_steps(const Curve& curve) {
  std::vector<Step> steps;
  for (size_t i = 0; i + 1 < curve.rows.size(); ++i) {
    if (!fine_enough(curve, i)) continue;
    const auto at = static_cast<ptrdiff_t>(i);
    const double rise = curve.seconds[i + 1] - curve.seconds[i];
    const double jump = rise - trend_around(curve, at) * (curve.rows[i + 1] - curve.rows[i]);
    if (std::abs(jump) <= 2 * (curve.noise_s[i] + curve.noise_s[i + 1])) continue;
    const double lasting = level(curve, at + 1, 1) - level(curve, at, -1);
    if (lasting * jump <= 0 || std::abs(lasting) < 0.5 * std::abs(jump)) continue;  // one odd point
    steps.push_back({i, jump});
  }
  return steps;
}

// A rule that says after which rows a pass gets dearer: every multiple of `tile`, or every power of two.
struct EdgeRule {
  const char* cause;
  int32_t tile;  // 0: powers of two

  int64_t after(int64_t row) const {  // the first edge at or beyond `row`
    if (tile > 0) return (row + tile - 1) / tile * tile;
    int64_t edge = 1;
    while (edge < row) edge *= 2;
    return edge;
  }
};
constexpr EdgeRule kRules[] = {{"tile of 64", 64}, {"tile of 16", 16}, {"bucket (power of two)", 0}};

bool has_edge(const Curve& curve, size_t segment, const EdgeRule& rule) {
  return static_cast<double>(rule.after(static_cast<int64_t>(curve.rows[segment]))) < curve.rows[segment + 1];
}

// Names the cause of every step: the rule that fits those left over best, again and again.
std::vector<const char*> explain_steps(const Curve& curve, const std::vector<Step>& steps) {
  std::vector<const char*> cause(steps.size(), nullptr);
  for (;;) {
    const EdgeRule* best = nullptr;
    double best_fit = 0;
    const auto n_open = static_cast<double>(std::ranges::count(cause, nullptr));
    for (const EdgeRule& rule : kRules) {
      double n_edges = 0, n_hits = 0;
      for (size_t i = 0; i + 1 < curve.rows.size(); ++i)
        n_edges += fine_enough(curve, i) && has_edge(curve, i, rule);
      for (size_t s = 0; s < steps.size(); ++s)
        n_hits += !cause[s] && has_edge(curve, steps[s].segment, rule);
      if (n_hits == 0 || n_hits < kLeastShare * n_edges) continue;
      const double fit = 2 * n_hits / (n_edges + n_open);
      if (fit > best_fit) {
        best = &rule;
        best_fit = fit;
      }
    }
    if (best == nullptr) break;
    for (size_t s = 0; s < steps.size(); ++s) {
      if (!cause[s] && has_edge(curve, steps[s].segment, *best)) cause[s] = best->cause;
    }
  }
  for (const char*& word : cause) word = word ? word : kUnexplained;
  return cause;
}

// The first pass beyond an edge; where no rule names it, the first dearer pass of the grid.
int32_t first_dear_row(const Curve& curve, size_t segment, const char* cause) {
  for (const EdgeRule& rule : kRules) {
    if (rule.cause == cause)
      return static_cast<int32_t>(rule.after(static_cast<int64_t>(curve.rows[segment]))) + 1;
  }
  return static_cast<int32_t>(curve.rows[segment + 1]);
}

struct Bend {
  size_t at = 0;  // grid point
  double slope_before = 0, slope_after = 0;
  double strength = 0;  // seconds that a straight curve would miss, in multiples of the least that counts
};

struct Line {
  double at_first = 0, slope = 0;
};

// Least squares with the value at `first` free, over grid points [first, last].
Line fit_line(const Curve& curve, size_t first, size_t last) {
  const double n = static_cast<double>(last - first + 1);
  double mean_x = 0, mean_y = 0, xx = 0, xy = 0;
  for (size_t i = first; i <= last; ++i) {
    mean_x += (curve.rows[i] - curve.rows[first]) / n;
    mean_y += curve.seconds[i] / n;
  }
  for (size_t i = first; i <= last; ++i) {
    const double x = curve.rows[i] - curve.rows[first] - mean_x;
    xx += x * x;
    xy += x * (curve.seconds[i] - mean_y);
  }
  const double rate = xx > 0 ? xy / xx : 0;
  return {mean_y - rate * mean_x, rate};
}

// Squares left by two joined lines that bend at grid point `at`, found by least squares; fills `bend`.
double bend_error(const Curve& curve, size_t first, size_t last, size_t at, Bend& bend) {
  // Against the line over all points, so that two unknowns are left: least squares of the hinge made
  // orthogonal.
  const Line line = fit_line(curve, first, last);
  Curve hinge;
  for (size_t i = first; i <= last; ++i) {
    hinge.rows.push_back(curve.rows[i]);
    hinge.seconds.push_back(std::max(curve.rows[i] - curve.rows[at], 0.0));
  }
  const Line under = fit_line(hinge, 0, last - first);
  double hh = 0, hy = 0, yy = 0;
  for (size_t i = first; i <= last; ++i) {
    const double x = curve.rows[i] - curve.rows[first];
    const double h = hinge.seconds[i - first] - under.at_first - under.slope * x;
    const double y = curve.seconds[i] - line.at_first - line.slope * x;
    hh += h * h;
    hy += h * y;
    yy += y * y;
  }
  const double change = hh > 0 ? hy / hh : 0;
  bend = {at, line.slope - change * under.slope, line.slope - change * under.slope + change, 0};
  return yy - change * hy;
}

// How far apart the two branches of a bend are at the nearer end of [first, last]: what a straight curve
// would miss.
double bend_seconds(const Curve& curve, size_t first, size_t last, const Bend& bend) {
  const double reach =
      std::min(curve.rows[last] - curve.rows[bend.at], curve.rows[bend.at] - curve.rows[first]);
  return std::abs(bend.slope_after - bend.slope_before) * reach;
}

// The sharpest bend of every stretch and of both its sides, as long as they exceed the noise. O(n^2) per
// depth of a thinned curve.
void find_bends(const Curve& curve, size_t first, size_t last, int depth, std::vector<Bend>& bends) {
  if (depth > kMostBendDepth || last < first + 2) return;
  Bend best;
  double least = HUGE_VAL;
  for (size_t at = first + 1; at < last; ++at) {
    Bend bend;
    const double error = bend_error(curve, first, last, at, bend);
    if (error >= least) continue;
    least = error;
    best = bend;
  }
  double noise_s = 0;
  for (size_t i = first; i <= last; ++i) noise_s = std::max(noise_s, curve.noise_s[i]);
  best.strength = bend_seconds(curve, first, last, best) / (4 * noise_s);
  if (!(best.strength > 1)) return;
  find_bends(curve, first, best.at, depth + 1, bends);
  bends.push_back(best);
  find_bends(curve, best.at, last, depth + 1, bends);
}

// Every so many points of a long curve are enough to see where it bends.
Curve thinned(const Curve& curve) {
  constexpr size_t kMostExamined = 128;
  const size_t n = curve.rows.size(), stride = (n + kMostExamined - 1) / kMostExamined;
  Curve out;
  for (size_t i = 0; i < n; i += i + stride < n || i + 1 == n ? stride : n - 1 - i) {
    out.rows.push_back(curve.rows[i]);
    out.seconds.push_back(curve.seconds[i]);
    out.noise_s.push_back(curve.noise_s[i]);
  }
  return out;
}

Curve without_steps(Curve curve, const std::vector<Step>& steps) {
  double taken = 0;
  size_t next = 0;
  for (size_t i = 0; i < curve.rows.size(); ++i) {
    if (next < steps.size() && steps[next].segment + 1 == i) taken += steps[next++].seconds;
    curve.seconds[i] -= taken;
  }
  return curve;
}

// The change of slope at `rows` at the shortest context.
double shortest_change(const CostModel& model, double rows) {
  const Curve curve = thinned(curve_of(model, 0));
  const size_t last = curve.rows.size() - 1;
  const auto place = std::lower_bound(curve.rows.begin(), curve.rows.end(), rows);
  const size_t at = std::clamp<size_t>(static_cast<size_t>(place - curve.rows.begin()), 1, last - 1);
  return fit_line(curve, at, last).slope - fit_line(curve, 0, at).slope;
}

const char* explain_bend(const CostModel& model, int32_t context_row, const Curve& curve, const Bend& bend) {
  const double change = bend.slope_after - bend.slope_before;
  if (change <= 0) return kUnexplained;
  if (context_row > 0 && shortest_change(model, curve.rows[bend.at]) < 0.5 * change)
    return "attention over the context";
  const double rise = curve.seconds[bend.at] - curve.seconds.front();
  if (rise < kFlatShare * curve.seconds.front() && bend.slope_after > 2 * std::abs(bend.slope_before))
    return "memory to compute bound";
  return kUnexplained;
}

}  // namespace

std::vector<CostKnee> knees(const CostModel& model, int32_t context_row) {
  DS_CHECK(context_row >= 0 && static_cast<size_t>(context_row) < model.context.size(), "context row {}",
           context_row);
  std::vector<CostKnee> found;
  if (model.rows.size() < 2) return found;
  const Curve curve = curve_of(model, context_row);
  const std::vector<Step> steps = find_steps(curve);
  const std::vector<const char*> causes = explain_steps(curve, steps);
  for (size_t s = 0; s < steps.size(); ++s) {
    const double noise_s = curve.noise_s[steps[s].segment] + curve.noise_s[steps[s].segment + 1];
    if (causes[s] == kUnexplained && std::abs(steps[s].seconds) <= kUnexplained_n * 2 * noise_s) continue;
    const int32_t row = first_dear_row(curve, steps[s].segment, causes[s]);
    found.push_back({.rows = row, .step_s = steps[s].seconds, .cause = causes[s]});
  }
  const Curve smooth = thinned(without_steps(curve, steps));
  std::vector<Bend> bends;
  find_bends(smooth, 0, smooth.rows.size() - 1, 0, bends);
  for (const Bend& bend : bends) {
    const char* cause = explain_bend(model, context_row, smooth, bend);
    if (cause == kUnexplained && bend.strength <= kUnexplained_n) continue;
    found.push_back({.rows = static_cast<int32_t>(smooth.rows[bend.at]),
                     .slope_s = bend.slope_after - bend.slope_before,
                     .cause = cause});
  }
  std::ranges::sort(found, {}, &CostKnee::rows);
  return found;
}

}  // namespace draftscope
