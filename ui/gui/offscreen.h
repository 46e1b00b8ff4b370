// Offscreen: renders Dear ImGui frames to an Image without a display (EGL surfaceless, software GL is
// enough).
#pragma once

#include <functional>
#include <memory>

#include "engine/base/check.h"
#include "ui/gui/image.h"
#include "ui/gui/theme.h"

namespace draftscope {

class Offscreen {
 public:
  /// width, height in pixels. Fails when EGL or OpenGL 3 is missing, or the size is not 1 to 16,384.
  static Result<Offscreen> create(int32_t width, int32_t height, float scale, Theme theme = Theme::kDark);
  Offscreen(Offscreen&&) noexcept;
  Offscreen& operator=(Offscreen&&) noexcept;
  ~Offscreen();

  /// Draws `n_frames` frames (at least 1: layouts settle over a few) and returns the pixels of the last.
  /// draw_frame is called between ImGui::NewFrame and ImGui::Render.
  Result<Image> render(const std::function<void()>& draw_frame, int32_t n_frames);
  /// One sentence when a font was not found, else empty.
  const std::string& font_message() const;

 private:
  struct State;
  explicit Offscreen(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace draftscope
