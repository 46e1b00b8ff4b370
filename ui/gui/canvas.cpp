#include "ui/gui/canvas.h"

#include <algorithm>
#include <cmath>

namespace draftscope {
namespace {

// The view lives in the storage of the window, under these names; all numbers are ems, so that a change of
// the font size keeps what is shown.
void load_view(Canvas& canvas) {
  ImGuiStorage* storage = ImGui::GetStateStorage();
  canvas.zoom = storage->GetFloat(ImGui::GetID("zoom"), 0);
  canvas.pan = {storage->GetFloat(ImGui::GetID("pan_x"), 0), storage->GetFloat(ImGui::GetID("pan_y"), 0)};
}

void store_view(const Canvas& canvas) {
  ImGuiStorage* storage = ImGui::GetStateStorage();
  storage->SetFloat(ImGui::GetID("zoom"), canvas.zoom);
  storage->SetFloat(ImGui::GetID("pan_x"), canvas.pan.x);
  storage->SetFloat(ImGui::GetID("pan_y"), canvas.pan.y);
}

ViewMode view_mode() {
  return static_cast<ViewMode>(
      ImGui::GetStateStorage()->GetInt(ImGui::GetID("mode"), static_cast<int>(ViewMode::kFocus)));
}

void set_view_mode(ViewMode mode) {
  ImGui::GetStateStorage()->SetInt(ImGui::GetID("mode"), static_cast<int>(mode));
}

/// True once whenever the world, what to focus on, or the room for it has changed.
bool world_changed(const CanvasWorld& world, ImVec2 room) {
  const float now[] = {
      world.size.x, world.size.y, world.focus_min.x, world.focus_min.y, world.focus_max.x, world.focus_max.y,
      room.x,       room.y};
  bool changed = false;
  int id = 0;
  for (const float value : now) {
    ImGui::PushID(id++);
    float* seen = ImGui::GetStateStorage()->GetFloatRef(ImGui::GetID("seen"), -1);
    changed |= *seen != value;
    *seen = value;
    ImGui::PopID();
  }
  return changed;
}

void handle_pointer(Canvas& canvas, ImVec2 size, ImVec2 room_em) {
  const ImGuiIO& io = ImGui::GetIO();
  if (canvas.hovered && io.MouseWheel != 0) {
    const ImVec2 before = canvas.to_world(io.MousePos);
    canvas.zoom = std::clamp(canvas.zoom * std::pow(1.2f, io.MouseWheel), kMinZoom, kMaxZoom);
    canvas.stretch = stretch_at(size, room_em, canvas.zoom);
    const ImVec2 after = canvas.to_world(io.MousePos);
    canvas.pan = {canvas.pan.x + before.x - after.x, canvas.pan.y + before.y - after.y};
    set_view_mode(ViewMode::kByHand);
  }
  const bool active = ImGui::IsItemActive();
  for (const ImGuiMouseButton button : {ImGuiMouseButton_Left, ImGuiMouseButton_Middle}) {
    if (!active || !ImGui::IsMouseDragging(button)) continue;
    canvas.pan.x -= io.MouseDelta.x / (canvas.scale() * canvas.stretch.x);
    canvas.pan.y -= io.MouseDelta.y / (canvas.scale() * canvas.stretch.y);
    set_view_mode(ViewMode::kByHand);
  }
  const float dragged = io.MouseDragMaxDistanceSqr[ImGuiMouseButton_Left];
  canvas.clicked = ImGui::IsItemDeactivated() && ImGui::IsMouseReleased(ImGuiMouseButton_Left) &&
                   dragged < io.MouseDragThreshold * io.MouseDragThreshold &&
                   io.MouseClickedLastCount[ImGuiMouseButton_Left] == 1;  // not the end of a double click
  canvas.double_clicked = canvas.hovered && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left);
}

/// Zoom at which each axis of the world just fits the room, with a margin of one em of the screen.
ImVec2 fit_per_axis(ImVec2 size, ImVec2 room_em) {
  constexpr float kMargin = 1.0f;
  return {std::max(1.0f, room_em.x - 2 * kMargin) / std::max(size.x, 1.0f),
          std::max(1.0f, room_em.y - 2 * kMargin) / std::max(size.y, 1.0f)};
}

}  // namespace

float Canvas::scale() const { return zoom * ImGui::GetFontSize(); }

ImVec2 Canvas::to_screen(float x, float y) const {
  return {min.x + (x - pan.x) * scale() * stretch.x, min.y + (y - pan.y) * scale() * stretch.y};
}

ImVec2 Canvas::to_world(ImVec2 screen) const {
  return {pan.x + (screen.x - min.x) / (scale() * stretch.x),
          pan.y + (screen.y - min.y) / (scale() * stretch.y)};
}

bool Canvas::visible(ImVec2 screen_min, ImVec2 screen_max) const {
  return screen_max.x >= min.x && screen_min.x <= max.x && screen_max.y >= min.y && screen_min.y <= max.y;
}

