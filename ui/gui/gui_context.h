// GuiContext: one Dear ImGui and one ImPlot context with our fonts and theme; a window, a picture or a test
// owns one.
#pragma once

#include <string>

#include "ui/gui/dockspace.h"

struct ImGuiContext;
struct ImPlotContext;

namespace draftscope {

class GuiContext {
 public:
  /// Creates both contexts and makes them current. Writes no settings file unless `settings_path` names one.
  explicit GuiContext(float scale, std::string settings_path = {});
  ~GuiContext();
  GuiContext(const GuiContext&) = delete;
  GuiContext& operator=(const GuiContext&) = delete;

  void make_current();
  /// One sentence when a font was not found, else empty.
  const std::string& font_message() const { return font_message_; }

 private:
  ImGuiContext* imgui_;
  ImPlotContext* implot_;
  std::string settings_path_;  // Dear ImGui keeps the pointer, not the text
  std::string font_message_;
  DockLayout dock_layout_;  // the context keeps a pointer to it
};

}  // namespace draftscope
