// What a person does to a cost curve: drags, undoes, chooses, compares, imports and exports.
#include <imgui_internal.h>
#include <implot.h>
#include <implot_internal.h>

#include <algorithm>
#include <map>

#include "tests/gui/gui_test.h"
#include "ui/gui/panel_common.h"
#include "ui/gui/theme.h"

namespace draftscope::test {
namespace {

CostModel flat_model(const std::string& label, double seconds) {
  CostModel model;
  model.kind = CostKind::kRoofline;
  model.label = label;
  model.source = "a test";
  model.context = {0, 4096};
  model.rows = {1, 64, 256};
  model.verify_s.assign(6, seconds);
  model.draft_s = {0.001, 0.001};
  return model;
}

/// A studio whose files are a map from paths to curves.
class CostAct : public GuiTest {
 protected:
  CostAct() {
    CostTools tools;
    tools.presets = [](const CostModel& session) {
      return std::vector<CostPreset>{
          {"this session", "as it began", session, Provenance::kMeasured},
          {"made up", "flat", flat_model("flat for a test", 0.02), Provenance::kIllustrative}};
    };
    tools.knees = [](const CostModel&, int32_t) {
      return std::vector<CostKnee>{{.rows = 17, .step_s = 0.001, .cause = "tile of 16"}};
    };
    tools.load_costs = [this](const std::string& path) -> Result<std::vector<CostModel>> {
      const auto file = files_.find(path);
      if (file == files_.end())
        return fail("{}: context: expected strictly ascending values, found 5 after 9", path);
      return file->second;
    };
    tools.save_cost = [this](const std::string& path, const CostModel& cost) {
      files_[path] = {cost};
      return success();
    };
    studio_.set_cost_tools(std::move(tools));
    fill(2, 24);
    size_ = ImVec2(1600, 1400);  // tall: all the controls of the panel show
  }

  /// The curve that Apply sends.
  CostModel applied() {
    act([](ImGuiTestContext& context) { context.ItemClick("Cost model/Apply"); });
    const SetCostCommand* sent = last_sent<SetCostCommand>();
    return sent ? sent->cost : CostModel{};
  }
  static const ImPlotPlot* plot(ImGuiTestContext& context) {
    return ImPlot::GetCurrentContext()->Plots.GetByKey(context.ItemInfo("Cost model/##cost").ID);
  }
  static ImVec2 place(ImGuiTestContext& context, double rows, double ms) {
    const ImPlotPlot* shown = plot(context);
    return {shown->Axes[ImAxis_X1].PlotToPixels(rows), shown->Axes[ImAxis_Y1].PlotToPixels(ms)};
  }
  static void drag_last_point(ImGuiTestContext& context, double ms) {
    context.MouseMoveToPos(place(context, 257, ms));
    context.MouseDown();
    for (int i = 0; i < 4; ++i) {
      context.MouseMoveToPos(context.UiContext->IO.MousePos + ImVec2(0, -6));
      context.Yield();
    }
    context.MouseUp();
    context.Yield(2);
  }
  static void press(ImGuiTestContext& context, ImGuiKeyChord chord) {
    context.WindowFocus("Transcript");
    context.KeyPress(chord);
    context.Yield(2);
  }
  static void open_more(ImGuiTestContext& context) {
    if (!context.ItemExists("Cost model/Keep as B")) context.ItemClick("Cost model/###more");
    context.Yield(2);
  }
  static void choose(ImGuiTestContext& context, const std::string& preset) {
    context.ItemClick("Cost model/##preset");
    const ImGuiWindow* popup = context.GetWindowByRef("//$FOCUSED");
    IM_CHECK(popup != nullptr);
    context.ItemClick(("//" + std::string(popup->Name) + "/**/" + preset).c_str());
  }
  static void type_path(ImGuiTestContext& context, const char* button, const char* dialog, const char* path) {
    open_more(context);
    context.ItemClick(button);
    context.Yield(2);
    context.SetRef(dialog);
    context.ItemInputValue("##path", path);
    context.SetRef("");
    context.Yield(2);
  }
  double last_ms() const { return 1e3 * store_.info()->cost.verify_s[10]; }