CanvasView fit_view(ImVec2 size, ImVec2 room_em) {
  const ImVec2 fit = fit_per_axis(size, room_em);
  CanvasView view;
  view.zoom = std::clamp(std::min(fit.x, fit.y), kMinZoom, kMostFitZoom);
  const ImVec2 stretch = stretch_at(size, room_em, view.zoom);
  view.pan = {0.5f * (size.x - room_em.x / (view.zoom * stretch.x)),
              0.5f * (size.y - room_em.y / (view.zoom * stretch.y))};
  return view;
}

ImVec2 stretch_at(ImVec2 size, ImVec2 room_em, float zoom) {
  constexpr float kMostStretch = 12.0f;
  const ImVec2 fit = fit_per_axis(size, room_em);
  const float whole = std::max(kMinZoom, std::min(fit.x, fit.y));
  if (whole >= kSimpleZoom || zoom >= kSimpleZoom) return {1, 1};
  const float part = std::clamp((kSimpleZoom - zoom) / (kSimpleZoom - whole), 0.0f, 1.0f);
  const auto along = [&](float fit_one) {
    return 1 + part * (std::clamp(fit_one / whole, 1.0f, kMostStretch) - 1);
  };
  return {along(fit.x), along(fit.y)};
}

CanvasView focus_view(const CanvasWorld& world, ImVec2 room_em) {
  CanvasView view = fit_view(world.size, room_em);
  if (view.zoom >= kReadableZoom) return view;
  const ImVec2 focus =
      fit_per_axis({world.focus_max.x - world.focus_min.x, world.focus_max.y - world.focus_min.y}, room_em);
  view.zoom = std::clamp(std::min(focus.x, focus.y), std::max(view.zoom, kTextZoom), kReadableZoom);
  // Centred on what matters or at its end, without showing emptiness beyond the world.
  const auto place = [](float from, float to, float size, float room) {
    if (size <= room) return 0.5f * (size - room);
    const float start = to - from + 2 <= room ? 0.5f * (from + to - room) : to + 1 - room;
    return std::clamp(start, -1.0f, size + 1.0f - room);
  };
  view.pan = {place(world.focus_min.x, world.focus_max.x, world.size.x, room_em.x / view.zoom),
              place(world.focus_min.y, world.focus_max.y, world.size.y, room_em.y / view.zoom)};
  return view;
}

Canvas begin_canvas(const char* id, const CanvasWorld& world, std::optional<ViewMode> wanted) {
  Canvas canvas;
  const float unit = ImGui::GetFontSize();
  ImVec2 room = ImGui::GetContentRegionAvail();
  room = {std::max(room.x, 8 * unit), std::max(room.y, 5 * unit)};  // the panel scrolls rather than squash it
  canvas.min = ImGui::GetCursorScreenPos();
  canvas.max = {canvas.min.x + room.x, canvas.min.y + room.y};
  const ImVec2 room_em = {room.x / unit, room.y / unit};
  load_view(canvas);
  if (wanted) set_view_mode(*wanted);
  const bool changed = world_changed(world, room);
  const ViewMode mode = view_mode();
  if (canvas.zoom <= 0 || wanted || (changed && mode != ViewMode::kByHand)) {
    const CanvasView view =
        mode == ViewMode::kWhole ? fit_view(world.size, room_em) : focus_view(world, room_em);
    canvas.pan = view.pan;
    canvas.zoom = view.zoom;
  }
  canvas.stretch = stretch_at(world.size, room_em, canvas.zoom);
  ImGui::InvisibleButton(id, room, ImGuiButtonFlags_MouseButtonLeft | ImGuiButtonFlags_MouseButtonMiddle);
  ImGui::SetItemKeyOwner(ImGuiKey_MouseWheelY);  // the wheel zooms here, and does not scroll the window
  canvas.hovered = ImGui::IsItemHovered();
  handle_pointer(canvas, world.size, room_em);
  store_view(canvas);
  ImGui::GetWindowDrawList()->PushClipRect(canvas.min, canvas.max, true);
  return canvas;
}

void end_canvas() { ImGui::GetWindowDrawList()->PopClipRect(); }

void reveal(const Canvas& canvas, ImVec2 world_min, ImVec2 world_max) {
  const ImVec2 near_corner = canvas.to_world(canvas.min), far_corner = canvas.to_world(canvas.max);
  const auto shift = [](float from, float to, float low, float high) {
    return from < low ? from - low : to > high ? to - high : 0.0f;
  };
  Canvas moved = canvas;
  moved.pan.x += shift(world_min.x, world_max.x, near_corner.x, far_corner.x);
  moved.pan.y += shift(world_min.y, world_max.y, near_corner.y, far_corner.y);
  if (moved.pan.x == canvas.pan.x && moved.pan.y == canvas.pan.y) return;
  store_view(moved);
  set_view_mode(ViewMode::kByHand);
}

}  // namespace draftscope
