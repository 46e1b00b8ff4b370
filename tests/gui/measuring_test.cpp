// The strip of a first measurement: what it says, its one button, and that it moves no panel elsewhere.
#include <imgui_internal.h>

#include "tests/gui/gui_test.h"
#include "ui/gui/dockspace.h"
#include "ui/gui/theme.h"

namespace draftscope::test {
namespace {

constexpr const char* kWhat =
    "First use of this pair on this machine: what a round costs is measured once, up to about 25 seconds, because "
    "budgets are chosen by it. Then decoding begins.";
constexpr const char* kOutcome =
    "Measuring was stopped before anything was whole: budgets follow a made-up cost curve, and their figures are "
    "illustrative. The next start measures again.";

class GuiMeasuring : public GuiTest {
 protected:
  void running(int32_t n_done, int32_t n_total) { studio_.set_measuring({true, kWhat, n_done, n_total, {}}); }
  void over(const char* outcome) { studio_.set_measuring({false, kWhat, 450, 450, outcome}); }

  static ImGuiWindow* strip() { return ImGui::FindWindowByName("##measuring"); }
  static bool shown() { return strip() != nullptr && strip()->Active; }

  /// Every word of one frame.
  std::string words() {
    ImGui_ImplNull_NewFrame();
    ImGui::GetIO().DisplaySize = size_;
    ImGui::NewFrame();
    ImGui::LogToBuffer();
    studio_.draw_frame();
    std::string text = ImGui::GetCurrentContext()->LogBuffer.c_str();
    ImGui::LogFinish();
    ImGui::Render();
    return text;
  }
};

TEST_F(GuiMeasuring, SaysWhatIsMeasuredAndHowFarItIs) {
  running(0, 0);
  frame(2);
  std::string text = words();
  EXPECT_NE(text.find("First use of this pair on this machine"), std::string::npos) << text;
  EXPECT_NE(text.find("the first passes"), std::string::npos) << text;
  EXPECT_NE(text.find("LIVE, measuring"), std::string::npos) << text;
  EXPECT_NE(text.find("is being measured. Then decoding begins and its text"), std::string::npos) << text;
  running(174, 450);
  EXPECT_NE(words().find("174 of 450 passes"), std::string::npos);
  over("");
  frame(2);
  EXPECT_FALSE(shown()) << "a whole measurement needs no words";
  text = words();
  EXPECT_NE(text.find("LIVE, idle"), std::string::npos) << text;
  EXPECT_NE(text.find("Nothing has been decoded yet"), std::string::npos) << text;
}

TEST_F(GuiMeasuring, TheButtonStopsItOnceAndTheOutcomeStaysUntilDismissed) {
  running(20, 450);
  act([](ImGuiTestContext& context) { context.ItemClick("//##measuring/Stop measuring"); });
  ASSERT_EQ(sent_.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<StopMeasuringCommand>(sent_[0]));
  act([](ImGuiTestContext& context) {
    const ImGuiTestItemInfo button = context.ItemInfo("//##measuring/Stop measuring");
    IM_CHECK((button.ItemFlags & ImGuiItemFlags_Disabled) != 0);
  });
  over(kOutcome);
  frame(2);
  EXPECT_NE(words().find("a made-up cost curve"), std::string::npos);
  fill(3, 16);  // it stays beside the rounds that it is about
  frame(2);
  EXPECT_TRUE(shown());
  act([](ImGuiTestContext& context) { context.ItemClick("//##measuring/Dismiss"); });
  over(kOutcome);
  frame(2);
  EXPECT_FALSE(shown());
  EXPECT_EQ(sent_.size(), 1u);
}

TEST_F(GuiMeasuring, RunAndTheSpeedReachTheEngineMeanwhileAndPauseWaits) {
  studio_.set_start({.prompt_utf8 = "Hello"}, 2, 256);
  running(20, 450);
  act([](ImGuiTestContext& context) {
    context.SetRef("Controls");
    context.ItemInputValue("##Speed", 3.0f);
    context.ItemClick("Run");
    IM_CHECK((context.ItemInfo("Pause").ItemFlags & ImGuiItemFlags_Disabled) != 0);
  });
  ASSERT_NE(last_sent<StartCommand>(), nullptr);
  EXPECT_EQ(last_sent<StartCommand>()->prompt_utf8, "Hello");
  ASSERT_NE(last_sent<SetSpeedCommand>(), nullptr);
  EXPECT_EQ(last_sent<SetSpeedCommand>()->rounds_per_s, 3);
  EXPECT_EQ(last_sent<PauseCommand>(), nullptr);
}

TEST_F(GuiMeasuring, NothingIsCutAndPanelsKeepTheirPlaces) {
  for (const auto& [size, scale] :
       {std::pair{ImVec2(1600, 900), 1.0f}, {ImVec2(1600, 900), 2.0f}, {ImVec2(640, 400), 1.0f}}) {
    size_ = size;
    apply_theme(Theme::kDark, scale);
    over("");
    frame(6);
    const ImGuiID node = ImGui::FindWindowByName(kPanels[kTranscript].title)->DockId;
    const float width = ImGui::FindWindowByName(kPanels[kTree].title)->Size.x;
    for (const bool is_running : {true, false}) {
      if (is_running) {
        running(20, 450);
      } else {
        over(kOutcome);
      }
      frame(6);
      ASSERT_TRUE(shown());
      EXPECT_LE(strip()->DC.CursorMaxPos.x, strip()->WorkRect.Max.x + 1) << size.x << " at " << scale;
      EXPECT_LE(strip()->DC.CursorMaxPos.y, strip()->WorkRect.Max.y + 1) << size.x << " at " << scale;
      EXPECT_EQ(ImGui::FindWindowByName(kPanels[kTranscript].title)->DockId, node);
      EXPECT_EQ(ImGui::FindWindowByName(kPanels[kTree].title)->Size.x, width);
    }
  }
}

}  // namespace
}  // namespace draftscope::test