  std::map<std::string, std::vector<CostModel>> files_;
};

TEST_F(CostAct, AMissedDragLeavesTheViewAndResetViewBringsItBack) {
  act([&](ImGuiTestContext& context) {
    const auto right = [&] { return plot(context)->Axes[ImAxis_X1].Range.Max; };
    const double whole = right();
    context.MouseMoveToPos(place(context, 0.5 * whole, 0.9 * plot(context)->Axes[ImAxis_Y1].Range.Max));
    context.MouseDragWithDelta(ImVec2(-60, 20));
    context.Yield(2);
    IM_CHECK_EQ(right(), whole);
    IM_CHECK(!context.ItemExists("Cost model/Reset view"));
    context.MouseWheelY(3);
    context.Yield(2);
    IM_CHECK_LT(right(), whole);
    context.ItemClick("Cost model/Reset view");
    context.Yield(2);
    IM_CHECK_EQ(right(), whole);
    IM_CHECK(!context.ItemExists("Cost model/Reset view"));
  });
}

TEST_F(CostAct, ADragIsOneStepToUndoAndToRedo) {
  const CostModel before = store_.info()->cost;
  act([&](ImGuiTestContext& context) { drag_last_point(context, last_ms()); });
  const CostModel dragged = applied();
  ASSERT_EQ(dragged.rows, before.rows);
  EXPECT_GT(dragged.verify_s[10], before.verify_s[10]);
  EXPECT_EQ(dragged.kind, CostKind::kByHand);
  act([](ImGuiTestContext& context) { press(context, ImGuiMod_Ctrl | ImGuiKey_Z); });
  EXPECT_EQ(applied().verify_s, before.verify_s) << "one step back is before the whole drag";
  act([](ImGuiTestContext& context) { press(context, ImGuiMod_Ctrl | ImGuiKey_Y); });
  EXPECT_EQ(applied().verify_s, dragged.verify_s);
  act([](ImGuiTestContext& context) { context.ItemClick("Cost model/Undo"); });
  EXPECT_EQ(applied().verify_s, before.verify_s);
  act([](ImGuiTestContext& context) { context.ItemClick("Cost model/Redo"); });
  EXPECT_EQ(applied().verify_s, dragged.verify_s);
}

TEST_F(CostAct, ADoubleClickAddsAPointAndARightClickRemovesIt) {
  act([&](ImGuiTestContext& context) {
    context.MouseMoveToPos(place(context, 200, 0.5 * last_ms()));
    context.MouseDoubleClick();
    context.Yield(2);
  });
  const CostModel added = applied();
  ASSERT_EQ(added.rows.size(), 12u);
  EXPECT_NEAR(added.rows[10], 200, 3);
  act([&](ImGuiTestContext& context) {
    context.MouseMoveToPos(place(context, added.rows[10], 1e3 * added.verify_s[10]));
    context.MouseClick(ImGuiMouseButton_Right);
    context.Yield(2);
  });
  EXPECT_EQ(applied().rows, store_.info()->cost.rows);
}

TEST_F(CostAct, APresetReplacesTheCurveAndResetBringsItBack) {
  act([](ImGuiTestContext& context) { choose(context, "flat"); });
  EXPECT_EQ(applied().label, "flat for a test");
  act([](ImGuiTestContext& context) { context.ItemClick("Cost model/Reset"); });
  EXPECT_EQ(applied().verify_s, store_.info()->cost.verify_s);
  act([](ImGuiTestContext& context) { press(context, ImGuiMod_Ctrl | ImGuiKey_Z); });
  EXPECT_EQ(applied().label, "flat for a test") << "a reset is a step too";
}

TEST_F(CostAct, SidesAreKeptSwappedAndDropped) {
  const CostModel session = store_.info()->cost;
  act([](ImGuiTestContext& context) {
    open_more(context);
    context.ItemClick("Cost model/Keep as B");
    choose(context, "flat");
  });
  EXPECT_EQ(applied().label, "flat for a test") << "side A is what is sent";
  act([](ImGuiTestContext& context) { context.ItemClick("Cost model/Swap A and B"); });
  EXPECT_EQ(applied().verify_s, session.verify_s);
  act([](ImGuiTestContext& context) { context.ItemClick("Cost model/Swap A and B"); });
  EXPECT_EQ(applied().label, "flat for a test");
  act([](ImGuiTestContext& context) { press(context, ImGuiMod_Ctrl | ImGuiKey_Z); });
  EXPECT_EQ(applied().verify_s, session.verify_s) << "a swap is one step";
  act([](ImGuiTestContext& context) {
    context.ItemClick("Cost model/Drop B");
    context.Yield(2);
    IM_CHECK((context.ItemInfo("Cost model/Swap A and B").ItemFlags & ImGuiItemFlags_Disabled) != 0);
  });
}

TEST_F(CostAct, TheFloorIsAddedToEveryPassAndIsOneStep) {
  const CostModel before = store_.info()->cost;
  act([](ImGuiTestContext& context) {
    open_more(context);
    const ImRect slider = context.ItemInfo("Cost model/##Floor").RectFull;
    context.MouseMoveToPos(slider.GetCenter());
    context.MouseDown();
    for (const float share : {0.6f, 0.7f, 0.8f}) {
      context.MouseMoveToPos(ImVec2(slider.Min.x + share * slider.GetWidth(), slider.GetCenter().y));
      context.Yield();
    }
    context.MouseUp();
    context.Yield(2);
  });
  const CostModel after = applied();
  const double added = after.verify_s[0] - before.verify_s[0];
  EXPECT_GT(added, 0);
  for (size_t i = 0; i < after.verify_s.size(); ++i)
    EXPECT_NEAR(after.verify_s[i] - before.verify_s[i], added, 1e-12);
  act([](ImGuiTestContext& context) { press(context, ImGuiMod_Ctrl | ImGuiKey_Z); });
  EXPECT_EQ(applied().verify_s, before.verify_s);
}

TEST_F(CostAct, ABadFileGetsOneSentenceAndLeavesTheCurve) {
  act([](ImGuiTestContext& context) {
    type_path(context, "Cost model/Import...", "Import cost curve", "bad.json");
    IM_CHECK(context.ItemExists("Cost model/Dismiss"));
    context.ItemClick("Cost model/Dismiss");
    context.Yield(2);
    IM_CHECK(!context.ItemExists("Cost model/Dismiss"));
    IM_CHECK((context.ItemInfo("Cost model/Undo").ItemFlags & ImGuiItemFlags_Disabled) != 0);
    IM_CHECK((context.ItemInfo("Cost model/Apply").ItemFlags & ImGuiItemFlags_Disabled) != 0);
  });
  studio_.import_cost_file("dropped.json");
  act([](ImGuiTestContext& context) { IM_CHECK(context.ItemExists("Cost model/Dismiss")); });
}

TEST_F(CostAct, AnExportedCurveComesBackByImport) {
  act([&](ImGuiTestContext& context) {
    drag_last_point(context, last_ms());
    type_path(context, "Cost model/Export...", "Export cost curve", "mine.json");
  });
  ASSERT_TRUE(files_.contains("mine.json"));
  const CostModel saved = files_["mine.json"].front();
  EXPECT_EQ(saved.kind, CostKind::kByHand);
  EXPECT_NE(saved.verify_s, store_.info()->cost.verify_s);
  act([](ImGuiTestContext& context) {
    context.ItemClick("Cost model/Reset");
    type_path(context, "Cost model/Import...", "Import cost curve", "mine.json");
  });
  EXPECT_EQ(applied().verify_s, saved.verify_s);
}

TEST_F(CostAct, EveryCurveOfAFileIsOffered) {
  files_["two.json"] = {flat_model("first of two", 0.01), flat_model("second of two", 0.03)};
  frame(2);
  studio_.import_cost_file("two.json");
  EXPECT_EQ(applied().label, "first of two");
  act([](ImGuiTestContext& context) { choose(context, "second of two"); });
  EXPECT_EQ(applied().label, "second of two");
}

TEST_F(CostAct, ANewSessionBringsItsOwnCurve) {
  studio_.import_cost_file("bad.json");
  act([&](ImGuiTestContext& context) { drag_last_point(context, last_ms()); });
  SessionInfo next = make_info();
  next.session = 2;
  next.cost.verify_s[0] *= 2;
  store_.append(next);
  act([](ImGuiTestContext& context) {
    IM_CHECK((context.ItemInfo("Cost model/Undo").ItemFlags & ImGuiItemFlags_Disabled) != 0);
    IM_CHECK((context.ItemInfo("Cost model/Apply").ItemFlags & ImGuiItemFlags_Disabled) != 0);
  });
}

/// A dense recording, whose lab remembers what it was asked.
class CostLab : public GuiTest {
 protected:
  CostLab()
      : GuiTest(false, {[this](const LabQuestion& question) { asked_.push_back(question); },
                        [] { return std::shared_ptr<const LabReport>(); }}) {
    SessionInfo info = make_info();
    info.dense = true;
    store_.append(info);
    store_.append(make_round(0, 0));
  }

