#include "engine/speculate/budget_bound.h"

namespace draftscope {

BudgetBound::BudgetBound(std::span<const double> cost_s) : cost_s_(cost_s), next_on_hull_(cost_s.size(), -1) {
  const auto cost = [this](int32_t m) { return cost_s_[static_cast<size_t>(m)]; };
  const auto next = [this](int32_t m) -> int32_t& { return next_on_hull_[static_cast<size_t>(m)]; };
  // From the right: m sees the hull of what follows it, and hides a vertex that lies on or above the line
  // from m to the vertex after it.
  for (int32_t m = static_cast<int32_t>(cost_s.size()) - 2; m >= 0; --m) {
    int32_t a = m + 1;
    for (int32_t b = next(a); b >= 0; b = next(a)) {
      const double to_a = (cost(a) - cost(m)) * static_cast<double>(b - m);
      const double to_b = (cost(b) - cost(m)) * static_cast<double>(a - m);
      if (to_a < to_b) break;
      a = b;
    }
    next(m) = a;
  }
}

bool BudgetBound::nothing_beats(double best_theta, int32_t n, double expected, double next_q) const {
  constexpr double kMargin = 1 + 1e-12;
  const int32_t n_candidates = static_cast<int32_t>(cost_s_.size());
  double highest = 0;  // of the bound's excess over best_theta * cost on the hull so far
  for (int32_t m = n + 1; m >= 0 && m < n_candidates; m = next_on_hull_[static_cast<size_t>(m)]) {
    const double bound = (expected + static_cast<double>(m - n) * next_q) * kMargin;
    const double excess = bound - best_theta * cost_s_[static_cast<size_t>(m)];
    if (excess > 0) return false;
    // The excess is concave along the hull: once it falls, it falls to the end.
    if (m > n + 1 && excess < highest) break;
    highest = excess;
  }
  return true;
}

}  // namespace draftscope
