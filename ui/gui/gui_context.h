// GuiContext: one Dear ImGui and one ImPlot context with our fonts and theme; a window, a picture or a test
// owns one.
#pragma once

#include <string>

#include "ui/gui/dockspace.h"
#include "ui/gui/theme.h"

struct ImGuiContext;
struct ImGuiSettingsHandler;
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
  /// The person's own size of text and lines, on top of the monitor's; clamped to [kMinScale, kMaxScale].
  /// Kept in the settings file, as the theme in force is.
  float text_scale() const { return text_scale_; }
  void set_text_scale(float scale);
  /// One sentence when a font was not found, else empty.
  const std::string& font_message() const { return font_message_; }

 private:
  void register_look();
  static void read_look(ImGuiContext*, ImGuiSettingsHandler* handler, void*, const char* line);

  ImGuiContext* imgui_;
  ImPlotContext* implot_;
  std::string settings_path_;  // Dear ImGui keeps the pointer, not the text
  std::string font_message_;
  DockLayout dock_layout_;  // the context keeps a pointer to it, and to this
  float text_scale_ = 1;
  Theme kept_theme_ = Theme::kDark;  // as the settings file had it
};

}  // namespace draftscope
