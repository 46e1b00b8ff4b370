// The batch panel: it comes with a batch, chooses the request that the other panels show, and stays readable.
#include <imgui_internal.h>

#include "tests/gui/gui_test.h"
#include "ui/gui/dockspace.h"
#include "ui/gui/theme.h"

namespace draftscope::test {
namespace {

class GuiBatch : public RecordingGuiTest {
 protected:
  void fill_batch(int32_t n_requests, int32_t n_rounds) {
    const std::vector<Message> batch = make_batch(n_requests, n_rounds);
    for (const Message& message : batch) store_.append(message);
  }
  ImGuiWindow* window() { return ImGui::FindWindowByName(kPanels[kBatch].title); }
  bool in_front() { return window() != nullptr && window()->Active && !window()->Hidden; }
};

TEST_F(GuiBatch, ThePanelComesWithABatchAndGoesWithASessionAlone) {
  fill(3, 16);
  frame(6);
  EXPECT_FALSE(window() != nullptr && window()->Active);
  EXPECT_FALSE(ImGui::FindWindowByName(kPanels[kTimeline].title)->Hidden);
  fill_batch(5, 8);
  frame(6);
  EXPECT_TRUE(in_front());
  EXPECT_TRUE(window()->DockIsActive);
  fill(3, 16);
  frame(6);
  EXPECT_FALSE(window()->Active);
  EXPECT_FALSE(ImGui::FindWindowByName(kPanels[kTimeline].title)->Hidden);
}

TEST_F(GuiBatch, KeysAndArrowsGoThroughTheRequestsAtTheSamePass) {
  fill_batch(5, 8);
  frame(6);
  studio_.selection().follow_live = false;
  studio_.selection().round = 5;
  act([&](ImGuiTestContext& context) {
    IM_CHECK_EQ(store_.shown_request(), 0u);
    context.KeyPress(ImGuiKey_PageDown);
    IM_CHECK_EQ(store_.shown_request(), 1u);
    IM_CHECK_EQ(store_.rounds()[static_cast<size_t>(studio_.selection().round)].shared->pass, 5);
    context.SetRef(kPanels[kBatch].title);
    context.ItemClick("##next");
    IM_CHECK_EQ(store_.shown_request(), 2u);
    IM_CHECK_EQ(studio_.selection().round, 3);
    context.ItemClick("##previous");
    context.KeyPress(ImGuiKey_PageUp);
    IM_CHECK_EQ(store_.shown_request(), 0u);
    context.KeyPress(ImGuiKey_PageUp);
    IM_CHECK_EQ(store_.shown_request(), 0u);
    IM_CHECK_EQ(studio_.selection().round, 5);
  });
}

TEST_F(GuiBatch, AClickShowsTheRequestAndThePassUnderThePointer) {
  fill_batch(4, 20);
  frame(6);
  act([&](ImGuiTestContext& context) {
    context.SetRef(kPanels[kBatch].title);
    const ImRect lanes = context.ItemInfo("lanes").RectFull;
    // The third of four rows, in the middle: every request is in flight there.
    context.MouseMoveToPos({0.5f * (lanes.Min.x + lanes.Max.x), lanes.Min.y + 0.72f * lanes.GetHeight()});
    context.Yield(2);
    context.MouseClick(0);
    context.Yield(2);
    IM_CHECK_EQ(store_.shown_request(), 2u);
    IM_CHECK(!studio_.selection().follow_live);
    const int64_t pass = store_.rounds()[static_cast<size_t>(studio_.selection().round)].shared->pass;
    IM_CHECK_GE(pass, 8);
    IM_CHECK_LE(pass, 14);
  });
}

TEST_F(GuiBatch, TheLanesHaveMostOfThePanelAtAnySizeAndNothingIsCut) {
  fill_batch(8, 20);
  for (const auto& [size, scale] : {std::pair{ImVec2(1600, 900), 1.0f}, {ImVec2(1600, 900), 2.0f}, {ImVec2(900, 600), 1.0f}}) {
    size_ = size;
    apply_theme(Theme::kDark, scale);
    frame(8);
    act([&](ImGuiTestContext& context) {
      context.WindowFocus(("//" + std::string(kPanels[kBatch].title)).c_str());
      context.Yield(4);
      context.SetRef(kPanels[kBatch].title);
      const ImRect lanes = context.ItemInfo("lanes").RectFull;
      IM_CHECK_GE(lanes.GetHeight(), 0.6f * window()->Size.y);
      IM_CHECK_LE(lanes.Max.y, window()->InnerRect.Max.y + 1);
      IM_CHECK_EQ(window()->ScrollMax.y, 0.0f);
      IM_CHECK_EQ(window()->ScrollMax.x, 0.0f);
    });
  }
}

TEST_F(GuiBatch, ManyRequestsAndATinyWindowDraw) {
  fill_batch(200, 3);
  frame(4);
  size_ = ImVec2(320, 200);
  frame(4);
  store_.append(make_shared_round(3, 0, 200, int64_t{1} << 39, 1));
  frame(4);
  EXPECT_GT(ImGui::GetDrawData()->TotalVtxCount, 0);
}

}  // namespace
}  // namespace draftscope::test
