// What a person does inside the panels: run, pick a node, look back in time, bend the cost curve.
#include <imgui_internal.h>
#include <implot.h>
#include <implot_internal.h>

#include <algorithm>

#include "tests/gui/gui_test.h"
#include "ui/gui/palette.h"

namespace draftscope::test {
namespace {

/// Vertices of one colour that a panel drew.
int64_t n_vertices(ImGuiTestContext& context, const char* panel, ImU32 colour) {
  ImGuiWindow* window = context.GetWindowByRef(panel);
  int64_t n = 0;
  for (ImGuiWindow* drawn : context.UiContext->Windows) {
    if (!drawn->Active || !ImGui::IsWindowChildOf(drawn, window, false, false)) continue;
    n += std::ranges::count(drawn->DrawList->VtxBuffer, colour, &ImDrawVert::col);
  }
  return n;
}

class GuiPanels : public GuiTest {
 protected:
  /// Moves the pointer over the tree until it is over a node below the root.
  void point_at_a_node(ImGuiTestContext& context) {
    const ImRect canvas = context.ItemInfo("Draft tree/canvas").RectFull;
    const ImVec2 step = ImVec2(2, 0.9f) * ImGui::GetFontSize();  // less than a node
    for (float x = canvas.Max.x - step.x; x > canvas.Min.x; x -= step.x) {
      for (float y = canvas.Min.y + step.y; y < canvas.Max.y; y += step.y) {
        context.MouseMoveToPos(ImVec2(x, y));
        if (studio_.selection().hover_node.value_or(0) > 0) return;
      }
    }
    IM_ERRORF("%s", "no node was found under the pointer");
  }
};

void run_a_haiku(ImGuiTestContext& context) {
  context.SetRef("Controls");
  context.ItemClick("##Prompt");
  context.KeyCharsReplace("Write a haiku.");
  context.ItemClick("Run");
}

TEST_F(GuiPanels, RunSendsThePromptAndTheMethod) {
  act([](ImGuiTestContext& context) {
    run_a_haiku(context);
  });
  const StartCommand* start = last_sent<StartCommand>();
  ASSERT_NE(start, nullptr);
  EXPECT_EQ(start->prompt_utf8, "Write a haiku.");
  EXPECT_EQ(start->method, Method::kExact);
  ASSERT_EQ(sent_.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<ResumeCommand>(sent_[0]))
      << "a pause of the last run does not hold this one";
}

TEST_F(GuiPanels, AfterPauseAndStopRunDecodes) {
  studio_.set_start({.prompt_utf8 = "Hello"}, 0, 256);
  fill(3, 16);
  act([this](ImGuiTestContext& context) {
    context.SetRef("Controls");
    context.ItemClick("Pause");
    context.ItemClick("Stop");
    store_.append(make_end());
    context.Yield(2);
    context.ItemClick("Run");
  });
  ASSERT_EQ(sent_.size(), 4u);
  EXPECT_TRUE(std::holds_alternative<ResumeCommand>(sent_[2]));
  EXPECT_TRUE(std::holds_alternative<StartCommand>(sent_[3]));
  EXPECT_FALSE(studio_.controls().paused);
}

TEST_F(GuiPanels, ControlEnterInThePromptRuns) {
  act([](ImGuiTestContext& context) {
    context.SetRef("Controls");
    context.ItemClick("##Prompt");
    context.KeyCharsReplace("Two lines,");
    context.KeyPress(ImGuiKey_Enter);
    context.KeyChars("one prompt.");
    context.KeyPress(ImGuiMod_Ctrl | ImGuiKey_Enter);
  });
  ASSERT_NE(last_sent<StartCommand>(), nullptr);
  EXPECT_EQ(last_sent<StartCommand>()->prompt_utf8, "Two lines,\none prompt.");
}

constexpr const char* kCalibratedItem = "//$FOCUSED/calibrated: exact, calibrated";
constexpr const char* kNoCorrectionItem = "//$FOCUSED/calibrated: exact, calibrated (needs a correction)";

TEST_F(GuiPanels, CalibratedIsNotOfferedWithoutACorrection) {
  act([](ImGuiTestContext& context) {
    context.SetRef("Controls");
    context.ItemClick("##Method");
    IM_CHECK(context.ItemExists(kNoCorrectionItem));
    IM_CHECK((context.ItemInfo(kNoCorrectionItem).ItemFlags & ImGuiItemFlags_Disabled) != 0);
    IM_CHECK(!context.ItemExists(kCalibratedItem));
    context.KeyPress(ImGuiKey_Escape);
  });
  EXPECT_EQ(studio_.controls().start.method, Method::kExact);
}

TEST_F(GuiPanels, CalibratedIsOfferedWithACorrection) {
  studio_.set_correction_source("a file");
  act([](ImGuiTestContext& context) {
    context.SetRef("Controls");
    context.ItemClick("##Method");
    context.ItemClick(kCalibratedItem);
    run_a_haiku(context);
  });
  const StartCommand* start = last_sent<StartCommand>();
  ASSERT_NE(start, nullptr);
  EXPECT_EQ(start->method, Method::kCalibrated);
}

TEST_F(GuiPanels, AFittedCorrectionGoesToTheEngineAndTheControlsOfferIt) {
  studio_.use_correction({{.temperature = 1.5}, "fitted in the lab"});
  const SetCorrectionCommand* sent = last_sent<SetCorrectionCommand>();
  ASSERT_NE(sent, nullptr);
  EXPECT_EQ(sent->correction.temperature, 1.5);
  EXPECT_EQ(studio_.controls().correction, "fitted in the lab");
}

TEST_F(GuiPanels, PauseAndStopWhileDecoding) {
  fill(3, 16);
  act([](ImGuiTestContext& context) {
    context.SetRef("Controls");
    context.ItemClick("Pause");
    context.ItemClick("Resume");
    context.ItemClick("Step");
    context.ItemClick("Stop");
  });
  ASSERT_EQ(sent_.size(), 4u);
  EXPECT_TRUE(std::holds_alternative<PauseCommand>(sent_[0]));
  EXPECT_TRUE(std::holds_alternative<ResumeCommand>(sent_[1]));
  EXPECT_TRUE(std::holds_alternative<StepCommand>(sent_[2]));
  EXPECT_TRUE(std::holds_alternative<StopCommand>(sent_[3]));
}

TEST_F(GuiPanels, ClickingANodeSelectsItAndMarksItInTheMarginals) {
  fill(2, 8);
  const ImU32 mark = kDarkPalette.selected;
  act([&](ImGuiTestContext& context) {
    context.MouseMoveToPos(ImVec2(800, 5));
    context.Yield(2);
    IM_CHECK_EQ(n_vertices(context, "Marginals", mark), 0);
    point_at_a_node(context);
    const std::optional<int32_t> pointed = studio_.selection().hover_node;
    context.MouseClick();
    context.Yield(2);
    IM_CHECK(pointed.has_value());
    IM_CHECK(studio_.selection().node == pointed);
    context.MouseMoveToPos(ImVec2(800, 5));
    context.Yield(2);
    IM_CHECK(!studio_.selection().hover_node.has_value());
    IM_CHECK_GT(n_vertices(context, "Marginals", mark), 0);
    context.WindowFocus("Transcript");
    context.KeyPress(ImGuiKey_Escape);
    context.Yield(2);
    IM_CHECK(!studio_.selection().node.has_value());
    IM_CHECK_EQ(n_vertices(context, "Marginals", mark), 0);
  });
}

TEST_F(GuiPanels, ArrowKeysWalkTheTreeWhileItHasTheFocus) {
  fill(2, 8);
  act([&](ImGuiTestContext& context) {
    point_at_a_node(context);
    context.MouseClick();
    context.Yield(2);
    const int32_t node = studio_.selection().node.value_or(-1);
    context.KeyPress(ImGuiKey_LeftArrow);
    context.Yield(2);
    IM_CHECK_EQ(studio_.selection().node.value_or(-1),
                store_.rounds().back().tree.parent[static_cast<size_t>(node)]);
    IM_CHECK(studio_.selection().follow_live);
  });
}

TEST_F(GuiPanels, ScrubbingTheTimelineLeavesTheNewestRound) {
  fill(40, 8);
  act([&](ImGuiTestContext& context) {
    const ImRect lanes = context.ItemInfo("Timeline/**/lanes").RectFull;
    context.MouseMoveToPos(ImVec2(lanes.Min.x + 0.3f * lanes.GetWidth(), lanes.GetCenter().y));
    context.MouseDown();
    context.Yield(2);
    IM_CHECK(!studio_.selection().follow_live);
    const int64_t first = studio_.selection().round;
    context.MouseMoveToPos(ImVec2(lanes.Min.x + 0.2f * lanes.GetWidth(), lanes.GetCenter().y));
    context.Yield(2);
    IM_CHECK_LT(studio_.selection().round, first);
    context.MouseUp();
  });
  EXPECT_LT(studio_.selection().round, 39);
  EXPECT_TRUE(sent_.empty());
}

TEST_F(GuiPanels, DraggingACostPointAndApplyingSendsTheCurve) {
  fill(2, 8);
  const CostModel before = store_.info()->cost;
  act([](ImGuiTestContext& context) {
    const ImGuiID id = context.ItemInfo("Cost model/##cost").ID;
    const ImPlotPlot* plot = ImPlot::GetCurrentContext()->Plots.GetByKey(id);
    IM_CHECK(plot != nullptr);
    const double rows = 128, ms = 1e3 * make_info().cost.verify_s[9];
    context.MouseMoveToPos(
        ImVec2(plot->Axes[ImAxis_X1].PlotToPixels(rows), plot->Axes[ImAxis_Y1].PlotToPixels(ms)));
    context.MouseDown();
    context.Yield(2);
    context.MouseMoveToPos(context.UiContext->IO.MousePos + ImVec2(0, -20));
    context.Yield(2);
    context.MouseUp();
    context.SetRef("Cost model");
    context.ItemClick("Apply");
  });
  const SetCostCommand* sent = last_sent<SetCostCommand>();
  ASSERT_NE(sent, nullptr);
  ASSERT_EQ(sent->cost.rows, before.rows);
  EXPECT_GT(sent->cost.verify_s[9], before.verify_s[9]);
  EXPECT_EQ(sent->cost.verify_s[0], before.verify_s[0]) << "other points stay";
}

}  // namespace
}  // namespace draftscope::test
