#include "engine/speculate/cost.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace draftscope {
namespace {

using ::testing::HasSubstr;

CostModel grid_model() {
  CostModel model;
  model.kind = CostKind::kMeasured;
  model.label = "test";
  model.context = {100, 300};
  model.rows = {2, 4, 8};
  model.verify_s = {1, 2, 3, 5, 6, 9};
  model.draft_s = {0.5, 1.5};
  model.overhead_s = 0.25;
  return model;
}

std::vector<double> verify_at(const CostModel& model, int32_t context) {
  return round_cost(model, context, 9).verify_s;
}

TEST(Cost, IsLinearBetweenGridPointsAndClampedOutside) {
  // Rows are nodes + 1: 1 (clamped), 2, 3, 4, 5, 6, 7, 8, then the last slope.
  const std::vector<double> low{1, 1, 1.5, 2, 2.25, 2.5, 2.75, 3, 3.25, 3.5};
  const std::vector<double> high{5, 5, 5.5, 6, 6.75, 7.5, 8.25, 9, 9.75, 10.5};
  EXPECT_EQ(verify_at(grid_model(), 100), low);
  EXPECT_EQ(verify_at(grid_model(), 0), low);
  EXPECT_EQ(verify_at(grid_model(), 300), high);
  EXPECT_EQ(verify_at(grid_model(), 1'000'000), high);
  const std::vector<double> quarter = verify_at(grid_model(), 150);
  for (size_t n = 0; n < quarter.size(); ++n) EXPECT_DOUBLE_EQ(quarter[n], low[n] + (high[n] - low[n]) / 4);
  const RoundCost cost = round_cost(grid_model(), 150, 9);
  EXPECT_DOUBLE_EQ(cost.draft_s, 0.75);
  EXPECT_DOUBLE_EQ(cost.total_s(0), 0.75 + 0.25 + 2.0);
}

TEST(Cost, APlainStepIsAPassOfOneRowUntilItIsMeasured) {
  CostModel model = grid_model();
  EXPECT_EQ(round_cost(model, 200, 1).plain_s, 3);
  model.plain_s = {0.75, 1.75};
  EXPECT_EQ(round_cost(model, 150, 1).plain_s, 1);
  EXPECT_EQ(plain_step_s(model, 0), 0.75);
  EXPECT_EQ(plain_step_s(model, 9999), 1.75);
  for (const CostModel& fit : {convex_fit(model), affine_fit(model), roofline_fit(model)}) {
    EXPECT_EQ(fit.plain_s, model.plain_s) << fit.label;
  }
  EXPECT_TRUE(staircase(model, 4).plain_s.empty()) << "its pass of one row costs a tile";
}

TEST(Cost, NeverFallsBeyondTheLastRow) {
  CostModel model = grid_model();
  model.verify_s = {1, 3, 2, 5, 6, 9};
  const std::vector<double> seconds = verify_at(model, 100);
  EXPECT_EQ(seconds[7], 2);
  EXPECT_EQ(seconds[9], 2);
}

TEST(Cost, OnePointIsACurve) {
  CostModel model = grid_model();
  model.context = {7};
  model.rows = {1};
  model.verify_s = {0.125};
  model.draft_s = {0};
  const RoundCost cost = round_cost(model, 5000, 3);
  EXPECT_EQ(cost.verify_s, std::vector<double>(4, 0.125));
  EXPECT_EQ(cost.faithful_s, std::vector<double>(4, 0.125));
}

TEST(Cost, FaithfulCurveCountsTokensNotRows) {
  CostModel model = grid_model();
  model.kind = CostKind::kConvexFit;  // taken as it is
  const RoundCost cost = round_cost(model, 100, 9);
  for (size_t n = 1; n < 10; ++n) EXPECT_EQ(cost.faithful_s[n], cost.verify_s[n - 1]) << "n " << n;
  EXPECT_EQ(cost.faithful_s[0], cost.faithful_s[1]);
}

TEST(Cost, FaithfulCurveIsTheConvexFitOfWhatWasMeasured) {
  CostModel model = grid_model();
  model.verify_s = {1, 2, 1.5, 5, 6, 9};
  const CostModel fitted = convex_fit(model);
  EXPECT_EQ(fitted.kind, CostKind::kConvexFit);
  const RoundCost cost = round_cost(model, 100, 9);
  EXPECT_EQ(cost.faithful_s, round_cost(fitted, 100, 9).faithful_s);
  EXPECT_EQ(cost.verify_s[3], 2) << "the measured point itself";
  EXPECT_NEAR(cost.faithful_s[4], 1.5, 1e-12) << "the least squares line at the middle index";
}

TEST(Cost, AffineFitIsTheLeastSquaresLine) {
  CostModel model = grid_model();
  model.context = {0};
  model.draft_s = {0};
  model.rows = {1, 2, 3};
  model.verify_s = {1, 3, 2};
  const CostModel fitted = affine_fit(model);
  EXPECT_EQ(fitted.kind, CostKind::kAffine);
  EXPECT_NEAR(fitted.verify_s[0], 1.5, 1e-12);
  EXPECT_NEAR(fitted.verify_s[2], 2.5, 1e-12);
  model.verify_s = {3, 2, 1};
  for (const double seconds : affine_fit(model).verify_s) EXPECT_NEAR(seconds, 2, 1e-12) << "never falling";
  model.verify_s = {0.1, 0.1, 5};
  const std::vector<double> held = affine_fit(model).verify_s;
  EXPECT_EQ(held[0], 0.1) << "never below the cheapest pass";
  EXPECT_NEAR(held[1] - held[0], 1.96, 1e-12);  // least squares slope through the held point: 2 * 4.9 / 5
  model.rows = {6};
  model.verify_s = {0.5};
  EXPECT_EQ(affine_fit(model).verify_s, std::vector<double>{0.5});
}

TEST(Cost, StaircaseCostsTheUpperEdgeOfTheTile) {
  CostModel model = grid_model();
  model.context = {0};
  model.draft_s = {0};
  model.rows = {1, 11};
  model.verify_s = {1, 2};
  const std::vector<double> seconds = round_cost(staircase(model, 4), 0, 12).verify_s;
  for (size_t n = 0; n < 4; ++n) EXPECT_NEAR(seconds[n], 1.3, 1e-12) << "rows 1 to 4";
  for (size_t n = 4; n < 8; ++n) EXPECT_NEAR(seconds[n], 1.7, 1e-12) << "rows 5 to 8";
  for (size_t n = 8; n < 13; ++n) EXPECT_NEAR(seconds[n], 2.0, 1e-12) << "rows 9 to 11 and beyond";
  const std::vector<double> fine = round_cost(staircase(model, 1), 0, 10).verify_s;
  for (size_t n = 0; n < 11; ++n) EXPECT_NEAR(fine[n], 1 + 0.1 * static_cast<double>(n), 1e-12);
}

TEST(Cost, RooflineTakesTheSlowerOfMemoryAndArithmetic) {
  const Roofline machine{.weight_bytes = 100,
                         .kv_bytes_per_token = 1,
                         .flops_per_row = 10,
                         .bytes_per_s = 10,
                         .flops_per_s = 5,
                         .launch_floor_s = 0.5,
                         .draft_s = 0.1};
  const Result<CostModel> model = roofline(machine, {0, 50}, {1, 5, 10});
  ASSERT_TRUE(model.ok());
  EXPECT_EQ(model->verify_s, (std::vector<double>{10.5, 10.5, 20.5, 15.5, 15.5, 20.5}));
  EXPECT_FALSE(roofline({}, {0}, {1}).ok()) << "no bandwidth";
  EXPECT_FALSE(roofline(machine, {0}, {}).ok()) << "no rows";
}

struct Broken {
  const char* what;
  void (*breaks)(CostModel&);
  const char* sentence;
};

TEST(Cost, ValidateNamesWhatIsWrong) {
  const Broken cases[] = {
      {"no context", [](CostModel& m) { m.context.clear(); }, "context: expected at least one value"},
      {"no rows", [](CostModel& m) { m.rows.clear(); }, "rows: expected at least one value"},
      {"rows of zero", [](CostModel& m) { m.rows[0] = 0; }, "rows: expected 1 or more, found 0"},
      {"unsorted rows",
       [](CostModel& m) {
         m.rows = {4, 2, 8};
       },
       "strictly ascending values, found 2 after 4"},
      {"equal contexts",
       [](CostModel& m) {
         m.context = {5, 5};
       },
       "strictly ascending values, found 5 after 5"},
      {"negative context", [](CostModel& m) { m.context[0] = -1; }, "context: expected 0 or more"},
      {"a gap", [](CostModel& m) { m.verify_s.pop_back(); }, "verify_s: expected 6 values, found 5"},
      {"NaN", [](CostModel& m) { m.verify_s[2] = std::numeric_limits<double>::quiet_NaN(); }, "verify_s[2]"},
      {"infinity", [](CostModel& m) { m.verify_s[2] = std::numeric_limits<double>::infinity(); },
       "verify_s[2]"},
      {"zero", [](CostModel& m) { m.verify_s[3] = 0; }, "verify_s[3]: expected a finite positive number"},
      {"negative", [](CostModel& m) { m.verify_s[3] = -1; }, "found -1"},
      {"short spread", [](CostModel& m) { m.spread_s = {1}; }, "spread_s: expected 6 values, found 1"},
      {"no draft", [](CostModel& m) { m.draft_s.clear(); }, "draft_s: expected 2 values, found 0"},
      {"negative draft", [](CostModel& m) { m.draft_s[1] = -1; },
       "draft_s[1]: expected a finite non-negative"},
      {"eternal pass", [](CostModel& m) { m.verify_s[1] = 1e7; }, "verify_s[1]: expected a finite positive"},
      {"pass of no time", [](CostModel& m) { m.verify_s[1] = 1e-310; }, "1e-100 to 100000, found 1e-310"},
      {"eternal draft", [](CostModel& m) { m.draft_s[0] = 1e7; }, "draft_s[0]: expected a finite non-negative"},
      {"short plain", [](CostModel& m) { m.plain_s = {1}; }, "plain_s: expected 2 values, found 1"},
      {"free plain", [](CostModel& m) { m.plain_s = {1, 0}; }, "plain_s[1]: expected a finite positive"},
      {"eternal overhead", [](CostModel& m) { m.overhead_s = 1e7; }, "0 to 100000, found 10000000"},
      {"negative overhead", [](CostModel& m) { m.overhead_s = -1; }, "overhead_s"},
  };
  EXPECT_TRUE(validate(grid_model()).ok());
  for (const Broken& broken : cases) {
    CostModel model = grid_model();
    broken.breaks(model);
    const Status status = validate(model);
    ASSERT_FALSE(status.ok()) << broken.what;
    EXPECT_THAT(status.error(), HasSubstr(broken.sentence)) << broken.what;
    EXPECT_EQ(status.error().find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace draftscope
