// The budget lab in the window: a dense recording asks by itself, controls ask again, panels stay readable.
#include <imgui_internal.h>
#include <implot.h>
#include <implot_internal.h>

#include <algorithm>

#include "engine/lab/answer.h"
#include "engine/lab/calibration.h"
#include "engine/lab/regret.h"
#include "engine/lab/sweep.h"
#include "tests/gui/gui_test.h"
#include "tests/lab/make_dense.h"
#include "ui/gui/dockspace.h"
#include "ui/gui/theme.h"

namespace draftscope::test {
namespace {

constexpr PanelIndex kLabPanels[] = {kPolicies, kBudgets, kRegret, kCalibration, kSweep};

/// A window on a made-up dense recording; questions are answered within the call, all but the sweep's last
/// cells when `growing`.
class GuiLab : public GuiTest {
 protected:
  GuiLab()
      : GuiTest(false,
                {[this](const LabQuestion& question) { answer_now(question); }, [this] { return report_; }}) {
  }

  void open_dense(int32_t n_tokens = 120) {
    const DenseRecording made = make_dense(n_tokens, 64);
    Result<DenseText> text = dense_text(made.info, made.rounds);
    ASSERT_TRUE(text) << text.error();
    calibration_ = calibrate(*text);
    calibration_.correction = Correction{.temperature = 1.25};
    texts_ = prepare_all(*std::move(text));
    store_.append(made.info);
    for (const RoundRecord& round : made.rounds) store_.append(round);
  }

  void answer_now(const LabQuestion& question) {
    asked_.push_back(question);
    LabReport report = answer(texts_, question);
    const CostTable cost(question.cost);
    const PreparedText& best_first = prepared_for(texts_, Method::kExact);
    report.regret = regret(simulate_policy(texts_, question, question.regret_of, cost),
                           {best_first, best_first, cost, cost, texts_.text.max_nodes});
    report.calibration = calibration_;
    report.best_fixed = best_fixed(texts_, question.cost);
    report.sweep = sweep_axes(question.cost, texts_.text.max_nodes);
    Sweep(best_first, question.cost).fill(report.sweep, growing_ ? 20 : 1 << 20);
    report_ = std::make_shared<const LabReport>(std::move(report));
  }

  ImGuiWindow* window(PanelIndex panel) { return ImGui::FindWindowByName(kPanels[panel].title); }
  static std::string in(PanelIndex panel, const char* item) {
    return std::string(kPanels[panel].title) + "/" + item;
  }

