#include "ui/gui/gui_context.h"

#include <imgui.h>
#include <implot.h>

#include <utility>

#include "ui/gui/fonts.h"
#include "ui/gui/theme.h"

namespace draftscope {

GuiContext::GuiContext(float scale, std::string settings_path)
    : imgui_(ImGui::CreateContext()),
      implot_(ImPlot::CreateContext()),
      settings_path_(std::move(settings_path)) {
  make_current();
  ImGuiIO& io = ImGui::GetIO();
  io.ConfigFlags |= ImGuiConfigFlags_DockingEnable | ImGuiConfigFlags_NavEnableKeyboard;
  io.ConfigWindowsMoveFromTitleBarOnly = true;  // dragging inside a panel pans its picture
  io.IniFilename = settings_path_.empty() ? nullptr : settings_path_.c_str();
  io.LogFilename = nullptr;
  register_dock_layout(dock_layout_);
  font_message_ = load_fonts();
  apply_theme(Theme::kDark, scale);
}

GuiContext::~GuiContext() {
  make_current();
  ImPlot::DestroyContext(implot_);
  ImGui::DestroyContext(imgui_);
}

void GuiContext::make_current() {
  ImGui::SetCurrentContext(imgui_);
  ImPlot::SetCurrentContext(implot_);
}

}  // namespace draftscope
