#include "engine/speculate/correction.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace draftscope {
namespace {

constexpr double kRounding = 1e-6;  // what the rounding of log q to float can leave of a row that keeps every token
constexpr double kNothing = -std::numeric_limits<double>::infinity();

// q^(1/T) over its sum, with the tokens that are not kept as one more entry of the row.
void apply_temperature(std::span<float> log_q, double temperature) {
  const double rest = left_out(log_q);
  const double log_rest = rest > 0 ? std::log(rest) : kNothing;
  const double top = std::max(static_cast<double>(log_q.front()), log_rest);
  double sum = std::exp((log_rest - top) / temperature);
  for (const float value : log_q) sum += std::exp((value - top) / temperature);
  for (float& value : log_q) value = static_cast<float>((value - top) / temperature - std::log(sum));
}

double mapped(double q, const Correction& correction) {
  const std::vector<double>&x = correction.stated, &y = correction.observed;
  const auto above = std::upper_bound(x.begin(), x.end(), q);
  if (above == x.begin()) return y.front() * (q / x.front());
  if (above == x.end()) return y.back();
  const size_t i = static_cast<size_t>(above - x.begin());
  return y[i - 1] + (y[i] - y[i - 1]) * ((q - x[i - 1]) / (x[i] - x[i - 1]));
}

// A token that the drafter rules out stays ruled out, whatever the map says about 0.
void apply_map(std::span<float> log_q, const Correction& correction) {
  double mass = 0;
  float before = std::numeric_limits<float>::infinity();
  for (float& value : log_q) {
    if (value == -std::numeric_limits<float>::infinity()) continue;
    const double q = mapped(std::exp(static_cast<double>(value)), correction);
    mass += q;
    value = before = std::min(before, static_cast<float>(std::log(q)));
  }
  if (mass <= 1) return;
  for (float& value : log_q) value = static_cast<float>(value - std::log(mass));
}

Status check_in_unit(const char* what, const std::vector<double>& values) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (!(values[i] >= 0 && values[i] <= 1)) return fail("{}[{}]: expected 0 to 1, found {}", what, i, values[i]);
  }
  return success();
}

}  // namespace

double left_out(std::span<const float> log_q) {
  double kept = 0;
  for (const float value : log_q) kept += std::exp(static_cast<double>(value));
  return 1 - kept > kRounding ? 1 - kept : 0;
}

void correct_row(std::span<float> log_q, const Correction& correction) {
  if (log_q.empty()) return;
  if (correction.temperature != 1) apply_temperature(log_q, correction.temperature);
  if (!correction.stated.empty()) apply_map(log_q, correction);
}

Marginals corrected(const Marginals& q, const Correction& correction) {
  const Status valid = validate(correction);
  DS_CHECK(valid.ok(), "{}", valid.ok() ? "" : valid.error());
  Marginals out = q;
  const size_t n_ranks = static_cast<size_t>(q.n_ranks);
  for (size_t depth = 0; depth < static_cast<size_t>(q.n_depths); ++depth) {
    correct_row(std::span(out.log_q).subspan(depth * n_ranks, n_ranks), correction);
  }
  return out;
}

Status validate(const Correction& correction) {
  const std::vector<double>&x = correction.stated, &y = correction.observed;
  if (!(correction.temperature > 0) || !std::isfinite(correction.temperature)) {
    return fail("temperature: expected a finite number above 0, found {}", correction.temperature);
  }
  if (!(correction.off_spine > 0 && correction.off_spine <= 1)) {
    return fail("off_spine: expected a number above 0, at most 1, found {}", correction.off_spine);
  }
  if (x.size() != y.size()) {
    return fail("observed: expected {} values, one per value of stated, found {}", x.size(), y.size());
  }
  if (Status status = check_in_unit("stated", x); !status) return status;
  if (Status status = check_in_unit("observed", y); !status) return status;
  for (size_t i = 1; i < x.size(); ++i) {
    if (x[i] <= x[i - 1]) return fail("stated[{}]: expected more than {}, found {}", i, x[i - 1], x[i]);
    if (y[i] < y[i - 1]) return fail("observed[{}]: expected at least {}, found {}", i, y[i - 1], y[i]);
  }
  return success();
}

}  // namespace draftscope