  bool growing_ = false;
  PreparedTexts texts_;
  LabCalibration calibration_;
  std::vector<LabQuestion> asked_;
  std::shared_ptr<const LabReport> report_;
};

TEST_F(GuiLab, ADenseRecordingAsksByItselfWithItsOwnCostAndShowsTheLab) {
  open_dense();
  frame(6);
  ASSERT_EQ(asked_.size(), 1u);
  EXPECT_EQ(asked_[0].number, 1);
  EXPECT_EQ(asked_[0].cost.label, store_.info()->cost.label);
  EXPECT_FALSE(asked_[0].other_cost.has_value());
  for (const PanelIndex panel : kLabPanels) {
    ASSERT_NE(window(panel), nullptr) << kPanels[panel].title;
    EXPECT_TRUE(window(panel)->Active && window(panel)->DockIsActive) << kPanels[panel].title;
  }
  EXPECT_TRUE(window(kTree) == nullptr || !window(kTree)->Active);
  EXPECT_TRUE(sent_.empty());
}

TEST_F(GuiLab, OtherRecordingsKeepTheRoundsAndAskNothing) {
  fill(3, 16);
  frame(6);
  EXPECT_TRUE(asked_.empty());
  EXPECT_TRUE(window(kTree)->Active);
  act([&](ImGuiTestContext& context) {
    context.KeyPress(ImGuiKey_F4);
    context.Yield(4);
    IM_CHECK(window(kPolicies)->Active);
    IM_CHECK(!window(kTree)->Active);
    context.KeyPress(ImGuiKey_F3);
    context.Yield(4);
    IM_CHECK(!window(kPolicies)->Active);
    IM_CHECK(window(kTree)->Active);
  });
  EXPECT_TRUE(asked_.empty());
}

TEST_F(GuiLab, MovingTheFixedBudgetAsksAndTheTableFollows) {
  open_dense();
  act([&](ImGuiTestContext& context) {
    context.ItemInputValue(in(kPolicies, "##Budget").c_str(), 17);
    context.Yield(2);
  });
  ASSERT_GE(asked_.size(), 2u);
  EXPECT_EQ(asked_.back().budget, 17);
  EXPECT_EQ(asked_.back().number, static_cast<int64_t>(asked_.size()));
  EXPECT_EQ(studio_.lab().views.table.rows[2].name, "fixed tree, 17 nodes");
}

TEST_F(GuiLab, AnotherBucketAndAnotherPolicyAskToo) {
  open_dense();
  act([&](ImGuiTestContext& context) {
    context.SetRef(kPanels[kPolicies].title);
    context.ComboClick("##Bucket/16 rows");
    context.SetRef(kPanels[kRegret].title);
    context.ComboClick("##Regret of/exact optimum");
  });
  ASSERT_EQ(asked_.size(), 3u);
  EXPECT_EQ(asked_.back().bucket_rows, 16);
  EXPECT_EQ(asked_.back().regret_of, Method::kExact);
  EXPECT_EQ(studio_.lab().views.regret.headline.rfind("exact optimum made 120 tokens", 0), 0u)
      << studio_.lab().views.regret.headline;
}

TEST_F(GuiLab, ARowOfTheTableChoosesThePolicy) {
  open_dense();
  act([&](ImGuiTestContext& context) {
    context.ItemClick(
        (in(kPolicies, "**/") + "CAST, " + std::to_string(report_->policies[7].budget) + " nodes").c_str());
    context.Yield(2);
  });
  EXPECT_EQ(asked_.back().regret_of, Method::kCast);
}

constexpr const char* kUseCorrection = "Use this correction";

TEST_F(GuiLab, AFittedCorrectionIsHandedOverWithOneClick) {
  studio_.allow_opening(true, true);  // an engine decodes behind the recording
  open_dense();
  act([&](ImGuiTestContext& context) { context.ItemClick(in(kCalibration, kUseCorrection).c_str()); });
  const StudioRequests asked = studio_.take_requests();
  ASSERT_TRUE(asked.use_correction.has_value());
  EXPECT_EQ(asked.use_correction->correction.temperature, 1.25);
  EXPECT_NE(asked.use_correction->source.find("temperature 1.25"), std::string::npos);
  EXPECT_TRUE(sent_.empty()) << "a recording has no engine of its own";
}

TEST_F(GuiLab, WithoutAnEngineACorrectionCannotBeUsed) {
  open_dense();
  act([&](ImGuiTestContext& context) {
    const ImGuiTestItemInfo button = context.ItemInfo(in(kCalibration, kUseCorrection).c_str());
    IM_CHECK((button.ItemFlags & ImGuiItemFlags_Disabled) != 0);
  });
  EXPECT_FALSE(studio_.take_requests().use_correction.has_value());
}

TEST_F(GuiLab, TheRecordedCostCanBeTheTrueOne) {
  open_dense();
  act([&](ImGuiTestContext& context) { context.ItemClick(in(kRegret, "Recorded cost is true").c_str()); });
  ASSERT_TRUE(asked_.back().true_cost.has_value());
  EXPECT_EQ(asked_.back().true_cost->verify_s, store_.info()->cost.verify_s);
  act([&](ImGuiTestContext& context) { context.ItemClick(in(kRegret, "Recorded cost is true").c_str()); });
  EXPECT_FALSE(asked_.back().true_cost.has_value());
}

TEST_F(GuiLab, DraggingACostPointAsksAtOnceAndTheSpeedsFollow) {
  open_dense();
  frame(4);
  const size_t before = asked_.size();
  const double speed = report_->policies[2].tokens_per_s;
  act([&](ImGuiTestContext& context) {
    const ImPlotPlot* plot =
        ImPlot::GetCurrentContext()->Plots.GetByKey(context.ItemInfo("Cost model/##cost").ID);
    IM_CHECK(plot != nullptr);
    const CostModel& cost = store_.info()->cost;
    const double rows = cost.rows[8], ms = 1e3 * cost.verify_s[8];  // 64 rows at the first context
    context.MouseMoveToPos(
        ImVec2(plot->Axes[ImAxis_X1].PlotToPixels(rows), plot->Axes[ImAxis_Y1].PlotToPixels(ms)));
    context.MouseDown();
    context.MouseMoveToPos(context.UiContext->IO.MousePos + ImVec2(0, -30));
    context.Yield(2);
    IM_CHECK_GT(asked_.size(), before);  // while the button is still down
    IM_CHECK_GT(asked_.back().cost.verify_s[8], cost.verify_s[8]);
    context.MouseUp();
    context.Yield(2);
  });
  EXPECT_LT(report_->policies[2].tokens_per_s, speed) << "a fixed tree of 64 nodes pays for dearer passes";
  EXPECT_EQ(studio_.lab().report, report_);
}

TEST_F(GuiLab, KeepingTheCurveAsBAddsItsSideToTheTable) {
  open_dense();
  act([](ImGuiTestContext& context) {
    if (!context.ItemExists("Cost model/Keep as B")) context.ItemClick("Cost model/###more");
    context.Yield(2);
    context.ItemClick("Cost model/Keep as B");
    context.Yield(2);
  });
  ASSERT_TRUE(asked_.back().other_cost.has_value());
  EXPECT_TRUE(studio_.lab().views.table.two_sides);
  EXPECT_EQ(studio_.lab().views.table.rows[2].ratio, "1.00x");
}

TEST_F(GuiLab, TheTableIsInFrontWhereThereIsLittleRoom) {
  open_dense();
  apply_theme(Theme::kDark, 2);
  frame(8);
  EXPECT_TRUE(window(kPolicies)->Active && !window(kPolicies)->Hidden);
  EXPECT_TRUE(window(kSweep)->Hidden || !window(kSweep)->Active);
  EXPECT_EQ(window(kSweep)->DockId, window(kPolicies)->DockId);
}

TEST_F(GuiLab, PointingAtTheBudgetTrackSelectsTheTokenThere) {
  open_dense(100);
  act([&](ImGuiTestContext& context) {
    const ImRect track = context.ItemInfo(in(kBudgets, "track").c_str()).RectFull;
    context.MouseMoveToPos(ImVec2(track.Max.x - 0.4f * track.GetWidth(), track.GetCenter().y));
    context.Yield(2);
    const int64_t first = studio_.selection().round;
    IM_CHECK(!studio_.selection().follow_live);
    IM_CHECK_GT(first, 20);
    IM_CHECK_LT(first, 90);
    context.MouseMoveToPos(ImVec2(track.Max.x - 0.2f * track.GetWidth(), track.GetCenter().y));
    context.Yield(2);
    IM_CHECK_GT(studio_.selection().round, first);
    const int64_t last = studio_.selection().round;
    context.MouseMoveToPos(
        ImVec2(track.Max.x - 0.2f * track.GetWidth(), track.Min.y - 6 * ImGui::GetFontSize()));
    context.Yield(2);
    IM_CHECK_EQ(studio_.selection().round, last);
  });
}

TEST_F(GuiLab, TheLaunchFloorChoosesTheLayerWithoutAQuestion) {
  open_dense();
  frame(4);
  const std::vector<double> first = studio_.lab().views.sweep.tokens_per_s;
  act([&](ImGuiTestContext& context) {
    const ImRect slider = context.ItemInfo(in(kSweep, "##Floor").c_str()).RectFull;
    context.MouseMoveToPos(ImVec2(slider.Max.x - 4, slider.GetCenter().y));
    context.MouseClick();
    context.Yield(2);
  });
  EXPECT_EQ(studio_.lab().floor, static_cast<int32_t>(report_->sweep.floor_s.size()) - 1);
  EXPECT_NE(studio_.lab().views.sweep.tokens_per_s, first);
  EXPECT_EQ(asked_.size(), 1u);
}

TEST_F(GuiLab, FramesGoOnWhileTheAnswerGrows) {
  growing_ = true;
  open_dense();
  frame(4);
  EXPECT_TRUE(studio_.animating());
  EXPECT_NE(studio_.lab().views.sweep.progress, "");
  growing_ = false;
  answer_now(LabQuestion(asked_.back()));
  frame(2);
  EXPECT_FALSE(studio_.animating());
  EXPECT_EQ(studio_.lab().views.sweep.progress, "");
}

TEST_F(GuiLab, NothingIsCutAndNoTwoWidgetsAreOne) {
  open_dense();
  for (const auto& [size, scale] : {std::pair{ImVec2(1600, 900), 2.0f},
                                    {ImVec2(1100, 700), 1.0f},
                                    {ImVec2(640, 400), 1.0f},
                                    {ImVec2(1600, 900), 1.0f}}) {
    size_ = size;
    apply_theme(Theme::kDark, scale);
    frame(6);
    act([&](ImGuiTestContext& context) {
      for (const PanelIndex panel : kLabPanels) {
        context.WindowFocus(("//" + std::string(kPanels[panel].title)).c_str());
        context.Yield(4);
        IM_CHECK(window(panel)->Active && !window(panel)->Hidden);
        // What sticks out at the right would be cut there.
        EXPECT_EQ(window(panel)->ScrollMax.x, 0.0f)
            << kPanels[panel].title << " at " << size.x << ", " << scale;
        EXPECT_LE(window(panel)->DC.CursorMaxPos.x, window(panel)->WorkRect.Max.x + 1)
            << kPanels[panel].title;
      }
      for (const auto& [panel, item] : {std::pair{kPolicies, "##Budget"},
                                        {kPolicies, "##Bucket"},
                                        {kPolicies, "?"},
                                        {kRegret, "##Regret of"},
                                        {kRegret, "?"},
                                        {kCalibration, "##Curve"},
                                        {kSweep, "##Floor"},
                                        {kBudgets, "All policies"}}) {
        context.WindowFocus(("//" + std::string(kPanels[panel].title)).c_str());
        context.MouseMove(in(panel, item).c_str());
        context.Yield(2);
        IM_CHECK_EQ(context.UiContext->HoveredIdPreviousFrameItemCount, 1);
      }
    });
  }
}

TEST_F(GuiLab, AProblemIsSaidInEveryPanel) {
  const DenseRecording made = make_dense(5);
  store_.append(made.info);
  store_.append(made.rounds[2]);
  texts_ = prepare_all(*dense_text(made.info, made.rounds));
  frame(2);
  LabReport broken;
  broken.problem = "dense recording: expected round 0, found 2";
  report_ = std::make_shared<const LabReport>(broken);
  frame(4);
  EXPECT_FALSE(studio_.animating());
  EXPECT_GT(ImGui::GetDrawData()->TotalVtxCount, 0);
}

}  // namespace
}  // namespace draftscope::test
