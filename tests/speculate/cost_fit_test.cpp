// The convex fit against an independent reference: projected coordinate descent on the same hinge basis.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "engine/speculate/cost.h"

namespace draftscope {
namespace {

// min ||c + sum_k w_k (i - k)_+ - y||, w >= 0, by cyclic exact minimisation of one coordinate at a time, in
// long double, on hinges made orthogonal to the constant. Slow and simple.
std::vector<double> brute_fit(const std::vector<double>& y) {
  const size_t n = y.size();
  std::vector<std::vector<long double>> hinge(n - 1, std::vector<long double>(n, 0));
  std::vector<long double> length(n - 1, 0), weight(n - 1, 0);
  long double mean_y = 0;
  for (const double value : y) mean_y += value / static_cast<long double>(n);
  for (size_t k = 0; k + 1 < n; ++k) {
    long double mean = 0;
    for (size_t i = k; i < n; ++i) mean += static_cast<long double>(i - k) / static_cast<long double>(n);
    for (size_t i = 0; i < n; ++i) hinge[k][i] = (i > k ? static_cast<long double>(i - k) : 0) - mean;
    for (size_t i = 0; i < n; ++i) length[k] += hinge[k][i] * hinge[k][i];
  }
  std::vector<long double> residual(n);
  for (size_t i = 0; i < n; ++i) residual[i] = y[i] - mean_y;
  for (int sweep = 0; sweep < 200'000; ++sweep) {
    long double largest_move = 0;
    for (size_t k = 0; k + 1 < n; ++k) {
      long double gradient = 0;
      for (size_t i = 0; i < n; ++i) gradient += residual[i] * hinge[k][i];
      const long double moved = std::max(weight[k] + gradient / length[k], 0.0L) - weight[k];
      if (moved == 0) continue;
      weight[k] += moved;
      for (size_t i = 0; i < n; ++i) residual[i] -= moved * hinge[k][i];
      largest_move = std::max(largest_move, std::fabs(moved) * std::sqrt(length[k]));
    }
    if (largest_move < 1e-16L) break;
  }
  std::vector<double> fitted(n);
  for (size_t i = 0; i < n; ++i) fitted[i] = static_cast<double>(y[i] - residual[i]);
  return fitted;
}

void expect_monotone_convex(const std::vector<double>& values, double range) {
  for (size_t i = 1; i < values.size(); ++i) {
    EXPECT_GE(values[i] - values[i - 1], -1e-12 * range) << "falls at " << i;
    if (i > 1) {
      EXPECT_GE(values[i] - 2 * values[i - 1] + values[i - 2], -1e-12 * range) << "bends down at " << i;
    }
  }
}

double squared_error(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

TEST(CostFit, AgreesWithProjectedCoordinateDescent) {
  std::mt19937 random(11);
  std::uniform_real_distribution<double> uniform(0.0, 1.0);
  for (int round = 0; round < 60; ++round) {
    std::vector<double> y(3 + random() % 8);
    const int shape = round % 4;
    for (size_t i = 0; i < y.size(); ++i) {
      const double x = static_cast<double>(i);
      y[i] = shape == 0   ? uniform(random)
             : shape == 1 ? std::sqrt(x)
             : shape == 2 ? x * x + 3 * uniform(random)
                          : std::floor(x / 3) - 0.1 * x;
    }
    const auto [low, high] = std::minmax_element(y.begin(), y.end());
    const std::vector<double> fitted = monotone_convex_fit(y);
    const std::vector<double> expected = brute_fit(y);
    SCOPED_TRACE(fmt::format("round {}, {} values", round, y.size()));
    expect_monotone_convex(fitted, *high - *low);
    EXPECT_GE(fitted.front(), *low - 1e-12) << "a fit of costs is a cost";
    for (size_t i = 0; i < y.size(); ++i)
      EXPECT_NEAR(fitted[i], expected[i], 1e-9 * (*high - *low)) << "at " << i;
  }
}

TEST(CostFit, LongNoisyCurvesMeetTheOptimalityConditions) {
  std::mt19937 random(12);
  std::normal_distribution<double> noise(0.0, 1.0);
  for (const double sigma : {0.0, 0.01, 0.3}) {
    std::vector<double> y(1024);
    for (size_t i = 0; i < y.size(); ++i) {
      const double x = static_cast<double>(i) / 1024;
      y[i] = 1 + x * x + 0.2 * std::floor(8 * x) + sigma * noise(random);
    }
    const std::vector<double> fitted = monotone_convex_fit(y);
    expect_monotone_convex(fitted, 3);
    // Kuhn and Tucker: the residual sums to zero, no hinge can still help, and hinges in use are balanced,
    // so that the residual is orthogonal to the fit itself.
    double sum = 0, along_fit = 0, after = 0, gradient = 0, worst = 0;
    for (size_t i = 0; i < y.size(); ++i) sum += y[i] - fitted[i];
    for (size_t i = 0; i < y.size(); ++i) along_fit += (y[i] - fitted[i]) * fitted[i];
    for (size_t k = y.size() - 1; k-- > 0;) {
      after += y[k + 1] - fitted[k + 1];
      gradient += after;
      const double m = static_cast<double>(y.size() - 1 - k);
      worst = std::max(worst, gradient / std::sqrt(m * (m + 1) * (2 * m + 1) / 6));
    }
    EXPECT_NEAR(sum, 0, 1e-10) << "sigma " << sigma;
    EXPECT_NEAR(along_fit, 0, 1e-10) << "sigma " << sigma;
    EXPECT_LT(worst, 1e-12) << "sigma " << sigma;
  }
}

TEST(CostFit, KeepsWhatIsConvexAlready) {
  std::vector<double> y;
  for (int i = 0; i < 40; ++i) y.push_back(0.02 + 1e-5 * i * i + (i > 20 ? 1e-4 * (i - 20) : 0));
  const std::vector<double> fitted = monotone_convex_fit(y);
  for (size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(fitted[i], y[i], 1e-9 * (y.back() - y.front()));
  EXPECT_LT(squared_error(y, fitted), 1e-20);
}

TEST(CostFit, ShortConstantAndFallingSequences) {
  EXPECT_EQ(monotone_convex_fit({}), std::vector<double>{});
  EXPECT_EQ(monotone_convex_fit({3}), std::vector<double>{3});
  EXPECT_EQ(monotone_convex_fit({3, 1}), (std::vector<double>{3, 1})) << "two values come back as they are";
  EXPECT_EQ(monotone_convex_fit({2, 2, 2, 2}), (std::vector<double>{2, 2, 2, 2}));
  for (const double value : monotone_convex_fit({5, 4, 3, 2, 1})) EXPECT_NEAR(value, 3, 1e-12);
}

}  // namespace
}  // namespace draftscope
