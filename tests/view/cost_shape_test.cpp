#include "ui/view/cost_shape.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

namespace draftscope::test {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

CostModel small_model() {
  CostModel model;
  model.kind = CostKind::kMeasured;
  model.label = "measured here";
  model.context = {100, 1000};
  model.rows = {1, 2, 4, 8};
  model.verify_s = {1, 1, 2, 4, 2, 2, 4, 8};
  model.spread_s = std::vector<double>(8, 0.1);
  model.draft_s = {0.5, 0.6};
  model.plain_s = {0.9, 1.8};
  return model;
}

TEST(CostShape, StaircaseChargesWholeTiles) {
  const CostModel model = reshape(small_model(), CostShape::kStaircase, 4);
  EXPECT_THAT(model.verify_s, ElementsAre(2, 2, 2, 4, 4, 4, 4, 8));
  EXPECT_EQ(model.kind, CostKind::kStaircase);
  EXPECT_EQ(model.label, "staircase of 4 rows");
  EXPECT_EQ(model.source, "derived in the window from: measured here");
  EXPECT_TRUE(model.spread_s.empty()) << "the spread was of the measured points";
  EXPECT_TRUE(model.plain_s.empty()) << "and so was the plain step";
  EXPECT_EQ(reshape(small_model(), CostShape::kInForce, 4).plain_s, small_model().plain_s);
}

TEST(CostShape, RooflineIsFlatThenLinear) {
  EXPECT_THAT(reshape(small_model(), CostShape::kRoofline, 1).verify_s, ElementsAre(1, 1, 2, 4, 2, 2, 4, 8));
}

TEST(CostShape, FlatCostsWhatOneRowCosts) {
  EXPECT_THAT(reshape(small_model(), CostShape::kFlat, 1).verify_s, ElementsAre(1, 1, 1, 1, 2, 2, 2, 2));
}

TEST(CostShape, StraightLineReproducesALine) {
  CostModel model = small_model();
  for (size_t i = 0; i < 4; ++i) {
    model.verify_s[i] = 3 + 0.5 * model.rows[i];
    model.verify_s[4 + i] = 1 + 2.0 * model.rows[i];
  }
  const CostModel line = reshape(model, CostShape::kStraightLine, 1);
  for (size_t i = 0; i < 8; ++i) EXPECT_NEAR(line.verify_s[i], model.verify_s[i], 1e-9);
  EXPECT_EQ(line.kind, CostKind::kAffine);
}

TEST(CostShape, EveryShapeKeepsAxesAndStaysPositive) {
  CostModel steep = small_model();
  steep.verify_s = {1e-6, 1e-6, 1e-6, 10, 1e-6, 5, 5, 5};
  for (const CostShape shape : kCostShapes) {
    for (const int32_t tile : {1, 3, 16, 64}) {
      const CostModel model = reshape(steep, shape, tile);
      EXPECT_EQ(model.rows, steep.rows);
      EXPECT_EQ(model.context, steep.context);
      EXPECT_EQ(model.draft_s, steep.draft_s);
      for (const double cost_s : model.verify_s) EXPECT_GT(cost_s, 0) << name(shape);
    }
  }
}

TEST(CostShape, OneRowOnTheGridIsEnough) {
  CostModel model = small_model();
  model.rows = {4};
  model.verify_s = {2, 4};
  for (const CostShape shape : kCostShapes) {
    EXPECT_THAT(reshape(model, shape, 16).verify_s, ElementsAre(DoubleNear(2, 1e-9), DoubleNear(4, 1e-9)))
        << name(shape);
  }
}

TEST(CostShape, MovedPointsAreMarkedAsEditedByHand) {
  CostModel model = small_model();
  EXPECT_TRUE(move_point(model, 1, 2, 7.0));
  EXPECT_EQ(model.verify_s[6], 7.0);
  EXPECT_EQ(model.kind, CostKind::kByHand);
  EXPECT_EQ(model.label, "edited by hand");
  EXPECT_EQ(model.source, "edited by hand in the window from: measured here");
  EXPECT_TRUE(move_point(model, 0, 0, 0.5));
  EXPECT_EQ(model.source, "edited by hand in the window from: measured here") << "the origin is named once";
}

TEST(CostShape, ImpossiblePointsAreRefused) {
  CostModel model = small_model();
  const CostModel before = model;
  for (const double bad : {0.0, -1.0, std::numeric_limits<double>::infinity(), std::nan("")}) {
    EXPECT_FALSE(move_point(model, 0, 0, bad));
  }
  EXPECT_FALSE(move_point(model, 2, 0, 1.0));
  EXPECT_FALSE(move_point(model, 0, 4, 1.0));
  EXPECT_FALSE(move_point(model, -1, 0, 1.0));
  EXPECT_EQ(model.verify_s, before.verify_s);
  EXPECT_EQ(model.kind, before.kind);
}

TEST(CostShape, BrokenModelsAreNotDrawn) {
  EXPECT_FALSE(is_drawable(CostModel{}));
  CostModel torn = small_model();
  torn.verify_s.pop_back();
  EXPECT_FALSE(is_drawable(torn));
  EXPECT_EQ(reshape(torn, CostShape::kFlat, 1).verify_s, torn.verify_s);
  EXPECT_TRUE(is_drawable(small_model()));
}

TEST(CostShape, NearestContextIsFound) {
  const CostModel model = small_model();
  EXPECT_EQ(nearest_context_row(model, 0), 0);
  EXPECT_EQ(nearest_context_row(model, 540), 0);
  EXPECT_EQ(nearest_context_row(model, 560), 1);
  EXPECT_EQ(nearest_context_row(CostModel{}, 5), 0);
}

}  // namespace
}  // namespace draftscope::test
