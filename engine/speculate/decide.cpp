#include "engine/speculate/decide.h"

#include <algorithm>
#include <vector>

#include "engine/base/check.h"

namespace draftscope {
namespace {

// BASTION's controller (arXiv 2605.29727) in rows N = n + 1: go on while the next node's probability times the time
// so far exceeds the tokens so far times the extra time, all on its own roofline.
int32_t bastion_stop(std::span<const double> expected, const RoundCost& cost) {
  size_t n = 0;
  for (; n + 1 < expected.size(); ++n) {
    const double so_far_s = cost.draft_s + cost.overhead_s + cost.roofline_s[n];
    const double extra_s = cost.roofline_s[n + 1] - cost.roofline_s[n];
    if ((expected[n + 1] - expected[n]) * so_far_s <= expected[n] * extra_s) break;
  }
  return static_cast<int32_t>(n);
}

// Rows rounded down to whole buckets, but one bucket at least; what the heap did not give is missing.
int32_t to_buckets(int32_t n, int32_t bucket_rows, int32_t last) {
  const int32_t rows = std::max(bucket_rows, (n + 1) / bucket_rows * bucket_rows);
  return std::min(rows - 1, last);
}

constexpr int32_t kCastWidths[] = {15, 31, 47, 63, 95, 127};
constexpr size_t kCastFirstRow = 16, kCastLastRow = 128;  // rows its slope is fitted over

// Least squares slope of seconds over rows; 0 where the curve has fewer than two of those rows or falls.
double slope_of(const std::vector<double>& verify_s) {
  const size_t last = std::min(verify_s.size(), kCastLastRow);  // verify_s[n] is a pass of n + 1 rows
  if (last <= kCastFirstRow) return 0;
  const double middle = 0.5 * static_cast<double>(kCastFirstRow + last);
  double with_time = 0, alone = 0;
  for (size_t rows = kCastFirstRow; rows <= last; ++rows) {
    const double x = static_cast<double>(rows) - middle;
    with_time += x * verify_s[rows - 1];
    alone += x * x;
  }
  return std::max(0.0, with_time / alone);
}

}  // namespace

double faithful_theta(double expected_tokens, const RoundCost& cost, size_t n) {
  return expected_tokens / (cost.draft_s + cost.faithful_s[n]);
}

int32_t exact_best(std::span<const double> expected, const RoundCost& cost) {
  size_t best = 0;
  const auto theta = [&](size_t n) { return expected[n] / cost.total_s(static_cast<int32_t>(n)); };
  for (size_t n = 1; n < expected.size(); ++n) {
    if (theta(n) > theta(best)) best = n;
  }
  return static_cast<int32_t>(best);
}

int32_t faithful_stop(std::span<const double> expected_tokens, const RoundCost& cost) {
  DS_CHECK(!expected_tokens.empty() && expected_tokens.size() <= cost.faithful_s.size());
  double theta = faithful_theta(expected_tokens[0], cost, 0);
  for (size_t n = 1; n < expected_tokens.size(); ++n) {
    const double next_theta = faithful_theta(expected_tokens[n], cost, n);
    if (next_theta <= theta) return static_cast<int32_t>(n) - 1;
    theta = next_theta;
  }
  return static_cast<int32_t>(expected_tokens.size()) - 1;
}

int32_t fill_bucket(int32_t n, int32_t bucket_rows, int32_t last) {
  const int32_t rows = (n + bucket_rows) / bucket_rows * bucket_rows;
  return std::min(rows - 1, last);
}

int32_t cast_width(std::span<const double> expected_tokens, const RoundCost& cost) {
  DS_CHECK(!expected_tokens.empty() && !cost.verify_s.empty());
  const double slope = slope_of(cost.verify_s);
  int32_t width = kCastWidths[0];
  for (const int32_t n : kCastWidths) {
    const auto next = static_cast<size_t>(n) + 1;
    if (next >= expected_tokens.size() || next >= cost.verify_s.size()) break;
    const double gain = expected_tokens[next] - expected_tokens[next - 1];
    if (gain >= slope * expected_tokens[next - 1] / cost.total_s(n)) width = n;
  }
  return width;
}

int32_t decide(std::span<const double> expected_tokens, const RoundCost& cost, const BudgetRule& rule) {
  const auto last = static_cast<int32_t>(expected_tokens.size()) - 1;
  DS_CHECK(last >= 0 && last < static_cast<int32_t>(cost.verify_s.size()));
  switch (rule.method) {
    case Method::kDflash: return last;
    case Method::kDdtree:
    case Method::kSpine: return std::min(rule.budget, last);
    case Method::kCast: return std::min(rule.width, last);
    case Method::kCaddtree: return faithful_stop(expected_tokens, cost);
    case Method::kBastion: return to_buckets(bastion_stop(expected_tokens, cost), rule.bucket_rows, last);
    case Method::kExact:
    case Method::kCalibrated: return exact_best(expected_tokens, cost);
    case Method::kExactFill: return fill_bucket(exact_best(expected_tokens, cost), rule.bucket_rows, last);
    case Method::kPlain:
    case Method::kOracle: break;
  }
  DS_CHECK(false, "{} decides nothing", name(rule.method));
  return 0;
}

}  // namespace draftscope
