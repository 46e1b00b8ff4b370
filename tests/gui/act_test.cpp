// What a person does at the window, and what the window then shows or sends.
#include <imgui_internal.h>

#include <algorithm>

#include "tests/gui/gui_test.h"
#include "tests/temp_folder.h"
#include "ui/gui/studio_actions.h"
#include "ui/gui/studio_pace.h"
#include "ui/gui/theme.h"

namespace draftscope::test {
namespace {

class GuiAct : public GuiTest {
 protected:
  void press(ImGuiKeyChord chord) {
    act([chord](ImGuiTestContext& context) {
      context.WindowFocus("Transcript");  // arrows belong to the tree while it has the focus
      context.KeyPress(chord);
      context.Yield(2);
    });
  }
};
class GuiReplay : public RecordingGuiTest {};

TEST_F(GuiAct, ArrowKeysLeaveTheNewestRoundAndEndReturnsToIt) {
  fill(20, 16);
  press(ImGuiKey_LeftArrow);
  EXPECT_FALSE(studio_.selection().follow_live);
  EXPECT_EQ(studio_.selection().round, 18);
  press(ImGuiMod_Shift | ImGuiKey_LeftArrow);
  EXPECT_EQ(studio_.selection().round, 8);
  press(ImGuiKey_Period);
  EXPECT_EQ(studio_.selection().round, 9);
  press(ImGuiKey_Home);
  EXPECT_EQ(studio_.selection().round, 0);
  press(ImGuiKey_LeftArrow);
  EXPECT_EQ(studio_.selection().round, 0);
  press(ImGuiKey_End);
  EXPECT_TRUE(studio_.selection().follow_live);
  EXPECT_EQ(studio_.selection().round, 19);
  EXPECT_TRUE(sent_.empty()) << "looking back must not touch the engine";
}

TEST_F(GuiAct, FollowingShowsRoundsAsTheyCome) {
  fill(2, 16);
  frame(2);
  EXPECT_EQ(studio_.selection().round, 1);
  store_.append(make_round(2, 16));
  frame();
  EXPECT_EQ(studio_.selection().round, 2);
}

TEST_F(GuiAct, SpacePausesAndResumesTheEngine) {
  fill(3, 16);
  press(ImGuiKey_Space);
  ASSERT_EQ(sent_.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<PauseCommand>(sent_[0]));
  press(ImGuiKey_Space);
  ASSERT_EQ(sent_.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<ResumeCommand>(sent_[1]));
  press(ImGuiKey_N);
  ASSERT_EQ(sent_.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<StepCommand>(sent_[2]));
  EXPECT_TRUE(studio_.controls().paused);
}

TEST_F(GuiAct, KeysRunAndStopAndDoNothingElseWhileIdle) {
  studio_.set_start({.prompt_utf8 = "Hello"}, 0, 256);
  press(ImGuiKey_Space);
  press(ImGuiKey_N);
  press(ImGuiMod_Shift | ImGuiKey_F5);
  EXPECT_TRUE(sent_.empty());
  EXPECT_FALSE(studio_.controls().paused);
  press(ImGuiKey_F5);
  ASSERT_NE(last_sent<StartCommand>(), nullptr);
  EXPECT_EQ(last_sent<StartCommand>()->prompt_utf8, "Hello");
  fill(3, 16);
  press(ImGuiMod_Shift | ImGuiKey_F5);
  EXPECT_NE(last_sent<StopCommand>(), nullptr);
}

TEST_F(GuiReplay, ControlsPlayPauseAndStepARecording) {
  fill(50, 16);
  act([this](ImGuiTestContext& context) {
    context.SetRef("Controls");
    IM_CHECK(!studio_.selection().follow_live);
    IM_CHECK_EQ(studio_.selection().round, 49);
    context.ItemInputValue("##Speed", 30.0f);
    context.ItemClick("Play");
    context.Yield(20);
    IM_CHECK(studio_.animating());
    IM_CHECK_GT(studio_.selection().round, 3);  // 30 rounds a second, 60 frames
    IM_CHECK_LT(studio_.selection().round, 49);
    context.ItemClick("Pause");
    const int64_t round = studio_.selection().round;
    context.Yield(20);
    IM_CHECK_EQ(studio_.selection().round, round);
    context.ItemClick("Step");
    context.Yield(2);
    IM_CHECK_EQ(studio_.selection().round, round + 1);
  });
}

TEST_F(GuiReplay, SpacePlaysARecordingToItsEnd) {
  fill(5, 16);
  act([](ImGuiTestContext& context) {
    context.WindowFocus("Transcript");
    context.KeyPress(ImGuiKey_Space);
  });
  EXPECT_TRUE(studio_.animating());
  EXPECT_LT(studio_.selection().round, 3) << "played from the start";
  frame(600);
  EXPECT_FALSE(studio_.animating());
  EXPECT_EQ(studio_.selection().round, 4);
  EXPECT_TRUE(sent_.empty());
}

TEST_F(GuiAct, KeysStayInATextFieldWhileItIsEdited) {
  fill(3, 16);
  act([](ImGuiTestContext& context) {
    context.KeyPress(ImGuiMod_Ctrl | ImGuiKey_O);  // not offered here: nothing can open a trace
    context.Yield(2);
    IM_CHECK(context.UiContext->OpenPopupStack.Size == 0);
  });
  studio_.allow_opening(true, false);
  act([](ImGuiTestContext& context) {
    context.KeyPress(ImGuiMod_Ctrl | ImGuiKey_O);
    context.Yield(2);
    context.SetRef("Open trace");
    context.ItemInputValue("##path", "a n, .ds");
  });
  EXPECT_TRUE(studio_.selection().follow_live);
  EXPECT_TRUE(sent_.empty());
  EXPECT_EQ(studio_.take_requests().open_trace, "a n, .ds");
}

TEST_F(GuiAct, MenusAskForPictureScaleAndQuit) {
  fill(3, 16);
  act([](ImGuiTestContext& context) {
    context.SetRef("##MainMenuBar");
    context.MenuClick("File/Save picture");
    context.MenuClick("View/Larger");
    context.MenuClick("View/Normal size");
    context.MenuClick("File/Quit");
  });
  const StudioRequests asked = studio_.take_requests();
  EXPECT_TRUE(asked.save_picture);
  EXPECT_TRUE(asked.quit);
  EXPECT_TRUE(asked.scale_reset);
  EXPECT_EQ(asked.scale_steps, 1);
  EXPECT_FALSE(studio_.take_requests().quit) << "asked once";
}

TEST_F(GuiAct, ControlPlusAndMinusChangeTheScale) {
  press(ImGuiMod_Ctrl | ImGuiKey_Equal);
  EXPECT_EQ(studio_.take_requests().scale_steps, 1);
  press(ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_Equal);
  EXPECT_EQ(studio_.take_requests().scale_steps, 1);
  press(ImGuiMod_Ctrl | ImGuiKey_Minus);
  EXPECT_EQ(studio_.take_requests().scale_steps, -1);
}

TEST_F(GuiAct, PanelsCloseAndComeBackWithTheLayout) {
  fill(3, 16);
  act([](ImGuiTestContext& context) {
    context.SetRef("##MainMenuBar");
    context.MenuClick("View/Marginals");
    context.Yield(2);
    IM_CHECK(!context.GetWindowByRef("//Marginals")->Active);
    context.MenuClick("View/Reset layout");
    context.Yield(4);
    IM_CHECK(context.GetWindowByRef("//Marginals")->Active);
    IM_CHECK(context.GetWindowByRef("//Marginals")->DockIsActive);
  });
}

TEST_F(GuiAct, LightColoursAreLight) {
  fill(1, 16);
  act([](ImGuiTestContext& context) {
    context.SetRef("##MainMenuBar");
    context.MenuClick("View/Light colours");
    context.Yield(2);
    // Here, because the test engine puts the style back when it is done.
    IM_CHECK_GT(ImGui::GetStyle().Colors[ImGuiCol_WindowBg].x, 0.8f);
    IM_CHECK_LT(ImGui::GetStyle().Colors[ImGuiCol_Text].x, 0.3f);
  });
}

TEST_F(GuiAct, HelpOpensAndCloses) {
  fill(1, 16);
  for (const auto& [key, title] : {std::pair{ImGuiKey_F1, "What am I looking at?"}, {ImGuiKey_F2, "Keys"}}) {
    act([key = key, title = title](ImGuiTestContext& context) {
      context.KeyPress(key);
      context.Yield(2);
      IM_CHECK(context.GetWindowByRef(title) != nullptr);
      IM_CHECK(context.GetWindowByRef(title)->Active);
      context.KeyPress(key);
      context.Yield(2);
      IM_CHECK(!context.GetWindowByRef(title)->Active);
    });
  }
  studio_.selection().node = 1;
  act([&](ImGuiTestContext& context) {
    context.KeyPress(ImGuiKey_F1);
    context.Yield(2);
    context.KeyPress(ImGuiKey_Escape);
    context.Yield(2);
    IM_CHECK(!context.GetWindowByRef("What am I looking at?")->Active);
    IM_CHECK(studio_.selection().node.has_value());
    context.KeyPress(ImGuiKey_Escape);
    context.Yield(2);
    IM_CHECK(!studio_.selection().node.has_value());
  });
}

TEST(GuiPace, DrawsUntilInputHasSettledAndAgainForATooltip) {
  using namespace std::chrono_literals;
  Pace pace;
  const auto start = Pace::Clock::now();
  const auto n_frames = [&](std::chrono::milliseconds from, bool fresh) {
    int n = pace.due(fresh, start + from) ? 1 : 0;
    while (pace.due(false, start + from)) ++n;
    return n;
  };
  EXPECT_GT(n_frames(0ms, true), 1);
  EXPECT_EQ(n_frames(400ms, false), 0);
  EXPECT_GT(n_frames(800ms, false), 1) << "a tooltip hides while it sizes itself";
  EXPECT_EQ(n_frames(5000ms, false), 0);
}

TEST(GuiLook, ThemeAndTextSizeAreKeptWithTheLayout) {
  const TempFolder folder;
  const std::string settings = folder / "layout.ini";
  {
    GuiContext gui(1, settings);
    gui.set_text_scale(1.5f);
    apply_theme(Theme::kLight, 1);
    ImGui::SaveIniSettingsToDisk(settings.c_str());  // as Dear ImGui does by itself between frames
  }
  GuiContext gui(1, settings);
  EXPECT_EQ(gui.text_scale(), 1.5f);
  EXPECT_EQ(current_theme(), Theme::kLight);
}

TEST(GuiActions, EveryKeyIsNamedOnce) {
  std::vector<int> chords;
  for (const ActionRow& row : action_rows()) {
    EXPECT_EQ(&row_of(row.action), &row) << row.label;
    EXPECT_EQ(std::string(row.keys).find(" or ") != std::string::npos, row.other_chord != 0) << row.keys;
    for (const int chord : {row.chord, row.other_chord}) {
      if (chord != 0) chords.push_back(chord);
    }
  }
  std::ranges::sort(chords);
  EXPECT_EQ(std::ranges::adjacent_find(chords), chords.end());
}

}  // namespace
}  // namespace draftscope::test
