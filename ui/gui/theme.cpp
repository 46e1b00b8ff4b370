#include "ui/gui/theme.h"

#include <imgui.h>
#include <implot.h>

#include <algorithm>

#include "ui/gui/palette.h"

namespace draftscope {
namespace {

void set_shape(ImGuiStyle& style) {
  style.FontSizeBase = kFontSize;
  style.WindowPadding = ImVec2(10, 8);
  style.FramePadding = ImVec2(8, 4);
  style.ItemSpacing = ImVec2(8, 6);
  style.ItemInnerSpacing = ImVec2(6, 4);
  style.CellPadding = ImVec2(6, 3);
  style.ScrollbarSize = 12;
  style.GrabMinSize = 12;
  style.WindowRounding = style.ChildRounding = style.PopupRounding = 5;
  style.FrameRounding = style.GrabRounding = style.TabRounding = style.ScrollbarRounding = 4;
  style.WindowBorderSize = style.PopupBorderSize = 1;
  style.FrameBorderSize = 1;  // an empty checkbox must be seen on a white panel
  style.TabBarOverlineSize = 2;
  style.TabCloseButtonMinWidthSelected = 0;  // close buttons show under the pointer only
  style.TabCloseButtonMinWidthUnselected = 0;
  style.DockingSeparatorSize = 4;
  style.WindowMenuButtonPosition = ImGuiDir_None;
  style.DisabledAlpha = 0.8f;  // what a recording's controls say must be readable too: 4.5 to 1 for dim words
}

void set_colours(ImGuiStyle& style, const Palette& p) {
  const auto set = [&](ImGuiCol slot, ImU32 colour) {
    style.Colors[slot] = ImGui::ColorConvertU32ToFloat4(colour);
  };
  const ImU32 raised = blend(p.panel, p.text, 0.08f), hovered = blend(p.panel, p.text, 0.16f);
  const ImU32 pressed = blend(p.panel, p.root, 0.3f);
  set(ImGuiCol_Text, p.text);
  set(ImGuiCol_InputTextCursor, p.text);
  set(ImGuiCol_TextDisabled, p.text_dim);
  for (const ImGuiCol slot : {ImGuiCol_WindowBg, ImGuiCol_PopupBg}) set(slot, p.panel);
  set(ImGuiCol_ChildBg, with_alpha(p.panel, 0));
  for (const ImGuiCol slot : {ImGuiCol_MenuBarBg, ImGuiCol_DockingEmptyBg, ImGuiCol_TitleBg,
                              ImGuiCol_TitleBgActive, ImGuiCol_TitleBgCollapsed}) {
    set(slot, p.window);
  }
  for (const ImGuiCol slot : {ImGuiCol_Border, ImGuiCol_Separator, ImGuiCol_TableBorderStrong}) {
    set(slot, p.line);
  }
  set(ImGuiCol_TableBorderLight, blend(p.panel, p.line, 0.6f));
  set(ImGuiCol_TableHeaderBg, raised);
  set(ImGuiCol_TableRowBgAlt, with_alpha(p.text, 0.03f));
  for (const ImGuiCol slot : {ImGuiCol_FrameBg, ImGuiCol_Button, ImGuiCol_Header}) set(slot, raised);
  for (const ImGuiCol slot : {ImGuiCol_FrameBgHovered, ImGuiCol_ButtonHovered, ImGuiCol_HeaderHovered}) {
    set(slot, hovered);
  }
  for (const ImGuiCol slot : {ImGuiCol_FrameBgActive, ImGuiCol_ButtonActive, ImGuiCol_HeaderActive}) {
    set(slot, pressed);
  }
  set(ImGuiCol_SliderGrab, blend(p.panel, p.root, 0.5f));  // the value is written over it
  for (const ImGuiCol slot : {ImGuiCol_CheckMark, ImGuiCol_NavCursor, ImGuiCol_TextLink,
                              ImGuiCol_SeparatorActive, ImGuiCol_SeparatorHovered, ImGuiCol_ResizeGripActive,
                              ImGuiCol_ResizeGripHovered, ImGuiCol_TabSelectedOverline}) {
    set(slot, p.root);
  }
  set(ImGuiCol_CheckboxSelectedBg, blend(p.panel, p.root, 0.25f));
  set(ImGuiCol_UnsavedMarker, p.warning);
  set(ImGuiCol_TreeLines, p.line);
  set(ImGuiCol_NavWindowingHighlight, p.root);
  set(ImGuiCol_NavWindowingDimBg, IM_COL32(0, 0, 0, 110));
  set(ImGuiCol_DragDropTargetBg, with_alpha(p.bonus, 0.2f));
  set(ImGuiCol_PlotLinesHovered, p.bonus);
  set(ImGuiCol_PlotHistogramHovered, p.bonus);
  set(ImGuiCol_SliderGrabActive, blend(p.panel, p.root, 0.5f));
  set(ImGuiCol_ResizeGrip, with_alpha(p.line, 0.4f));
  set(ImGuiCol_ScrollbarBg, with_alpha(p.window, 0.5f));
  set(ImGuiCol_ScrollbarGrab, p.line);
  set(ImGuiCol_ScrollbarGrabHovered, blend(p.line, p.text, 0.3f));
  set(ImGuiCol_ScrollbarGrabActive, p.root);
  for (const ImGuiCol slot : {ImGuiCol_Tab, ImGuiCol_TabDimmed}) set(slot, p.window);
  for (const ImGuiCol slot : {ImGuiCol_TabSelected, ImGuiCol_TabDimmedSelected}) set(slot, p.panel);
  set(ImGuiCol_TabDimmedSelectedOverline, p.line);
  set(ImGuiCol_TabHovered, hovered);
  set(ImGuiCol_DockingPreview, with_alpha(p.root, 0.45f));
  set(ImGuiCol_TextSelectedBg, with_alpha(p.root, 0.4f));
  set(ImGuiCol_DragDropTarget, p.bonus);
  set(ImGuiCol_PlotLines, p.root);
  set(ImGuiCol_PlotHistogram, p.root);
  set(ImGuiCol_ModalWindowDimBg, IM_COL32(0, 0, 0, 110));
}

void set_plots(const Palette& p, float scale) {
  ImPlotStyle& style = ImPlot::GetStyle();
  style = ImPlotStyle();
  style.PlotMinSize = ImVec2(80, 60);  // panels may be narrow
  const auto set = [&](ImPlotCol slot, ImU32 colour) {
    style.Colors[slot] = ImGui::ColorConvertU32ToFloat4(colour);
  };
  set(ImPlotCol_FrameBg, with_alpha(p.panel, 0));
  set(ImPlotCol_PlotBg, p.window);
  set(ImPlotCol_PlotBorder, p.line);
  set(ImPlotCol_AxisText, p.text_dim);
  set(ImPlotCol_AxisGrid, with_alpha(p.line, 0.7f));
  set(ImPlotCol_LegendBg, with_alpha(p.panel, 0.9f));
  set(ImPlotCol_LegendBorder, p.line);
  set(ImPlotCol_Crosshairs, p.text_dim);
  for (ImVec2* size :
       {&style.PlotPadding, &style.LabelPadding, &style.LegendPadding, &style.LegendInnerPadding,
        &style.LegendSpacing, &style.MousePosPadding, &style.AnnotationPadding, &style.MajorTickLen,
        &style.MinorTickLen, &style.PlotDefaultSize, &style.PlotMinSize}) {
    *size = ImVec2(size->x * scale, size->y * scale);
  }
}

}  // namespace

void apply_theme(Theme theme, float scale) {
  scale = std::clamp(scale, kMinScale, kMaxScale);
  const Palette& colours = theme == Theme::kLight ? kLightPalette : kDarkPalette;
  ImGuiStyle& style = ImGui::GetStyle();
  style = ImGuiStyle();
  set_shape(style);
  set_colours(style, colours);
  style.ScaleAllSizes(scale);
  style.FontScaleDpi = scale;
  set_plots(colours, scale);
}

Theme current_theme() { return &palette() == &kLightPalette ? Theme::kLight : Theme::kDark; }
float current_scale() { return ImGui::GetStyle().FontScaleDpi; }

}  // namespace draftscope
