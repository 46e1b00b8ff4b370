// Window: GLFW and OpenGL behind one small class; nothing else knows them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "ui/gui/image.h"

namespace draftscope {

class Window {
 public:
  /// width, height in pixels at scale 1; scale 0 asks the monitor. `settings_path`: where Dear ImGui keeps
  /// the layout; empty: nowhere. Fails with one sentence when there is no display or no OpenGL 3.
  static Result<Window> open(const std::string& title, int32_t width, int32_t height, float scale,
                             const std::string& settings_path);
  /// Whether one could be opened: the Error that open() would give, without showing anything. Stays connected
  /// for open(): a display may reset itself when its only client leaves.
  static Status check();
  Window(Window&&) noexcept;
  Window& operator=(Window&&) noexcept;
  ~Window();

  bool closing() const;
  /// Waits at most wait_s for input. True when there is something to draw: input, a resize, a held button.
  bool wait_input(double wait_s);
  /// Draws one frame and shows it at the next vertical sync. `picture`: receives its pixels when not null.
  void draw(const std::function<void()>& draw_frame, Image* picture = nullptr);

  void set_title(const std::string& title);
  /// What the person chose on top of the monitor's scale; clamped to [kMinScale, kMaxScale]; kept with the
  /// layout.
  float user_scale() const;
  void set_user_scale(float scale);
  /// Paths of files dropped on the window since the last call.
  std::vector<std::string> take_dropped_files();
  /// One sentence when a font was not found, else empty.
  const std::string& font_message() const;

 private:
  struct State;
  explicit Window(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace draftscope
