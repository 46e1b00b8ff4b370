// Every panel draws whatever the store holds; what a frame costs is printed.
#include <algorithm>
#include <chrono>

#include "tests/gui/gui_test.h"
#include "ui/gui/dockspace.h"

namespace draftscope::test {
namespace {

/// Frames of each panel alone, then of the window. Dear ImGui's own asserts and DS_CHECK stop the program.
class GuiDraw : public GuiTest {
 protected:
  void draw_everything() {
    for (const std::string& panel : panel_names()) {
      for (int i = 0; i < 3; ++i) {
        ImGui_ImplNull_NewFrame();
        ImGui::GetIO().DisplaySize = size_;
        ImGui::NewFrame();
        studio_.draw_single_panel(panel);
        ImGui::Render();
        ImGui_ImplNullRender_RenderDrawData(ImGui::GetDrawData());
      }
      EXPECT_GT(ImGui::GetDrawData()->TotalVtxCount, 0) << panel;
    }
  }
};

TEST_F(GuiDraw, EmptyStore) { draw_everything(); }

TEST_F(GuiDraw, OnlyTheSession) {
  store_.append(make_info());
  draw_everything();
}

TEST_F(GuiDraw, OneRound) {
  fill(1, 16);
  draw_everything();
}

TEST_F(GuiDraw, PlainDecodingHasNoTree) {
  fill(5, 0);
  draw_everything();
}

TEST_F(GuiDraw, ThousandNodes) {
  fill(3, 1024);
  ASSERT_EQ(store_.rounds().back().tree.size(), 1025);
  draw_everything();
}

TEST_F(GuiDraw, GapsErrorsAndTheEnd) {
  fill(2, 8);
  store_.append(make_round(7, 8));
  store_.report("a frame that cannot be read");
  store_.append(make_end());
  draw_everything();
}

TEST_F(GuiDraw, TinyWindowAndLargeScale) {
  fill(3, 64);
  size_ = ImVec2(320, 200);
  draw_everything();
}

TEST_F(GuiDraw, StoreThatStartsOverWhileANodeIsSelected) {
  fill(3, 64);
  frame(2);
  studio_.selection().node = 60;
  fill(1, 4);
  frame(2);
  EXPECT_FALSE(studio_.selection().node.has_value());
  EXPECT_EQ(studio_.selection().round, 0);
}

TEST_F(GuiDraw, EveryPanelIsDockedInTheDefaultLayout) {
  fill(3, 64);
  act([](ImGuiTestContext& context) {
    for (int i = 0; i < kNPanels; ++i) {
      ImGuiWindow* window = context.GetWindowByRef(kPanels[i].title);
      if (!panels_of(PanelSet::kRounds)[i]) {
        IM_CHECK(window == nullptr || !window->Active);
        continue;
      }
      IM_CHECK(window != nullptr);
      IM_CHECK(window->DockIsActive);
      IM_CHECK_GT(window->Size.x, 200.0f);
      IM_CHECK_GT(window->Size.y, 100.0f);
    }
  });
}

TEST_F(GuiDraw, FrameTimeIsPrinted) {
  fill(200, 1024);
  frame(10);
  std::vector<double> times_ms;
  for (int i = 0; i < 100; ++i) {
    const auto start = std::chrono::steady_clock::now();
    frame();
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    times_ms.push_back(took.count());
  }
  std::ranges::sort(times_ms);
  const ImDrawData& drawn = *ImGui::GetDrawData();
  std::printf("[   FRAME  ] %d nodes, %zu rounds: median %.2f ms, p95 %.2f ms, %d vertices, %d lists\n",
              store_.rounds().back().tree.size() - 1, store_.rounds().size(), times_ms[50], times_ms[95],
              drawn.TotalVtxCount, drawn.CmdLists.Size);
  EXPECT_GT(drawn.TotalVtxCount, 1000);
}

}  // namespace
}  // namespace draftscope::test
