// A studio on the null backend, driven by the test engine as a person would: no display, no OpenGL.
#pragma once

#include <gtest/gtest.h>
#include <imgui.h>
#include <imgui_impl_null.h>
#include <imgui_te_context.h>
#include <imgui_te_engine.h>

#include <cfloat>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "tests/record/make_record.h"
#include "ui/gui/gui_context.h"
#include "ui/gui/studio.h"

namespace draftscope::test {

class GuiTest : public ::testing::Test {
 protected:
  explicit GuiTest(bool live = true, LabLink lab = {})
      : gui_(std::make_unique<GuiContext>(1.0f)),
        studio_(
            store_, [this](Command command) { sent_.push_back(std::move(command)); }, live, std::move(lab)) {
    ImGui_ImplNull_Init();
    engine_ = ImGuiTestEngine_CreateContext();
    ImGuiTestEngineIO& io = ImGuiTestEngine_GetIO(engine_);
    io.ConfigSavedSettings = false;
    io.ConfigRunSpeed = ImGuiTestRunSpeed_Fast;
    io.ConfigNoThrottle = true;
    io.ConfigFixedDeltaTime = 1.0f / 60;
    io.ConfigWatchdogWarning = io.ConfigWatchdogKillTest = FLT_MAX;  // act() counts frames, whatever the load
    ImGuiTestEngine_Start(engine_, ImGui::GetCurrentContext());
  }
  ~GuiTest() override {
    ImGuiTestEngine_Stop(engine_);
    ImGui_ImplNull_Shutdown();
    gui_.reset();
    ImGuiTestEngine_DestroyContext(engine_);  // after the context that it is bound to
  }

  void fill(int n_rounds, int n_nodes) {
    store_.append(make_info());
    for (int i = 0; i < n_rounds; ++i) store_.append(make_round(static_cast<uint64_t>(i), n_nodes));
  }

  void frame(int n_frames = 1) {
    for (int i = 0; i < n_frames; ++i) {
      ImGui_ImplNull_NewFrame();
      ImGui::GetIO().DisplaySize = size_;
      ImGui::NewFrame();
      studio_.draw_frame();
      ImGui::Render();
      ImGui_ImplNullRender_RenderDrawData(ImGui::GetDrawData());
      ImGuiTestEngine_PostSwap(engine_);
    }
  }

  /// Runs `steps` as a person at the mouse; fails the test when one of them does.
  void act(std::function<void(ImGuiTestContext&)> steps) {
    frame(4);  // docking settles
    ImGuiTest* test = IM_REGISTER_TEST(engine_, "gui", "act");
    test->TestFunc = [&steps](ImGuiTestContext* context) { steps(*context); };
    ImGuiTestEngine_QueueTest(engine_, test, ImGuiTestRunFlags_RunFromCommandLine);
    constexpr int kMostFrames = 4000;
    int n_frames = 0;
    while (!ImGuiTestEngine_IsTestQueueEmpty(engine_) && ++n_frames < kMostFrames) frame();
    EXPECT_LT(n_frames, kMostFrames);
    EXPECT_EQ(test->Output.Status, ImGuiTestStatus_Success) << test->Output.Log.Buffer.c_str();
    ImGuiTestEngine_UnregisterTest(engine_, test);
  }

  template <class T>
  const T* last_sent() const {
    for (auto it = sent_.rbegin(); it != sent_.rend(); ++it) {
      if (const T* command = std::get_if<T>(&*it)) return command;
    }
    return nullptr;
  }

  std::unique_ptr<GuiContext> gui_;
  RecordStore store_;
  std::vector<Command> sent_;
  Studio studio_;
  ImGuiTestEngine* engine_ = nullptr;
  ImVec2 size_ = ImVec2(1600, 900);
};

class RecordingGuiTest : public GuiTest {
 protected:
  RecordingGuiTest() : GuiTest(false) {}
};

}  // namespace draftscope::test
