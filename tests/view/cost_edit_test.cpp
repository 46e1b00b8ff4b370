#include "ui/view/cost_edit.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "ui/view/cost_shape.h"

namespace draftscope::test {
namespace {

using testing::ElementsAre;

CostModel small_model() {
  CostModel model;
  model.kind = CostKind::kMeasured;
  model.label = "measured here";
  model.context = {100, 1000};
  model.rows = {1, 3, 5, 9};
  model.verify_s = {1, 2, 3, 4, 5, 6, 7, 8};
  model.spread_s = std::vector<double>(8, 0.1);
  model.draft_s = {0.5, 0.7};
  return model;
}

const double kBad[] = {0.0, -1.0, std::numeric_limits<double>::infinity(), std::nan("")};

TEST(CostEdit, SameCostLooksAtWhatDecidesOnly) {
  CostModel a = small_model(), b = a;
  b.label = "another name";
  b.kind = CostKind::kByHand;
  b.spread_s.clear();
  EXPECT_TRUE(same_cost(a, b));
  for (void (*change)(CostModel&) :
       {+[](CostModel& m) { m.verify_s[3] += 1; }, +[](CostModel& m) { m.rows[1] = 2; },
        +[](CostModel& m) { m.context[0] = 5; }, +[](CostModel& m) { m.draft_s[0] = 2; },
        +[](CostModel& m) { m.overhead_s = 1; }}) {
    CostModel changed = a;
    change(changed);
    EXPECT_FALSE(same_cost(a, changed));
  }
}

TEST(CostEdit, TheFloorIsAddedToEveryPass) {
  CostModel model = small_model();
  EXPECT_TRUE(add_floor(model, 0.5));
  EXPECT_THAT(model.verify_s, ElementsAre(1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5));
  EXPECT_EQ(model.kind, CostKind::kByHand);
  EXPECT_EQ(model.source, "edited by hand in the window from: measured here");
  EXPECT_TRUE(model.spread_s.empty()) << "nobody measured that";
  EXPECT_TRUE(add_floor(model, -1));
  EXPECT_EQ(model.verify_s[0], 0.5);
  EXPECT_FALSE(add_floor(model, -0.5)) << "no pass is free";
  EXPECT_FALSE(add_floor(model, std::nan("")));
  EXPECT_EQ(model.verify_s[0], 0.5);
}

TEST(CostEdit, TheDraftChangesByAsMuchAtEveryContext) {
  CostModel model = small_model();
  EXPECT_TRUE(set_draft(model, 1, 0.1));
  EXPECT_THAT(model.draft_s, ElementsAre(0, 0.1)) << "never below zero";
  EXPECT_TRUE(set_draft(model, 0, 1));
  EXPECT_THAT(model.draft_s, ElementsAre(1, 1.1));
  EXPECT_FALSE(set_draft(model, 0, -0.1));
  EXPECT_FALSE(set_draft(model, 2, 0.1));
  EXPECT_FALSE(set_draft(model, 0, std::nan("")));
  EXPECT_THAT(model.draft_s, ElementsAre(1, 1.1));
}

TEST(CostEdit, AnAddedPointLeavesTheOtherContextsOnTheirCourse) {
  CostModel model = small_model();
  EXPECT_TRUE(add_point(model, 0, 4, 10));
  EXPECT_THAT(model.rows, ElementsAre(1, 3, 4, 5, 9));
  EXPECT_THAT(model.verify_s, ElementsAre(1, 2, 10, 3, 4, 5, 6, 6.5, 7, 8));
  EXPECT_EQ(model.kind, CostKind::kByHand);
  EXPECT_TRUE(add_point(model, 1, 4, 20)) << "there already: moved";
  EXPECT_THAT(model.verify_s, ElementsAre(1, 2, 10, 3, 4, 5, 6, 20, 7, 8));
  EXPECT_TRUE(add_point(model, 0, 17, 5)) << "beyond the last";
  EXPECT_EQ(model.rows.back(), 17);
  EXPECT_DOUBLE_EQ(model.verify_s.back(), 10) << "the last slope";
  EXPECT_TRUE(is_drawable(model));
}

TEST(CostEdit, AnEditLeavesNeitherSpreadNorPlainStep) {
  for (bool (*edit)(CostModel&) : {+[](CostModel& m) { return add_point(m, 0, 4, 10); }, +[](CostModel& m) { return remove_point(m, 1); },
                                   +[](CostModel& m) { return add_floor(m, 1); }, +[](CostModel& m) { return move_point(m, 0, 0, 9); }}) {
    for (const CostKind kind : {CostKind::kMeasured, CostKind::kByHand}) {  // as files may say, spread or not
      CostModel model = small_model();
      model.kind = kind;
      model.plain_s = {0.9, 4.5};
      EXPECT_TRUE(edit(model));
      EXPECT_TRUE(model.spread_s.empty() && model.plain_s.empty());
    }
  }
}

TEST(CostEdit, ImpossiblePointsAreNotAdded) {
  CostModel model = small_model();
  for (const double bad : kBad) EXPECT_FALSE(add_point(model, 0, 4, bad));
  EXPECT_FALSE(add_point(model, 0, 0, 1));
  EXPECT_FALSE(add_point(model, 0, 65537, 1));
  EXPECT_FALSE(add_point(model, 2, 4, 1));
  EXPECT_FALSE(add_point(model, -1, 4, 1));
  EXPECT_TRUE(same_cost(model, small_model()));
  EXPECT_EQ(model.kind, CostKind::kMeasured);
}

TEST(CostEdit, APointIsTakenOutOfEveryContext) {
  CostModel model = small_model();
  EXPECT_TRUE(remove_point(model, 1));
  EXPECT_THAT(model.rows, ElementsAre(1, 5, 9));
  EXPECT_THAT(model.verify_s, ElementsAre(1, 3, 4, 5, 7, 8));
  EXPECT_FALSE(remove_point(model, 3));
  EXPECT_TRUE(remove_point(model, 2));
  EXPECT_FALSE(remove_point(model, 0)) << "one point is no curve";
  EXPECT_THAT(model.rows, ElementsAre(1, 5));
}

TEST(CostEdit, HandlesStandApart) {
  const std::vector<float> x = {0, 1, 2, 10, 11, 12, 30, 38, 40};
  EXPECT_THAT(handles(x, 5), ElementsAre(0, 3, 6, 8)) << "the end rather than what is close before it";
  EXPECT_THAT(handles(x, 0.5f), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(handles(x, 1000), ElementsAre(0, 8));
  EXPECT_THAT(handles(std::vector<float>{7}, 5), ElementsAre(0));
  EXPECT_TRUE(handles({}, 5).empty());
}

TEST(CostEdit, AHandleTakesThePointsBesideItAlong) {
  CostModel model = small_model();
  model.rows = {1, 2, 3, 4, 5};
  model.verify_s = {1, 1, 1, 1, 1, 2, 2, 2, 2, 2};
  EXPECT_TRUE(drag_handle(model, 0, 2, 0, 4, 3));
  EXPECT_THAT(model.verify_s, ElementsAre(1, 2, 3, 2, 1, 2, 2, 2, 2, 2));
  EXPECT_TRUE(drag_handle(model, 1, 4, 2, 4, 6)) << "the last handle";
  EXPECT_THAT(model.verify_s, ElementsAre(1, 2, 3, 2, 1, 2, 2, 2, 4, 6));
  EXPECT_TRUE(drag_handle(model, 1, 0, 0, 0, 5)) << "alone";
  EXPECT_EQ(model.verify_s[5], 5);
  EXPECT_EQ(model.verify_s[6], 2);
}

TEST(CostEdit, AHandleNeverMakesAPassFree) {
  CostModel model = small_model();
  model.rows = {1, 2, 3, 4, 5};
  model.verify_s = {9, 0.5, 9, 9, 9, 2, 2, 2, 2, 2};
  const CostModel before = model;
  EXPECT_FALSE(drag_handle(model, 0, 2, 0, 4, 1)) << "its neighbour would fall below zero";
  for (const double bad : kBad) EXPECT_FALSE(drag_handle(model, 0, 2, 0, 4, bad));
  EXPECT_FALSE(drag_handle(model, 0, 2, 3, 4, 1));
  EXPECT_FALSE(drag_handle(model, 0, 2, 0, 5, 1));
  EXPECT_TRUE(same_cost(model, before));
}

TEST(CostEdit, FewerPointsStayOnTheCurve) {
  CostModel model = small_model();
  model.rows.clear();
  model.verify_s.clear();
  for (int32_t row = 1; row <= 200; ++row) model.rows.push_back(row);
  for (const double bend : {50.0, 120.0}) {
    for (const int32_t row : model.rows) model.verify_s.push_back(2 + 0.1 * std::max(row - bend, 0.0));
  }
  const CostModel few = fewer_points(model, 0.01);
  EXPECT_LE(few.rows.size(), 8u);
  EXPECT_GE(few.rows.size(), 4u) << "two bends and two ends";
  EXPECT_EQ(few.rows.front(), 1);
  EXPECT_EQ(few.rows.back(), 200);
  EXPECT_TRUE(is_drawable(few));
  for (size_t c = 0; c < 2; ++c) {
    size_t at = 0;
    for (size_t r = 0; r < model.rows.size(); ++r) {
      while (few.rows[at + 1] < model.rows[r]) ++at;
      const double share =
          static_cast<double>(model.rows[r] - few.rows[at]) / (few.rows[at + 1] - few.rows[at]);
      const double* low = &few.verify_s[c * few.rows.size() + at];
      const double seconds = model.verify_s[c * 200 + r];
      EXPECT_NEAR(low[0] + share * (low[1] - low[0]), seconds, 0.01 * seconds) << "row " << model.rows[r];
    }
  }
  EXPECT_EQ(few.kind, CostKind::kByHand);
  EXPECT_TRUE(same_cost(fewer_points(few, 0), few)) << "every point of a polyline is needed";
}

}  // namespace
}  // namespace draftscope::test