  std::vector<LabQuestion> asked_;
};

TEST_F(CostLab, EveryEditAsksTheLabAgain) {
  act([&](ImGuiTestContext& context) {
    context.WindowFocus("//Cost model");
    context.Yield(4);
    const size_t n_before = asked_.size();
    context.Yield(4);
    IM_CHECK_EQ(asked_.size(), n_before);  // looking asks nothing
    if (!context.ItemExists("Cost model/Keep as B")) context.ItemClick("Cost model/###more");
    context.Yield(2);
    context.ItemClick("Cost model/Keep as B");
    context.Yield(2);
    IM_CHECK_EQ(asked_.size(), n_before + 1);
    IM_CHECK(asked_.back().other_cost.has_value());
    context.ItemClick("Cost model/Fewer points");
    context.Yield(2);
    IM_CHECK_EQ(asked_.size(), n_before + 2);
    IM_CHECK_LT(asked_.back().cost.rows.size(), make_info().cost.rows.size());
    IM_CHECK(asked_.back().other_cost->rows == make_info().cost.rows);
    context.ItemClick("Cost model/Undo");
    context.Yield(2);
    IM_CHECK(asked_.back().cost.rows == make_info().cost.rows);
  });
}

TEST_F(CostAct, NothingIsCutWithEverythingOpen) {
  for (const auto& [size, scale] :
       {std::pair{ImVec2(1600, 900), 1.0f}, {ImVec2(1600, 900), 2.0f}, {ImVec2(640, 400), 1.0f}}) {
    size_ = size;
    apply_theme(Theme::kDark, scale);
    frame(6);
    act([&](ImGuiTestContext& context) {
      context.WindowFocus("//Cost model");
      context.Yield(4);
      open_more(context);
      context.ItemClick("Cost model/Keep as B");
      context.Yield(4);
      const ImGuiWindow* window = context.GetWindowByRef("//Cost model");
      IM_CHECK_EQ(window->ScrollMax.x, 0.0f);
      IM_CHECK_LE(window->DC.CursorMaxPos.x, window->WorkRect.Max.x + 1);
    });
  }
}

}  // namespace
}  // namespace draftscope::test
