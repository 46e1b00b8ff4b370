#include "engine/speculate/knees.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "engine/speculate/cost.h"

namespace draftscope {
namespace {

CostModel curve_of(const std::vector<int32_t>& rows, const std::function<double(int32_t)>& seconds) {
  CostModel model;
  model.kind = CostKind::kMeasured;
  model.context = {512};
  model.rows = rows;
  for (const int32_t row : rows) model.verify_s.push_back(seconds(row));
  model.draft_s = {0.1};
  return model;
}

std::vector<int32_t> every_row(int32_t last) {
  std::vector<int32_t> rows;
  for (int32_t row = 1; row <= last; ++row) rows.push_back(row);
  return rows;
}

// As a profile has them: every row to 32, then steps of 8.
std::vector<int32_t> profile_rows(int32_t last) {
  std::vector<int32_t> rows = every_row(32);
  for (int32_t row = 40; row <= last; row += 8) rows.push_back(row);
  return rows;
}

std::vector<int32_t> rows_of(const std::vector<CostKnee>& found) {
  std::vector<int32_t> rows;
  for (const CostKnee& knee : found) rows.push_back(knee.rows);
  return rows;
}

TEST(Knees, AStaircaseOfTilesStepsAfterEveryTile) {
  const CostModel model = curve_of(every_row(100), [](int32_t row) { return 20 + 2 * ((row + 15) / 16); });
  const std::vector<CostKnee> found = knees(model, 0);
  EXPECT_EQ(rows_of(found), (std::vector<int32_t>{17, 33, 49, 65, 81, 97}));
  for (const CostKnee& knee : found) {
    EXPECT_EQ(knee.cause, "tile of 16");
    EXPECT_NEAR(knee.step_s, 2, 1e-12);
    EXPECT_EQ(knee.slope_s, 0);
  }
}

TEST(Knees, AStepBetweenMeasuredRowsIsPutAtTheEdgeOfItsTile) {
  const CostModel model =
      curve_of(profile_rows(256), [](int32_t row) { return 20 + 3 * ((row + 63) / 64) + 0.01 * row; });
  const std::vector<CostKnee> found = knees(model, 0);
  EXPECT_EQ(rows_of(found), (std::vector<int32_t>{65, 129, 193}));
  for (const CostKnee& knee : found) {
    EXPECT_EQ(knee.cause, "tile of 64");
    EXPECT_NEAR(knee.step_s, 3, 0.05);
  }
}

TEST(Knees, TheEdgesOfAStaircaseAreEnoughToSeeIt) {
  const CostModel smooth = curve_of({1, 256}, [](int32_t row) { return 20 + 0.1 * row; });
  for (const int32_t tile : {16, 64}) {
    const std::vector<CostKnee> found = knees(staircase(smooth, tile), 0);
    ASSERT_EQ(found.size(), static_cast<size_t>(256 / tile - 1)) << tile;
    for (const CostKnee& knee : found) EXPECT_EQ(knee.cause, tile == 16 ? "tile of 16" : "tile of 64");
  }
}

TEST(Knees, BucketsArePowersOfTwo) {
  const CostModel model = curve_of(every_row(200), [](int32_t row) {
    int32_t bucket = 1;
    while (bucket < row) bucket *= 2;
    return 10 + 1.0 * bucket;
  });
  const std::vector<CostKnee> found = knees(model, 0);
  EXPECT_EQ(rows_of(found), (std::vector<int32_t>{2, 3, 5, 9, 17, 33, 65, 129}));
  for (const CostKnee& knee : found) EXPECT_EQ(knee.cause, "bucket (power of two)");
}

TEST(Knees, ARooflineBendsWhereArithmeticTakesOver) {
  const CostModel model = curve_of(every_row(256), [](int32_t row) { return std::max(20.0, 0.2 * row); });
  const std::vector<CostKnee> found = knees(model, 0);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NEAR(found[0].rows, 100, 2);
  EXPECT_EQ(found[0].cause, "memory to compute bound");
  EXPECT_EQ(found[0].step_s, 0);
  EXPECT_NEAR(found[0].slope_s, 0.2, 0.01);
}

TEST(Knees, ABendThatOnlyLongContextsHaveIsAttention) {
  CostModel model = curve_of(every_row(256), [](int32_t row) { return std::max(20.0, 0.1 * row); });
  const CostModel shorter = model;
  model.context = {512, 32768};
  model.draft_s = {0.1, 0.1};
  for (const int32_t row : model.rows) model.verify_s.push_back(25 + 0.15 * std::max(row - 60, 0));
  EXPECT_EQ(rows_of(knees(model, 0)), rows_of(knees(shorter, 0)));
  const std::vector<CostKnee> found = knees(model, 1);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NEAR(found[0].rows, 60, 2);
  EXPECT_EQ(found[0].cause, "attention over the context");
}

TEST(Knees, AStepAndABendAreToldApart) {
  const CostModel model = curve_of(
      every_row(128), [](int32_t row) { return 20 + 0.3 * std::max(row - 90, 0) + (row > 37 ? 4 : 0); });
  const std::vector<CostKnee> found = knees(model, 0);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].rows, 38);
  EXPECT_NEAR(found[0].step_s, 4, 1e-9);
  EXPECT_EQ(found[0].cause, "unexplained") << "no rule has its edge at 37";
  EXPECT_NEAR(found[1].rows, 90, 2);
  EXPECT_GT(found[1].slope_s, 0.2);
}

