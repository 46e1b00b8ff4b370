#include "ui/gui/tree_draw.h"

#include <imgui_internal.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "ui/gui/palette.h"
#include "ui/gui/panel_common.h"

namespace draftscope {
namespace {

constexpr float kPi = 3.14159265f;

float alpha_of(const NodeBox& box, Emphasis emphasis) {
  const float role = box.role == NodeRole::kCandidate ? kCandidateAlpha : 1.0f;
  return emphasis == Emphasis::kFaded ? 0.25f * role : role;
}

void draw_star(ImDrawList* list, ImVec2 centre, float radius, ImU32 colour) {
  std::array<ImVec2, 10> points;
  for (size_t i = 0; i < points.size(); ++i) {
    const float angle = -0.5f * kPi + kPi / 5 * static_cast<float>(i);
    const float r = i % 2 == 0 ? radius : 0.45f * radius;
    points[i] = {centre.x + r * std::cos(angle), centre.y + r * std::sin(angle)};
  }
  list->AddConcavePolyFilled(points.data(), static_cast<int>(points.size()), colour);
}

void draw_border(ImDrawList* list, const NodeBox& box, ImVec2 a, ImVec2 b, float unit, float alpha) {
  const ImU32 colour = with_alpha(role_colour(box.role), alpha);
  const float rounding = 0.35f * unit;
  const float thick = std::max(1.0f, (box.on_path() ? 0.16f : 0.07f) * unit);
  list->AddRect(a, b, colour, rounding, thick);
  if (box.role != NodeRole::kBonus) return;
  const float gap = 0.25f * unit;
  list->AddRect({a.x - gap, a.y - gap}, {b.x + gap, b.y + gap}, colour, rounding + gap,
                std::max(1.0f, 0.08f * unit));
}

void draw_label(ImDrawList* list, const NodeBox& box, ImVec2 a, ImVec2 b, float unit, float alpha) {
  const float mark = 0.38f * unit;
  const float text_y = a.y + 0.14f * unit;
  draw_role_mark(list, box.role, {a.x + 0.5f * unit + mark, text_y + 0.5f * unit}, mark, alpha);
  const float text_x = a.x + (box.role == NodeRole::kCandidate ? 0.6f : 1.6f) * unit;
  list->PushClipRect(a, b, true);
  // Whole pixel sizes, so that zooming does not fill the font atlas with every size in between.
  list->AddText(ImGui::GetFont(), std::floor(unit), {text_x, text_y}, with_alpha(palette().text, alpha),
                box.label.c_str());
  list->PopClipRect();
}

void draw_q_bar(ImDrawList* list, const NodeBox& box, ImVec2 a, ImVec2 b, float unit, float alpha) {
  if (!std::isfinite(box.q)) return;
  const float left = a.x + 0.4f * unit, right = b.x - 0.4f * unit;
  const float top = b.y - 0.4f * unit, bottom = b.y - 0.2f * unit;
  list->AddRectFilled({left, top}, {right, bottom}, with_alpha(palette().line, alpha), 0.1f * unit);
  const float end = left + (right - left) * std::clamp(static_cast<float>(box.q), 0.0f, 1.0f);
  list->AddRectFilled({left, top}, {end, bottom}, with_alpha(role_colour(box.role), alpha), 0.1f * unit);
}

/// Screen rectangle of a line of the layout.
ImRect line_rect(const Canvas& canvas, const TreeLayout& layout, int32_t line) {
  ImRect rect = {canvas.to_screen(layout.width, layout.height), canvas.to_screen(0, 0)};
  for (const NodeBox& box : layout.boxes) {
    if (box.line != line) continue;
    rect.Add(canvas.to_screen(box.x, box.y));
    rect.Add(canvas.to_screen(box.x + box.width, box.y + box.height));
  }
  return rect;
}

/// An edge into another line: out at the end of its own, back through the gap between the two, and in from the start.
std::array<ImVec2, 6> turn_points(const Canvas& canvas, const TreeLayout& layout, const NodeBox& box, ImVec2 from, ImVec2 to) {
  const float out = 0.5f * canvas.scale();
  const ImVec2 end = line_rect(canvas, layout, layout.boxes[static_cast<size_t>(box.parent_box)].line).Max;
  const ImVec2 start = line_rect(canvas, layout, box.line).Min;
  const float right = end.x + out, bottom = end.y + out, left = start.x - out, top = start.y - out;
  if (layout.top_down) return {from, {from.x, bottom}, {left, bottom}, {left, top}, {to.x, top}, to};
  return {from, {right, from.y}, {right, top}, {left, top}, {left, to.y}, to};
}

}  // namespace

ImU32 role_colour(NodeRole role) {
  const Palette& colours = palette();
  switch (role) {
    case NodeRole::kRoot:
      return colours.root;
    case NodeRole::kAccepted:
      return colours.accepted;
    case NodeRole::kRejected:
      return colours.rejected;
    case NodeRole::kCandidate:
      return colours.candidate;
    case NodeRole::kBonus:
      return colours.bonus;
    case NodeRole::kFolded:
      return colours.rejected;
  }
  return colours.text;
}

void draw_role_mark(ImDrawList* list, NodeRole role, ImVec2 centre, float radius, float alpha) {
  const ImU32 colour = with_alpha(role_colour(role), alpha);
  const float thick = std::max(1.0f, 0.35f * radius);
  const float x = centre.x, y = centre.y, r = radius;
  switch (role) {
    case NodeRole::kRoot:
      list->AddCircleFilled(centre, 0.8f * r, colour);
      break;
    case NodeRole::kAccepted: {
      const ImVec2 points[] = {{x - 0.8f * r, y}, {x - 0.2f * r, y + 0.7f * r}, {x + 0.9f * r, y - 0.7f * r}};
      list->AddPolyline(points, 3, colour, thick);
      break;
    }
    case NodeRole::kRejected:
    case NodeRole::kFolded:
      list->AddLine({x - 0.6f * r, y - 0.6f * r}, {x + 0.6f * r, y + 0.6f * r}, colour, thick);
      list->AddLine({x - 0.6f * r, y + 0.6f * r}, {x + 0.6f * r, y - 0.6f * r}, colour, thick);
      break;
    case NodeRole::kCandidate:
      break;
    case NodeRole::kBonus:
      draw_star(list, centre, r, colour);
      break;
  }
}

void draw_edge(ImDrawList* list, const Canvas& canvas, const TreeLayout& layout, const NodeBox& box,
               Emphasis emphasis) {
  if (box.parent_box < 0) return;
  const NodeBox& parent = layout.boxes[static_cast<size_t>(box.parent_box)];
  const bool down = layout.top_down;
  const ImVec2 from = down ? canvas.to_screen(parent.x + 0.5f * parent.width, parent.y + parent.height)
                           : canvas.to_screen(parent.x + parent.width, parent.y + 0.5f * parent.height);
  const ImVec2 to = down ? canvas.to_screen(box.x + 0.5f * box.width, box.y)
                         : canvas.to_screen(box.x, box.y + 0.5f * box.height);
  if (!canvas.visible({std::min(from.x, to.x), std::min(from.y, to.y)},
                      {std::max(from.x, to.x), std::max(from.y, to.y)})) {
    return;
  }
  const float q = std::isfinite(box.q) ? static_cast<float>(box.q) : 0.0f;
  const float width = (box.on_path() ? 0.22f : 0.04f + 0.16f * std::sqrt(q)) * canvas.scale();
  // Rejected edges are quiet, so that the path is what the eye follows.
  const float quiet = box.on_path() ? 1.0f : 0.6f;
  const ImU32 colour =
      with_alpha(box.on_path() ? role_colour(box.role) : palette().text_dim, quiet * alpha_of(box, emphasis));
  const float thick = std::max(1.0f, width);
  if (canvas.zoom < kSimpleZoom) {
    list->AddLine(from, to, colour, thick);
    return;
  }
  if (box.line != parent.line) {
    const std::array<ImVec2, 6> points = turn_points(canvas, layout, box, from, to);
    list->AddPolyline(points.data(), static_cast<int>(points.size()), colour, thick);
    return;
  }
  // Straight along the wider boxes of its own depth, then over to the next one's in the gap between them.
  const ImVec2 turn = down ? ImVec2(from.x, canvas.to_screen(box.x, box.y - kLayerGap).y)
                           : ImVec2(canvas.to_screen(box.x - kLayerGap, box.y).x, from.y);
  const ImVec2 middle = {0.5f * (turn.x + to.x), 0.5f * (turn.y + to.y)};
  list->PathLineTo(from);
  list->PathLineTo(turn);
  list->PathBezierCubicCurveTo(down ? ImVec2(turn.x, middle.y) : ImVec2(middle.x, turn.y),
                               down ? ImVec2(to.x, middle.y) : ImVec2(middle.x, to.y), to, 16);
  list->PathStroke(colour, thick);
}

void draw_box(ImDrawList* list, const Canvas& canvas, const NodeBox& box, Emphasis emphasis) {
  const ImVec2 a = canvas.to_screen(box.x, box.y);
  const ImVec2 b = canvas.to_screen(box.x + box.width, box.y + box.height);
  if (!canvas.visible(a, b)) return;
  const float unit = canvas.scale();
  const float alpha = alpha_of(box, emphasis);
  if (canvas.zoom < kSimpleZoom) {
    const ImU32 colour = with_alpha(role_colour(box.role), alpha);
    if (box.on_path()) {
      list->AddRectFilled(a, b, colour);
    } else {
      list->AddRect(a, b, colour);  // hollow: not accepted
    }
  } else {
    const ImU32 fill = box.on_path() ? blend(palette().panel, role_colour(box.role), 0.22f) : palette().panel;
    list->AddRectFilled(a, b, with_alpha(fill, std::max(alpha, 0.85f)), 0.35f * unit);
    draw_q_bar(list, box, a, b, unit, alpha);
    draw_border(list, box, a, b, unit, alpha);
    if (canvas.zoom >= kTextZoom) {
      draw_label(list, box, a, b, unit, alpha);
    } else {
      draw_role_mark(list, box.role, {0.5f * (a.x + b.x), 0.5f * (a.y + b.y) - 0.2f * unit}, 0.6f * unit,
                     alpha);
    }
  }
  if (emphasis != Emphasis::kHovered && emphasis != Emphasis::kSelected) return;
  const float out = std::max(2.0f, 0.35f * unit);
  const float thick = (emphasis == Emphasis::kSelected ? 0.16f : 0.08f) * em();
  list->AddRect({a.x - out, a.y - out}, {b.x + out, b.y + out}, palette().selected, 0.5f * unit, thick);
}

void draw_tree_legend(bool column) {
  constexpr std::array kRoles = {NodeRole::kRoot, NodeRole::kAccepted, NodeRole::kBonus, NodeRole::kRejected,
                                 NodeRole::kCandidate};
  ImDrawList* list = ImGui::GetWindowDrawList();
  bool first = true;
  for (const NodeRole role : kRoles) {
    const float width = 1.6f * em() + ImGui::CalcTextSize(name(role)).x;
    if (!first && !column) flow(width);
    first = false;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float line = ImGui::GetTextLineHeight();
    const ImVec2 a = {at.x, at.y + 0.08f * line}, b = {at.x + 1.2f * em(), at.y + 0.92f * line};
    list->AddRect(a, b, role_colour(role), 0.2f * em(), std::max(1.0f, 0.08f * em()));
    draw_role_mark(list, role, {0.5f * (a.x + b.x), 0.5f * (a.y + b.y)}, 0.32f * em(), 1.0f);
    ImGui::Dummy({1.2f * em(), line});
    ImGui::SameLine(0, 0.4f * em());
    dim_text(name(role));
  }
  const char* key = "bar: q, the drafter's probability";
  if (!column) flow(ImGui::CalcTextSize(key).x);
  dim_text(key);
}

}  // namespace draftscope
