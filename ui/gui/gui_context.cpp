#include "ui/gui/gui_context.h"

#include <imgui_internal.h>
#include <implot.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "ui/gui/fonts.h"

namespace draftscope {
namespace {

constexpr const char* kLookName = "DraftscopeLook";

}  // namespace

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
  register_look();
  if (io.IniFilename != nullptr) ImGui::LoadIniSettingsFromDisk(io.IniFilename);  // says which theme
  font_message_ = load_fonts();
  apply_theme(kept_theme_, scale);
}

void GuiContext::register_look() {
  ImGuiSettingsHandler handler;
  handler.TypeName = kLookName;
  handler.TypeHash = ImHashStr(kLookName);
  handler.UserData = this;
  handler.ReadOpenFn = [](ImGuiContext*, ImGuiSettingsHandler* self, const char*) { return self->UserData; };
  handler.ReadLineFn = read_look;
  handler.WriteAllFn = [](ImGuiContext*, ImGuiSettingsHandler* self, ImGuiTextBuffer* out) {
    const auto& gui = *static_cast<const GuiContext*>(self->UserData);
    out->appendf("[%s][Look]\nLight=%d\nTextScale=%.3f\n\n", self->TypeName,
                 current_theme() == Theme::kLight ? 1 : 0, static_cast<double>(gui.text_scale_));
  };
  ImGui::AddSettingsHandler(&handler);
}

void GuiContext::read_look(ImGuiContext*, ImGuiSettingsHandler* handler, void*, const char* line) {
  auto& gui = *static_cast<GuiContext*>(handler->UserData);
  int light = 0;
  float scale = 1;
  if (std::sscanf(line, "Light=%d", &light) == 1) gui.kept_theme_ = light == 1 ? Theme::kLight : Theme::kDark;
  if (std::sscanf(line, "TextScale=%f", &scale) == 1)
    gui.text_scale_ = std::clamp(scale, kMinScale, kMaxScale);
}

void GuiContext::set_text_scale(float scale) {
  text_scale_ = std::clamp(scale, kMinScale, kMaxScale);
  ImGui::MarkIniSettingsDirty();
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
