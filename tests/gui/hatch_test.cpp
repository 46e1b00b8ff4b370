// Patterns: what is filled, extrapolated or still to come is told apart without colour.
#include <implot.h>

#include <cmath>
#include <set>

#include "tests/gui/gui_test.h"
#include "ui/gui/cost_marks.h"
#include "ui/gui/panel_common.h"

namespace draftscope::test {
namespace {

class GuiHatch : public GuiTest {
 protected:
  /// Runs `draw` in a window of its own; the corners of everything that it drew.
  std::vector<ImVec2> corners_of(const std::function<void()>& draw,
                                 const std::function<ImDrawList*()>& list) {
    ImGui_ImplNull_NewFrame();
    ImGui::GetIO().DisplaySize = size_;
    ImGui::NewFrame();
    ImGui::SetNextWindowPos(ImVec2(0, 0));
    ImGui::SetNextWindowSize(ImVec2(800, 600));
    ImGui::Begin("patterns");
    std::vector<ImVec2> corners;
    const bool plot = ImPlot::BeginPlot("##plot", ImVec2(600, 400));
    EXPECT_TRUE(plot);
    ImPlot::SetupAxesLimits(0, 100, 0, 10, ImPlotCond_Always);
    ImPlot::SetupFinish();
    const int before = list()->VtxBuffer.Size;
    draw();
    for (int i = before; i < list()->VtxBuffer.Size; ++i) corners.push_back(list()->VtxBuffer[i].pos);
    left_ = ImPlot::GetPlotPos(), plot_size_ = ImPlot::GetPlotSize();
    ImPlot::EndPlot();
    ImGui::End();
    ImGui::Render();
    return corners;
  }

  std::vector<ImVec2> hatch(Hatch pattern, ImVec2 min, ImVec2 max) {
    return corners_of([&] { hatch_rect(ImGui::GetWindowDrawList(), min, max, pattern, IM_COL32_WHITE); },
                      [] { return ImGui::GetWindowDrawList(); });
  }
  std::vector<ImVec2> region(double from, double to, const char* words) {
    return corners_of([&] { draw_region(from, to, words); }, [] { return ImPlot::GetPlotDrawList(); });
  }

  ImVec2 left_, plot_size_;  // of the plot
};

TEST_F(GuiHatch, EveryPatternFillsItsRectangleAndNoMore) {
  const ImVec2 min(100, 100), max(300, 220);
  EXPECT_TRUE(hatch(Hatch::kNone, min, max).empty());
  for (const Hatch pattern : {Hatch::kDiagonal, Hatch::kHorizontal, Hatch::kVertical}) {
    const std::vector<ImVec2> corners = hatch(pattern, min, max);
    EXPECT_GT(corners.size(), 20u) << static_cast<int>(pattern);
    ImVec2 low(1e6f, 1e6f), high(0, 0);
    for (const ImVec2 corner : corners) {
      low = {std::min(low.x, corner.x), std::min(low.y, corner.y)};
      high = {std::max(high.x, corner.x), std::max(high.y, corner.y)};
    }
    const float step = em();
    EXPECT_GE(low.x, min.x - 2);
    EXPECT_LE(low.x, min.x + step);
    EXPECT_GE(low.y, min.y - 2);
    EXPECT_LE(low.y, min.y + step);
    EXPECT_LE(high.x, max.x + 2);
    EXPECT_GE(high.x, max.x - step);
    EXPECT_LE(high.y, max.y + 2);
    EXPECT_GE(high.y, max.y - step);
  }
  EXPECT_TRUE(hatch(Hatch::kDiagonal, min, ImVec2(100.5f, 220)).empty()) << "less than a pixel wide";
}

TEST_F(GuiHatch, LinesOfNeighboursJoin) {
  const auto ys = [](const std::vector<ImVec2>& corners) {
    std::set<float> found;
    for (const ImVec2 corner : corners) found.insert(corner.y);
    return found;
  };
  const std::set<float> one = ys(hatch(Hatch::kHorizontal, ImVec2(100, 100), ImVec2(150, 200)));
  EXPECT_EQ(one, ys(hatch(Hatch::kHorizontal, ImVec2(150, 100), ImVec2(200, 200))));
}

TEST_F(GuiHatch, WhatIsExtrapolatedIsHatchedHoweverNarrow) {
  const std::vector<ImVec2> narrow = region(98, HUGE_VAL, "extrapolated"),
                            wide = region(60, HUGE_VAL, "extrapolated");
  EXPECT_GT(narrow.size(), 20u) << "a bare tint would say it by colour alone";
  const float from = left_.x + 0.6f * plot_size_.x;
  for (const ImVec2 corner : wide) EXPECT_GE(corner.x, from - 2);
  EXPECT_GT(wide.size(), region(60, HUGE_VAL, "").size() + 4 * std::string("extrapolated").size() - 1)
      << "it says what it is";
  EXPECT_TRUE(region(120, HUGE_VAL, "extrapolated").empty()) << "beyond the plot";
}

TEST_F(GuiHatch, TheBudgetCurvesAreHatchedWhereTheirCostsAreExtrapolated) {
  const auto n_corners = [&](std::vector<int32_t> rows) {
    SessionInfo info = make_info();
    info.cost.context = {0};
    info.cost.rows = std::move(rows);
    info.cost.verify_s = {0.010, 0.020};
    info.cost.spread_s.clear(), info.cost.plain_s.clear();
    info.cost.draft_s = {0.005};
    store_.append(info);
    store_.append(make_round(2, 64));
    for (int i = 0; i < 3; ++i) {
      ImGui_ImplNull_NewFrame();
      ImGui::GetIO().DisplaySize = size_;
      ImGui::NewFrame();
      studio_.draw_single_panel("throughput");
      ImGui::Render();
    }
    return ImGui::GetDrawData()->TotalVtxCount;
  };
  const int known = n_corners({1, 65}), half = n_corners({1, 33});
  EXPECT_EQ(n_corners({1, 99}), known);
  EXPECT_GT(half, known + 500) << "lines over the right half of two plots, and their words";
  EXPECT_GT(n_corners({1, 9}), half + 200);
}

}  // namespace
}  // namespace draftscope::test