TEST(Knees, ASmallStepCountsOnlyWhereARuleExplainsIt) {
  const auto step_after = [](int32_t edge) {
    return [edge](int32_t row) { return row > edge ? 21.5 : 20.0; };
  };
  EXPECT_EQ(rows_of(knees(curve_of(every_row(100), step_after(64)), 0)), std::vector<int32_t>{65});
  EXPECT_TRUE(knees(curve_of(every_row(100), step_after(61)), 0).empty());
}

TEST(Knees, AStepDownIsUnexplained) {
  const CostModel model = curve_of(every_row(60), [](int32_t row) { return row > 20 ? 15.0 : 20.0; });
  const std::vector<CostKnee> found = knees(model, 0);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].rows, 21);
  EXPECT_NEAR(found[0].step_s, -5, 1e-12);
  EXPECT_EQ(found[0].cause, "unexplained");
}

TEST(Knees, NoiseBelowTheSpreadGivesNone) {
  std::mt19937 random(31);
  std::uniform_real_distribution<double> noise(-1, 1);
  for (int round = 0; round < 100; ++round) {
    const double slope = 0.05 * (round % 3);
    CostModel model =
        curve_of(profile_rows(256), [&](int32_t row) { return 20 + slope * row + noise(random); });
    model.spread_s.assign(model.rows.size(), 1);
    const std::vector<CostKnee> found = knees(model, 0);
    EXPECT_TRUE(found.empty()) << "round " << round << ": " << found.size() << ", first at "
                               << (found.empty() ? 0 : found[0].rows);
  }
}

TEST(Knees, OneOddPointIsNoStep) {
  const CostModel model = curve_of(every_row(60), [](int32_t row) { return row == 30 ? 25.0 : 20.0; });
  for (const CostKnee& knee : knees(model, 0)) EXPECT_EQ(knee.step_s, 0) << "at " << knee.rows;
}

TEST(Knees, StepsSurviveNoise) {
  std::mt19937 random(32);
  std::uniform_real_distribution<double> noise(-0.1, 0.1);
  CostModel model =
      curve_of(every_row(100), [&](int32_t row) { return 20 + 2 * ((row + 15) / 16) + noise(random); });
  model.spread_s.assign(model.rows.size(), 0.1);
  EXPECT_EQ(rows_of(knees(model, 0)), (std::vector<int32_t>{17, 33, 49, 65, 81, 97}));
}

TEST(Knees, FlatAndStraightAndVeryShortCurvesHaveNone) {
  EXPECT_TRUE(knees(curve_of({6}, [](int32_t) { return 1.0; }), 0).empty());
  EXPECT_TRUE(knees(curve_of({6, 9}, [](int32_t row) { return 1.0 * row; }), 0).empty());
  EXPECT_TRUE(knees(curve_of({6, 9, 80}, [](int32_t) { return 1.0; }), 0).empty());
  EXPECT_TRUE(knees(curve_of(every_row(512), [](int32_t row) { return 3.0 + 0.5 * row; }), 0).empty());
  EXPECT_TRUE(
      knees(curve_of({1, 2, 4, 8, 16, 32, 64, 128, 256}, [](int32_t row) { return 9 + 0.5 * row; }), 0)
          .empty());
}

}  // namespace
}  // namespace draftscope
