// Canvas: a zoomable, pannable area inside a window. World units are ems; the view is kept in the window.
#pragma once

#include <imgui.h>

#include <cstdint>
#include <optional>

namespace draftscope {

struct Canvas {
  ImVec2 min, max;          // screen rectangle
  ImVec2 pan;               // world point at the top left of the rectangle, ems
  float zoom = 1;           // 1: an em of the world is an em of the font
  ImVec2 stretch = {1, 1};  // an overview too thin to read is drawn wider, see stretch_at
  bool hovered = false;     // the pointer is over it
  bool clicked = false;     // pressed and released without dragging, this frame
  bool double_clicked = false;

  float scale() const;  // pixels per world em
  ImVec2 to_screen(float x, float y) const;
  ImVec2 to_world(ImVec2 screen) const;
  bool visible(ImVec2 screen_min, ImVec2 screen_max) const;
};

inline constexpr float kMinZoom = 0.02f, kMaxZoom = 4.0f;
inline constexpr float kMostFitZoom = 1.6f;    // a small world is not blown up beyond this by itself
inline constexpr float kReadableZoom = 0.87f;  // labels can be read with ease
inline constexpr float kTextZoom = 0.55f;      // below, labels cannot be read and are left out
inline constexpr float kSimpleZoom = 0.22f;    // below, shapes are plain and may be stretched

/// kWhole and kFocus follow the world as it changes; a drag or the wheel makes it kByHand.
enum class ViewMode : uint8_t { kFocus, kWhole, kByHand };

/// What there is to see, ems: everything, and the part that matters most.
struct CanvasWorld {
  ImVec2 size, focus_min, focus_max;
};

/// Reserves the rest of the window, handles wheel (zoom about the pointer) and drag (pan), and clips drawing
/// until end_canvas. `wanted` changes how the view follows the world; it begins as kFocus.
Canvas begin_canvas(const char* id, const CanvasWorld& world, std::optional<ViewMode> wanted);
void end_canvas();

/// Pans so that the world rectangle is inside the canvas; takes effect in the next frame.
void reveal(const Canvas& canvas, ImVec2 world_min, ImVec2 world_max);

/// The view that shows a world of `size` ems whole in a room of `room_em` ems, at most at kMostFitZoom.
struct CanvasView {
  ImVec2 pan;
  float zoom = 1;
};
CanvasView fit_view(ImVec2 size, ImVec2 room_em);
/// How much wider or taller than life a zoomed-out world is drawn, so that a long thin one uses the room:
/// (1, 1) from kSimpleZoom on, growing to fill the room (at most 12 times) where everything is in sight.
ImVec2 stretch_at(ImVec2 size, ImVec2 room_em, float zoom);
/// The same where that is readable; otherwise the part that matters as large as fits, at most readable. Where
/// even that would be too small for labels its end is in sight.
CanvasView focus_view(const CanvasWorld& world, ImVec2 room_em);

}  // namespace draftscope
