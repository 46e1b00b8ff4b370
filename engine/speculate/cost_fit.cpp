// Exact least squares over monotone convex sequences: an active set on the hinge basis.
//
// A non-decreasing convex sequence is a constant plus non-negative multiples of hinges max(i - k, 0), so the
// fit is a non-negative least squares problem (Lawson and Hanson 1974, chapter 23). For a given set of hinges
// the fit is a linear spline that is flat up to its first knot; in terms of its values at the knots the
// normal equations are tridiagonal and well conditioned, so one step costs O(n).
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "engine/speculate/cost.h"

namespace draftscope {
namespace {

// Solves the symmetric tridiagonal system (diagonal, off) x = right.
std::vector<double> solve_tridiagonal(std::vector<double> diagonal, const std::vector<double>& off,
                                      std::vector<double> right) {
  const size_t n = diagonal.size();
  for (size_t j = 1; j < n; ++j) {
    const double factor = off[j - 1] / diagonal[j - 1];
    diagonal[j] -= factor * off[j - 1];
    right[j] -= factor * right[j - 1];
  }
  for (size_t j = n; j-- > 0;) {
    if (j + 1 < n) right[j] -= off[j] * right[j + 1];
    right[j] /= diagonal[j];
  }
  return right;
}

struct Spline {
  std::vector<size_t> knot;    // ascending; hinges in use
  std::vector<double> weight;  // change of slope at each knot
  std::vector<double> value;   // (n,) on every index
};

// Least squares spline with free weights at `knot`, flat before the first one.
Spline fit_spline(const std::vector<double>& y, std::vector<size_t> knot) {
  const size_t n = y.size();
  std::vector<size_t> vertex = knot;
  vertex.push_back(n - 1);
  const size_t n_vertices = vertex.size();
  std::vector<double> diagonal(n_vertices, 0.0), off(n_vertices - 1, 0.0), right(n_vertices, 0.0);
  const size_t flat_end = knot.empty() ? n - 1 : knot.front();
  for (size_t i = 0; i <= flat_end; ++i) right[0] += y[i];
  diagonal[0] = static_cast<double>(flat_end + 1);
  for (size_t j = 0; j + 1 < n_vertices; ++j) {
    const double run = static_cast<double>(vertex[j + 1] - vertex[j]);
    for (size_t i = vertex[j] + 1; i <= vertex[j + 1]; ++i) {
      const double share = static_cast<double>(i - vertex[j]) / run;
      diagonal[j] += (1 - share) * (1 - share);
      diagonal[j + 1] += share * share;
      off[j] += share * (1 - share);
      right[j] += (1 - share) * y[i];
      right[j + 1] += share * y[i];
    }
  }
  const std::vector<double> u = solve_tridiagonal(std::move(diagonal), off, std::move(right));
  Spline spline{std::move(knot), {}, std::vector<double>(n, u[0])};
  double slope_before = 0;
  for (size_t j = 0; j + 1 < n_vertices; ++j) {
    const double slope = (u[j + 1] - u[j]) / static_cast<double>(vertex[j + 1] - vertex[j]);
    spline.weight.push_back(slope - slope_before);
    slope_before = slope;
    for (size_t i = vertex[j] + 1; i < vertex[j + 1]; ++i) {
      spline.value[i] = u[j] + slope * static_cast<double>(i - vertex[j]);
    }
    spline.value[vertex[j + 1]] = u[j + 1];
  }
  return spline;
}

// The unused hinge whose growth lowers the error fastest for its length; n when none lowers it by more than
// rounding. Gradients are sum_i (y - value)_i (i - k)_+, accumulated from the far end.
size_t best_hinge(const std::vector<double>& y, const Spline& spline, const std::vector<bool>& barred) {
  const size_t n = y.size();
  size_t best = n;
  double best_gain = 1e-14;
  double residual_after = 0, gradient = 0;
  for (size_t k = n - 1; k-- > 0;) {
    residual_after += y[k + 1] - spline.value[k + 1];
    gradient += residual_after;
    const double m = static_cast<double>(n - 1 - k);
    const double length = std::sqrt(m * (m + 1) * (2 * m + 1) / 6);
    if (!barred[k] && gradient / length > best_gain) {
      best = k;
      best_gain = gradient / length;
    }
  }
  return best;
}

// Moves from the feasible `weight` (on spline.knot's set) towards free fits until one has no negative weight.
Spline make_feasible(const std::vector<double>& y, std::vector<size_t> knot, std::vector<double> weight) {
  for (;;) {
    Spline trial = fit_spline(y, knot);
    double step = 1;
    size_t blocking = knot.size();
    for (size_t j = 0; j < knot.size(); ++j) {
      if (trial.weight[j] > 0) continue;
      const double reach = weight[j] / (weight[j] - trial.weight[j]);
      if (blocking == knot.size() || reach < step) {
        step = reach;
        blocking = j;
      }
    }
    if (blocking == knot.size()) return trial;
    if (!(step > 0)) step = 0;  // also when both weights are zero
    for (size_t j = 0; j < knot.size(); ++j) weight[j] += step * (trial.weight[j] - weight[j]);
    knot.erase(knot.begin() + static_cast<ptrdiff_t>(blocking));
    weight.erase(weight.begin() + static_cast<ptrdiff_t>(blocking));
  }
}

double squared_error(const std::vector<double>& y, const Spline& spline) {
  double sum = 0;
  for (size_t i = 0; i < y.size(); ++i) sum += (y[i] - spline.value[i]) * (y[i] - spline.value[i]);
  return sum;
}

}  // namespace

std::vector<double> monotone_convex_fit(const std::vector<double>& y) {
  const size_t n = y.size();
  if (n < 3) return y;
  const auto [low, high] = std::minmax_element(y.begin(), y.end());
  const double base = *low, range = *high - *low;
  if (!(range > 0)) return y;
  std::vector<double> scaled(n);
  for (size_t i = 0; i < n; ++i) scaled[i] = (y[i] - base) / range;

  Spline spline = fit_spline(scaled, {});
  double error = squared_error(scaled, spline);
  std::vector<bool> barred(n, false);
  for (size_t k = best_hinge(scaled, spline, barred); k < n; k = best_hinge(scaled, spline, barred)) {
    const auto place = std::lower_bound(spline.knot.begin(), spline.knot.end(), k);
    const ptrdiff_t at = place - spline.knot.begin();
    std::vector<size_t> knot = spline.knot;
    std::vector<double> weight = spline.weight;
    knot.insert(knot.begin() + at, k);
    weight.insert(weight.begin() + at, 0.0);
    Spline next = make_feasible(scaled, std::move(knot), std::move(weight));
    const double next_error = squared_error(scaled, next);
    if (next_error < error) {
      spline = std::move(next);
      error = next_error;
      std::fill(barred.begin(), barred.end(), false);
      for (const size_t used : spline.knot) barred[used] = true;
    } else {
      barred[k] = true;  // its gain is rounding; the error must fall at every step, so this ends
    }
  }
  for (double& value : spline.value) value = base + range * value;
  return spline.value;
}

}  // namespace draftscope
