// The window stays readable at 200 % and on small screens: nothing is cut, and the pictures get the room.
#include <imgui_internal.h>

#include <algorithm>

#include "tests/gui/gui_test.h"
#include "ui/gui/canvas.h"
#include "ui/gui/dockspace.h"
#include "ui/gui/panel_common.h"
#include "ui/gui/theme.h"
#include "ui/gui/tree_draw.h"

namespace draftscope::test {
namespace {

class GuiReadable : public GuiTest {
 protected:
  void at(float width, float height, float scale) {
    size_ = ImVec2(width, height);
    apply_theme(Theme::kDark, scale);
    frame(6);
  }
  ImGuiWindow* window(PanelIndex panel) { return ImGui::FindWindowByName(kPanels[panel].title); }
  bool in_front(PanelIndex panel) { return window(panel)->Active && !window(panel)->Hidden; }

  /// Brings the panel to the front; its height in pixels beyond which a picture has 60 % of it.
  float bring_to_front(ImGuiTestContext& context, PanelIndex panel) {
    context.WindowFocus(("//" + std::string(kPanels[panel].title)).c_str());
    context.Yield(4);
    return 0.6f * window(panel)->Size.y;
  }
};

TEST_F(GuiReadable, NoLabelOfTheControlsAndTheCostPanelIsCut) {
  fill(3, 64);
  for (const auto& [size, scale] : {std::pair{ImVec2(1600, 900), 2.0f},
                                    {ImVec2(1100, 700), 1.0f},
                                    {ImVec2(640, 400), 1.0f},
                                    {ImVec2(1600, 900), 1.0f}}) {
    at(size.x, size.y, scale);
    act([&](ImGuiTestContext& context) {
      for (const PanelIndex panel : {kControls, kCost}) {
        bring_to_front(context, panel);
        IM_CHECK(in_front(panel));
        // What sticks out at the right would be cut there.
        IM_CHECK_EQ(window(panel)->ScrollMax.x, 0.0f);
        IM_CHECK_LE(window(panel)->DC.CursorMaxPos.x, window(panel)->WorkRect.Max.x + 1);
      }
    });
  }
}

TEST_F(GuiReadable, PicturesHaveMostOfTheirPanelsAtDoubleScale) {
  fill(30, 64);
  at(1600, 900, 2);
  act([&](ImGuiTestContext& context) {
    for (const auto& [panel, item] : {std::pair{kTree, "canvas"}, {kTimeline, "lanes"}, {kCost, "##cost"}}) {
      const float least = bring_to_front(context, panel);
      context.SetRef(("//" + std::string(kPanels[panel].title)).c_str());
      const ImRect picture = context.ItemInfo(item).RectFull;
      IM_CHECK_GE(picture.GetHeight(), least);
      IM_CHECK_LE(picture.Max.y, window(panel)->InnerRect.Max.y);
      IM_CHECK_EQ(window(panel)->ScrollMax.y, 0.0f);
    }
  });
}

TEST_F(GuiReadable, NoEdgeOfTheTreeRunsThroughAnotherBox) {
  const Canvas canvas = {.min = {0, 0}, .max = {1e5f, 1e5f}};
  LayoutOptions options;
  options.text_width_em = [](std::string_view text) { return text.size() % 2 == 0 ? 0.5f : 8.0f; };
  for (const uint64_t seed : {0, 1, 2, 3, 4, 5, 6, 7}) {
    options.top_down = !options.top_down;
    const TreeLayout layout = tree_layout(make_round(seed, 64), options);
    ImGui_ImplNull_NewFrame();
    ImGui::NewFrame();
    ImDrawList* list = ImGui::GetForegroundDrawList();
    int n_edges = 0;
    for (const NodeBox& box : layout.boxes) {
      const int before = list->VtxBuffer.Size;
      draw_edge(list, canvas, layout, box, Emphasis::kNormal);
      n_edges += list->VtxBuffer.Size > before;
      for (int i = before; i < list->VtxBuffer.Size; ++i) {
        const ImVec2 at = canvas.to_world(list->VtxBuffer[i].pos);
        for (const NodeBox& other : layout.boxes) {
          const float from_x = at.x - other.x, from_y = at.y - other.y, slack = 0.3f;  // half of a thick edge
          const bool inside = std::min(from_x, other.width - from_x) > slack && std::min(from_y, other.height - from_y) > slack;
          EXPECT_FALSE(inside) << other.label << " lies under an edge to " << box.label;
        }
      }
    }
    EXPECT_EQ(n_edges, static_cast<int>(layout.boxes.size()) - 1);
    ImGui::Render();
  }
}

TEST_F(GuiReadable, ThePathOfALargeTreeIsReadableAndFitShowsEveryNode) {
  fill(1, 1024);
  at(1600, 900, 1);
  act([&](ImGuiTestContext& context) {
    const auto zoom = [&] {
      ImGuiWindow* tree = window(kTree);
      return tree->StateStorage.GetFloat(tree->GetID("zoom"));
    };
    IM_CHECK_GE(zoom(), kReadableZoom);
    context.ItemClick("Draft tree/Fit");
    context.Yield(3);
    IM_CHECK_LT(zoom(), kTextZoom);
    context.ItemClick("Draft tree/Path");
    context.Yield(3);
    IM_CHECK_GE(zoom(), kReadableZoom);
    // A click on one of the marks, which stand at the right of what they count, is Fit too.
    const ImRect canvas = context.ItemInfo("Draft tree/canvas").RectFull;
    const ImVec2 step = ImVec2(2, 0.9f) * ImGui::GetFontSize();  // less than a box
    for (float x = canvas.Max.x - step.x; x > canvas.Min.x && zoom() >= kReadableZoom; x -= step.x) {
      for (float y = canvas.Min.y + step.y; y < canvas.Max.y && zoom() >= kReadableZoom; y += step.y) {
        context.MouseMoveToPos(ImVec2(x, y));
        context.MouseClick();
        context.Yield(2);
      }
    }
    IM_CHECK_LT(zoom(), kTextZoom);
    context.MouseDoubleClick();
    context.Yield(3);
    IM_CHECK_GE(zoom(), kReadableZoom);
  });
}

TEST_F(GuiReadable, ALabelGoesAboveItsWidgetWhereBothDoNotFit) {
  for (const auto& [width, beside] : {std::pair{400.0f, true}, {150.0f, false}}) {
    ImGui_ImplNull_NewFrame();
    ImGui::GetIO().DisplaySize = size_;
    ImGui::NewFrame();
    ImGui::SetNextWindowSize(ImVec2(width, 300));
    ImGui::Begin("a panel");
    const float top = ImGui::GetCursorScreenPos().y;
    float widget_y = 0;
    labelled("Temperature", 120, [&] {
      float value = 0;
      const bool changed = ImGui::DragFloat("##value", &value);
      widget_y = ImGui::GetItemRectMin().y;
      return changed;
    });
    EXPECT_EQ(widget_y == top, beside) << width;
    EXPECT_LE(ImGui::GetCurrentWindow()->DC.CursorMaxPos.x, ImGui::GetCurrentWindow()->WorkRect.Max.x);
    ImGui::End();
    ImGui::Render();
  }
}

TEST(GuiLayout, TheRoomDecides) {
  EXPECT_EQ(layout_size(ImVec2(106, 56)), LayoutSize::kFull);   // 1600 x 900 at scale 1
  EXPECT_EQ(layout_size(ImVec2(73, 43)), LayoutSize::kMedium);  // 1100 x 700
  EXPECT_EQ(layout_size(ImVec2(53, 27)), LayoutSize::kSmall);   // 1600 x 900 at scale 2
  EXPECT_EQ(layout_size(ImVec2(106, 27)), LayoutSize::kSmall);  // wide and low
  EXPECT_EQ(layout_size(ImVec2(20, 100)), LayoutSize::kTiny);   // narrow and high
}

TEST_F(GuiReadable, TheDefaultLayoutFollowsTheRoom) {
  fill(3, 64);
  at(1600, 900, 1);
  const float tree_width = window(kTree)->Size.x;
  EXPECT_TRUE(in_front(kThroughput) && in_front(kMarginals) && in_front(kCost) && in_front(kTimeline));
  at(1600, 900, 2);
  EXPECT_TRUE(in_front(kTree) && in_front(kControls) && in_front(kTranscript));
  EXPECT_FALSE(in_front(kThroughput) || in_front(kMarginals) || in_front(kCost) || in_front(kTimeline));
  at(300, 200, 1);
  EXPECT_EQ(window(kTree)->DockId, window(kCost)->DockId);
  at(1600, 900, 1);
  EXPECT_TRUE(in_front(kThroughput) && in_front(kMarginals) && in_front(kCost) && in_front(kTimeline));
  EXPECT_EQ(window(kTree)->Size.x, tree_width);
}

TEST_F(GuiReadable, PanelsThatThePersonMovedStayUntilTheReset) {
  fill(3, 64);
  at(1600, 900, 1);
  act([&](ImGuiTestContext& context) {
    const ImRect tree = window(kTree)->Rect();
    context.MouseMoveToPos(ImVec2(tree.Min.x - 2, tree.GetCenter().y));  // the border to its left
    context.MouseDragWithDelta(ImVec2(60, 0));
    context.Yield(2);
    IM_CHECK_GT(window(kTree)->Pos.x, tree.Min.x + 30);
  });
  at(1600, 900, 2);
  EXPECT_TRUE(in_front(kThroughput) && in_front(kMarginals) && in_front(kCost) && in_front(kTimeline));
  act([](ImGuiTestContext& context) {
    context.SetRef("##MainMenuBar");
    context.MenuClick("View/Reset layout");
    context.Yield(4);
  });
  EXPECT_TRUE(in_front(kTree) && in_front(kControls));
  EXPECT_FALSE(in_front(kMarginals) || in_front(kCost));
}

TEST_F(GuiReadable, SettingsTellADefaultLayoutFromThePersonsOwn) {
  fill(1, 16);
  at(1600, 900, 2);
  const std::string saved = ImGui::SaveIniSettingsToMemory();
  EXPECT_NE(saved.find("[Draftscope][Layout]\nDefault=1\n"), std::string::npos) << saved;
  act([&](ImGuiTestContext& context) {
    const ImRect tree = window(kTree)->Rect();
    context.MouseMoveToPos(ImVec2(tree.Min.x - 4, tree.GetCenter().y));
    context.MouseDragWithDelta(ImVec2(60, 0));
    context.Yield(2);
  });
  const std::string own = ImGui::SaveIniSettingsToMemory();
  EXPECT_EQ(own.find("[Draftscope]"), std::string::npos) << own;
}

}  // namespace
}  // namespace draftscope::test
