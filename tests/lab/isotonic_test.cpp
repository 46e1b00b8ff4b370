#include "engine/lab/isotonic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace draftscope {
namespace {

double error_of(const std::vector<IsotonicPoint>& points, const std::vector<double>& fit) {
  double error = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    error += points[i].weight * (points[i].y - fit[i]) * (points[i].y - fit[i]);
  }
  return error;
}

// The best over every way to cut the points into runs of one value, among those whose values never fall.
double least_error(const std::vector<IsotonicPoint>& points) {
  double least = std::numeric_limits<double>::infinity();
  const size_t n = points.size();
  for (uint32_t cuts = 0; cuts < (1u << (n - 1)); ++cuts) {
    std::vector<double> fit;
    bool rises = true;
    for (size_t begin = 0; begin < n;) {
      size_t end = begin + 1;
      while (end < n && (cuts >> (end - 1) & 1u) == 0) ++end;
      double sum = 0, weight = 0;
      for (size_t i = begin; i < end; ++i) sum += points[i].y * points[i].weight, weight += points[i].weight;
      rises = rises && (fit.empty() || fit.back() <= sum / weight);
      fit.insert(fit.end(), end - begin, sum / weight);
      begin = end;
    }
    if (rises) least = std::min(least, error_of(points, fit));
  }
  return least;
}

TEST(Isotonic, StepsHaveTheLeastErrorOfAllRisingFunctions) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> unit(0, 1);
  for (int round = 0; round < 300; ++round) {
    std::vector<IsotonicPoint> points(1 + random() % 9);
    for (size_t i = 0; i < points.size(); ++i) {
      points[i] = {static_cast<double>(i) + unit(random), round % 3 == 0 ? double(random() % 2) : unit(random),
                   round % 2 == 0 ? 1.0 : 0.1 + unit(random)};
    }
    std::vector<IsotonicPoint> shuffled = points;
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    const std::vector<IsotonicPoint> steps = isotonic_steps(shuffled);

    // Steps hold their points in order, so their weights say which value each point got.
    std::vector<double> fit;
    double weight = 0, until = 0;
    size_t step = 0;
    for (const IsotonicPoint& point : points) {
      if (fit.empty() || weight > until - 1e-9) until = weight + steps[fit.empty() ? 0 : ++step].weight;
      fit.push_back(steps[step].y);
      weight += point.weight;
    }
    EXPECT_EQ(step + 1, steps.size());
    EXPECT_NEAR(error_of(points, fit), least_error(points), 1e-9) << round;
  }
}

TEST(Isotonic, StepsRiseStrictlyAndKeepTheMeans) {
  std::mt19937 random(2);
  std::uniform_real_distribution<double> unit(0, 1);
  std::vector<IsotonicPoint> points(500);
  IsotonicPoint sum{0, 0, 0};
  for (IsotonicPoint& point : points) {
    point = {std::floor(unit(random) * 50) / 50, unit(random), 1 + unit(random)};
    sum.x += point.x * point.weight, sum.y += point.y * point.weight, sum.weight += point.weight;
  }
  const std::vector<IsotonicPoint> steps = isotonic_steps(points);
  EXPECT_GT(steps.size(), 2u);
  for (size_t i = 0; i < steps.size(); ++i) {
    sum.x -= steps[i].x * steps[i].weight, sum.y -= steps[i].y * steps[i].weight, sum.weight -= steps[i].weight;
    if (i == 0) continue;
    EXPECT_GT(steps[i].x, steps[i - 1].x);
    EXPECT_GT(steps[i].y, steps[i - 1].y);
  }
  EXPECT_NEAR(sum.x, 0, 1e-6);
  EXPECT_NEAR(sum.y, 0, 1e-6);
  EXPECT_NEAR(sum.weight, 0, 1e-6);
}

TEST(Isotonic, PointsOfOneXShareOneValue) {
  const std::vector<IsotonicPoint> steps = isotonic_steps({{0.5, 1, 1}, {0.2, 0.1, 1}, {0.5, 0, 3}});
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].y, 0.1);
  EXPECT_EQ(steps[1].x, 0.5);
  EXPECT_EQ(steps[1].y, 0.25);
  EXPECT_EQ(steps[1].weight, 4);
  EXPECT_TRUE(isotonic_steps({}).empty());
}

}  // namespace
}  // namespace draftscope
