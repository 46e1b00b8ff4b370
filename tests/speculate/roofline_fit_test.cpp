// The roofline fit against an independent reference: a fine search over the bend with the closed form for the
// other two numbers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "engine/speculate/cost.h"

namespace draftscope {
namespace {

CostModel one_context(std::vector<int32_t> rows, std::vector<double> seconds) {
  CostModel model;
  model.kind = CostKind::kMeasured;
  model.label = "test";
  model.source = "a test";
  model.context = {512};
  model.rows = std::move(rows);
  model.verify_s = std::move(seconds);
  model.draft_s = {0.5};
  model.overhead_s = 0.25;
  return model;
}

std::vector<int32_t> first_rows(int32_t n) {
  std::vector<int32_t> rows;
  for (int32_t row = 1; row <= n; ++row) rows.push_back(row);
  return rows;
}

double weight_of(const CostModel& model, size_t r) {
  const double sigma = 1 + 30.0 * model.rows[r] / model.rows.back();
  return 1 / (sigma * sigma);
}

double weighted_error(const CostModel& model, const std::vector<double>& fitted) {
  double error = 0;
  for (size_t r = 0; r < fitted.size(); ++r)
    error += weight_of(model, r) * std::pow(fitted[r] - model.verify_s[r], 2);
  return error;
}

// The least weighted error over 20,000 places of the bend.
double brute_error(const CostModel& model) {
  const double first = model.rows.front(), last = model.rows.back();
  double best = std::numeric_limits<double>::infinity();
  for (int step = 0; step <= 20'000; ++step) {
    const double bend = first + (last - first) * step / 20'000;
    double w = 0, h = 0, y = 0, hh = 0, hy = 0;
    for (size_t r = 0; r < model.rows.size(); ++r) {
      const double weight = weight_of(model, r), beyond = std::max(model.rows[r] - bend, 0.0);
      w += weight;
      h += weight * beyond;
      y += weight * model.verify_s[r];
      hh += weight * beyond * beyond;
      hy += weight * beyond * model.verify_s[r];
    }
    const double spread = hh - h * h / w;
    const double slope = spread > 1e-12 ? std::max((hy - h * y / w) / spread, 0.0) : 0.0;
    const double floor = (y - slope * h) / w;
    std::vector<double> fitted;
    for (const int32_t row : model.rows) fitted.push_back(floor + slope * std::max(row - bend, 0.0));
    best = std::min(best, weighted_error(model, fitted));
  }
  return best;
}

void expect_rising_and_convex(const CostModel& model) {
  for (size_t r = 1; r < model.rows.size(); ++r) {
    EXPECT_GE(model.verify_s[r], model.verify_s[r - 1]) << "falls at row " << model.rows[r];
    if (r < 2) continue;
    const double before =
        (model.verify_s[r - 1] - model.verify_s[r - 2]) / (model.rows[r - 1] - model.rows[r - 2]);
    const double after = (model.verify_s[r] - model.verify_s[r - 1]) / (model.rows[r] - model.rows[r - 1]);
    EXPECT_GE(after - before, -1e-12) << "bends down at row " << model.rows[r];
  }
}

TEST(RooflineFit, FindsAFloorAndALineExactly) {
  for (const double bend : {40.0, 40.5, 1.0, 97.25, 12.125}) {
    CostModel model = one_context(first_rows(128), {});
    for (const int32_t row : model.rows) model.verify_s.push_back(0.02 + 1e-4 * std::max(row - bend, 0.0));
    const CostModel fitted = roofline_fit(model);
    for (size_t r = 0; r < model.rows.size(); ++r)
      EXPECT_NEAR(fitted.verify_s[r], model.verify_s[r], 1e-13)
          << "bend " << bend << ", row " << model.rows[r];
  }
}

TEST(RooflineFit, FitsEveryContextOnItsOwnAndSaysWhatItIs) {
  CostModel model = one_context({1, 2, 4, 8}, {1, 1, 1, 5, 2, 4, 8, 16});
  model.context = {100, 300};
  model.draft_s = {0.5, 0.75};
  model.spread_s.assign(8, 0.1);
  const CostModel fitted = roofline_fit(model);
  for (size_t i = 0; i < 8; ++i) EXPECT_NEAR(fitted.verify_s[i], model.verify_s[i], 1e-12) << "point " << i;
  EXPECT_EQ(fitted.kind, CostKind::kRoofline);
  EXPECT_EQ(fitted.label, "roofline fit of test");
  EXPECT_EQ(fitted.source, "larger of a floor and a line, fitted to: a test");
  EXPECT_EQ(fitted.draft_s, model.draft_s);
  EXPECT_EQ(fitted.overhead_s, model.overhead_s);
  EXPECT_TRUE(fitted.spread_s.empty()) << "a fit was not measured";
  EXPECT_TRUE(validate(fitted).ok());
}

TEST(RooflineFit, IsTheLeastWeightedErrorOfNoisyCurves) {
  std::mt19937 random(21);
  std::normal_distribution<double> noise(0.0, 1.0);
  for (int round = 0; round < 40; ++round) {
    CostModel model = one_context(first_rows(4 + static_cast<int32_t>(random() % 30)), {});
    const double bend = static_cast<double>(random() % 30), sigma = round % 3 == 0 ? 2.0 : 0.2;
    for (const int32_t row : model.rows) {
      const double smooth = round % 2 == 0 ? std::max(row - bend, 0.0) : std::floor(row / 8.0) * 4;
      model.verify_s.push_back(20 + smooth + sigma * noise(random));
    }
    const CostModel fitted = roofline_fit(model);
    SCOPED_TRACE(fmt::format("round {}", round));
    expect_rising_and_convex(fitted);
    const double error = weighted_error(model, fitted.verify_s), brute = brute_error(model);
    EXPECT_LE(error, brute * (1 + 1e-9) + 1e-15);
    EXPECT_GE(error, brute * 0.99 - 1e-9) << "the search comes this close";
  }
}

TEST(RooflineFit, SmallPassesWeighMore) {
  // No line meets all of a curve that bends down: the fit leaves the large pass for the small ones.
  const CostModel model = one_context({1, 2, 3, 4, 5, 60}, {1, 2, 3, 4, 5, 6});
  const std::vector<double> weighted = roofline_fit(model).verify_s, even = affine_fit(model).verify_s;
  EXPECT_LT(std::abs(weighted[0] - 1), std::abs(even[0] - 1));
  EXPECT_GT(std::abs(weighted[5] - 6), std::abs(even[5] - 6));
}

TEST(RooflineFit, OneTwoAndThreeRows) {
  EXPECT_EQ(roofline_fit(one_context({6}, {0.5})).verify_s, std::vector<double>{0.5});
  const std::vector<double> two = roofline_fit(one_context({3, 9}, {0.5, 0.7})).verify_s;
  EXPECT_NEAR(two[0], 0.5, 1e-15);
  EXPECT_NEAR(two[1], 0.7, 1e-15);
  const std::vector<double> three = roofline_fit(one_context({1, 2, 9}, {0.5, 0.5, 0.7})).verify_s;
  EXPECT_NEAR(three[0], 0.5, 1e-12);
  EXPECT_NEAR(three[1], 0.5, 1e-12);
  EXPECT_NEAR(three[2], 0.7, 1e-12);
}

TEST(RooflineFit, FallingPassesGiveAFlatLine) {
  const CostModel model = one_context({1, 2, 3, 4}, {4, 3, 2, 1});
  double mean = 0, weights = 0;
  for (size_t r = 0; r < 4; ++r) {
    mean += weight_of(model, r) * model.verify_s[r];
    weights += weight_of(model, r);
  }
  for (const double seconds : roofline_fit(model).verify_s) EXPECT_NEAR(seconds, mean / weights, 1e-12);
  for (const double seconds : roofline_fit(one_context({1, 2}, {3, 1})).verify_s) EXPECT_GE(seconds, 1);
}

TEST(RooflineFit, NoFittedPassIsCheaperThanTheCheapest) {
  std::mt19937 random(22);
  std::exponential_distribution<double> seconds(1.0);
  for (int round = 0; round < 200; ++round) {
    CostModel model = one_context(first_rows(1 + static_cast<int32_t>(random() % 12)), {});
    for (size_t r = 0; r < model.rows.size(); ++r) model.verify_s.push_back(1e-6 + seconds(random));
    const CostModel fitted = roofline_fit(model);
    const double least = *std::min_element(model.verify_s.begin(), model.verify_s.end());
    expect_rising_and_convex(fitted);
    for (const double value : fitted.verify_s) EXPECT_GE(value, least);
    EXPECT_TRUE(validate(fitted).ok());
  }
}

}  // namespace
}  // namespace draftscope
