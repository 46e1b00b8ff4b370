#include "engine/lab/fit_correction.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "engine/lab/isotonic.h"
#include "engine/lab/reliability.h"

namespace draftscope {
namespace {

constexpr double kHottest = 20, kColdest = 0.05;
constexpr double kLeastLump = 1e-6;  // less is rounding to left_out

// First and second derivative of the negative log likelihood of all rows, in sharpness b = 1 / temperature.
struct Loss {
  double slope = 0, curvature = 0;
};

// A row in the exponential family p_k(b) = exp(b * x_k) / sum: loss log(sum) - b * x_answer.
void add_row(Loss& loss, std::span<const float> log_q, int32_t answer_rank, double sharpness) {
  double rest = left_out(log_q);
  if (answer_rank < 0) rest = std::max(rest, kLeastLump);
  const double log_rest = std::log(rest);  // -inf: no lump
  const double top = std::max(static_cast<double>(log_q.front()), log_rest);
  double sum = 0, sum_x = 0, sum_xx = 0;
  const auto add_token = [&](double log_token) {
    const double x = log_token - top, share = std::exp(sharpness * x);
    if (share == 0) return;  // ruled out; x may be infinite
    sum += share, sum_x += share * x, sum_xx += share * x * x;
  };
  if (rest > 0) add_token(log_rest);
  for (const float value : log_q) add_token(value);
  const double answer = (answer_rank < 0 ? log_rest : log_q[static_cast<size_t>(answer_rank)]) - top;
  const double mean = sum_x / sum;
  loss.slope += mean - answer;
  loss.curvature += sum_xx / sum - mean * mean;
}

Loss loss_at(const Observations& observed, double sharpness, bool spine_only) {
  Loss loss;
  for (const ObservedRow& row : observed.rows) {
    if (row.on_spine || !spine_only) add_row(loss, observed.log_q_of(row), row.answer_rank, sharpness);
  }
  return loss;
}

// Newton steps on the convex loss, halved into the bracket of its rising slope when they leave it.
double fit_temperature(const Observations& observed, bool spine_only) {
  const auto any = [&](const ObservedRow& row) { return row.on_spine || !spine_only; };
  if (std::none_of(observed.rows.begin(), observed.rows.end(), any)) return 1;
  double low = 1 / kHottest, high = 1 / kColdest, sharpness = 1;
  for (int step = 0; step < 60 && high - low > 1e-7 * high; ++step) {
    const Loss loss = loss_at(observed, sharpness, spine_only);
    (loss.slope > 0 ? high : low) = sharpness;
    const double next = sharpness - loss.slope / loss.curvature;
    const double inside = next > low && next < high ? next : (low + high) / 2;
    const bool is_there = std::abs(inside - sharpness) < 1e-7 * sharpness;
    sharpness = inside;
    if (is_there) break;
  }
  return 1 / sharpness;
}

// Rows per token that they judge: rounds from every position ask about a token many times, which says little more than
// once.
double rows_per_token(const Observations& observed) {
  std::set<std::pair<int32_t, int64_t>> tokens;
  for (const ObservedRow& row : observed.rows) tokens.insert({row.text, row.position});
  return static_cast<double>(observed.rows.size()) / static_cast<double>(tokens.size());
}

void fit_map(const Observations& observed, bool spine_only, Correction& correction) {
  const std::vector<Judged> candidates = judged(observed, correction);
  std::vector<IsotonicPoint> points;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const ObservedRow& row = observed.rows[static_cast<size_t>(observed.children[i].row)];
    if (row.on_spine || !spine_only) points.push_back({candidates[i].stated, candidates[i].accepted ? 1.0 : 0.0, 1});
  }
  if (points.empty()) return;
  std::vector<IsotonicPoint> steps = isotonic_steps(std::move(points));
  const double pull = rows_per_token(observed);
  for (IsotonicPoint& step : steps) {
    step.y = (step.y * step.weight + step.x * pull) / (step.weight + pull);
    step.weight += pull;
  }
  // Small steps were pulled further than large ones, so the order may have changed.
  for (const IsotonicPoint& step : isotonic_steps(std::move(steps))) {
    correction.stated.push_back(std::clamp(step.x, 0.0, 1.0));
    correction.observed.push_back(std::clamp(step.y, 0.0, 1.0));
  }
}

double fit_off_spine(const Observations& observed, const Correction& correction) {
  const std::vector<Judged> candidates = judged(observed, correction);
  double n_accepted = 0.5, stated = 0.5;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (observed.rows[static_cast<size_t>(observed.children[i].row)].on_spine) continue;
    n_accepted += candidates[i].accepted;
    stated += candidates[i].stated;
  }
  return std::min(1.0, n_accepted / stated);
}

double calibration_error(const Observations& observed, const Correction& correction) {
  return reliability("", judged(observed, correction)).error;
}

}  // namespace

const char* name(Fit fit) {
  switch (fit) {
    case Fit::kTemperature: return "temperature";
    case Fit::kIsotonic: return "isotonic";
    case Fit::kOffSpine: return "off-spine";
    case Fit::kAll: return "all";
  }
  return "unknown";
}

Correction fit_correction(const Observations& observed, Fit fit) {
  const bool all = fit == Fit::kAll;
  Correction correction;
  if (all || fit == Fit::kTemperature) correction.temperature = fit_temperature(observed, all);
  if (all || fit == Fit::kIsotonic) fit_map(observed, all, correction);
  if (all || fit == Fit::kOffSpine) correction.off_spine = fit_off_spine(observed, correction);
  return correction;
}

CorrectionScore score(const Observations& judged, const Correction& correction, Fit fit) {
  double parameter = correction.temperature;
  if (fit == Fit::kIsotonic) parameter = static_cast<double>(correction.stated.size());
  if (fit == Fit::kOffSpine) parameter = correction.off_spine;
  return {name(fit), calibration_error(judged, {}), calibration_error(judged, correction), parameter};
}

}  // namespace draftscope
