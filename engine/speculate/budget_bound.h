// The proof behind the exact early stop: no tree beyond n can beat the best throughput seen so far.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace draftscope {

/// Node probabilities do not increase in pop order, so a tree of m > n nodes expects at most
/// expected(n) + (m - n) * next_q tokens. With cost(m) in seconds it is beaten when that bound stays at or
/// below best_theta * cost(m). For every m > n at once: the largest of m * s - cost(m) with s = next_q /
/// best_theta lies on the lower convex hull of the remaining costs. True for any cost shape.
class BudgetBound {
 public:
  /// cost_s (n_candidates,): seconds of a round with n nodes, finite. Borrows it. O(n_candidates).
  explicit BudgetBound(std::span<const double> cost_s);

  /// True when no m in (n, n_candidates) can exceed best_theta, with a margin far above rounding.
  /// expected: 1 + Phi(n); next_q: probability of the next node; best_theta > 0, tokens/s.
  bool nothing_beats(double best_theta, int32_t n, double expected, double next_q) const;

 private:
  std::span<const double> cost_s_;
  std::vector<int32_t> next_on_hull_;  // after m, on the lower hull of costs m, m + 1, ...; -1 at the end
};

}  // namespace draftscope
