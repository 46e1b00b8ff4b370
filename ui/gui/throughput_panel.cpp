// The budget decision: expected tokens, cost and theta over n, with what each rule would choose.
#include <fmt/format.h>
#include <imgui.h>
#include <implot.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "ui/gui/cost_marks.h"
#include "ui/gui/palette.h"
#include "ui/gui/panel_common.h"

namespace draftscope {
namespace {

constexpr float kRoomy_em = 22;   // from this height on there is room for the names of the markers
constexpr float kTall_em = 34;    // from this height on for sentences too
constexpr float kAxis_em = 2.4f;  // numbers and name of the axis, about
constexpr float kTitle_em = 1.2f;  // height of a curve's name
constexpr const char* kExtrapolated = "extrapolated";

ImVec4 colour4(ImU32 colour) { return ImGui::ColorConvertU32ToFloat4(colour); }

ImU32 mark_colour(BudgetMark mark) {
  switch (mark) {
    case BudgetMark::kChosen:
      return palette().chosen;
    case BudgetMark::kFaithfulStop:
      return palette().faithful;
    case BudgetMark::kGlobalBest:
      return palette().best;
    case BudgetMark::kRunnerUp:
      return palette().runner_up;
  }
  return palette().text;
}

/// Diamond, square, triangle, ring: the shape says which rule, the colour only repeats it.
void draw_mark_shape(ImDrawList* list, BudgetMark mark, ImVec2 c, float r) {
  const ImU32 colour = mark_colour(mark);
  switch (mark) {
    case BudgetMark::kChosen:
      list->AddQuadFilled({c.x, c.y - r}, {c.x + r, c.y}, {c.x, c.y + r}, {c.x - r, c.y}, colour);
      break;
    case BudgetMark::kFaithfulStop:
      list->AddRect({c.x - r, c.y - r}, {c.x + r, c.y + r}, colour, 0, 0.4f * r);
      break;
    case BudgetMark::kGlobalBest:
      list->AddTriangle({c.x, c.y - 1.3f * r}, {c.x + 1.3f * r, c.y + r}, {c.x - 1.3f * r, c.y + r}, colour,
                        0.4f * r);
      break;
    case BudgetMark::kRunnerUp:
      list->AddCircle(c, 0.8f * r, colour, 0, 0.35f * r);
      break;
  }
}

void draw_markers(const ThetaPlot& plot, const std::vector<double>& y) {
  ImPlot::PushPlotClipRect();
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const ImVec2 pos = ImPlot::GetPlotPos(), size = ImPlot::GetPlotSize();
  for (const ThetaMarker& marker : plot.markers) {
    const ImVec2 at = ImPlot::PlotToPixels(marker.n, y[static_cast<size_t>(marker.n)]);
    list->AddLine({at.x, pos.y}, {at.x, pos.y + size.y}, with_alpha(mark_colour(marker.marks.front()), 0.6f),
                  1.0f);
    float radius = 0.34f * em();
    for (const BudgetMark mark : marker.marks) {
      draw_mark_shape(list, mark, at, radius);
      radius += 0.26f * em();  // shapes on one n nest
    }
  }
  ImPlot::PopPlotClipRect();
}

void draw_pointer_line(int32_t n) {
  ImPlot::PushPlotClipRect();
  const ImVec2 pos = ImPlot::GetPlotPos(), size = ImPlot::GetPlotSize();
  const float x = ImPlot::PlotToPixels(n, 0).x;
  ImPlot::GetPlotDrawList()->AddLine({x, pos.y}, {x, pos.y + size.y}, palette().selected, 1.0f);
  ImPlot::PopPlotClipRect();
}

struct Curve {
  std::string title;
  const char* short_title;  // where the title is too long for the plot
  const std::vector<double>& y;
  ImU32 colour;
  float width, height;  // pixels, about
  bool n_axis;   // its numbers are shown
  int32_t last;  // largest n in sight
  bool rises;    // at the right, where the others have room for their title
  bool of_cost;  // extrapolated where the cost is
};

/// Everything in sight with room for the markers; two numbers where more would overlap.
void setup_axes(const ThetaPlot& plot, const Curve& curve) {
  const auto [low, high] = std::minmax_element(curve.y.begin(), curve.y.begin() + curve.last + 1);
  const double range = std::max(1e-9, *high - *low);
  const double last = std::max(1.0, plot.n[static_cast<size_t>(curve.last)]);
  constexpr const char* kWords = "n, nodes below the root";
  const char* words = ImGui::CalcTextSize(kWords).x <= curve.width - 2 * kAxis_em * em() ? kWords : "n";
  ImPlot::SetupAxes(curve.n_axis ? words : nullptr, nullptr,
                    curve.n_axis ? ImPlotAxisFlags_None : ImPlotAxisFlags_NoTickLabels);
  ImPlot::SetupAxisLimits(ImAxis_X1, -0.02 * last, 1.02 * last, ImPlotCond_Always);
  ImPlot::SetupAxisLimits(ImAxis_Y1, *low - 0.15 * range, *high + 0.2 * range, ImPlotCond_Always);
  // Four digits, but whole numbers in full: 12000, not 1.2e+04.
  ImPlot::SetupAxisFormat(ImAxis_Y1, *high < 1000 ? "%.4g" : "%.0f");
  if (curve.height < 7 * em()) ImPlot::SetupAxisTicks(ImAxis_Y1, *low, *low + range, 2);
}

/// Whether the curve passes through a rectangle, pixels.
bool passes(const ThetaPlot& plot, const Curve& curve, ImVec2 min, ImVec2 max) {
  for (size_t i = 1; i < plot.n.size(); ++i) {
    const ImVec2 a = ImPlot::PlotToPixels(plot.n[i - 1], curve.y[i - 1]), b = ImPlot::PlotToPixels(plot.n[i], curve.y[i]);
    if (b.x < min.x || a.x > max.x) continue;
    const auto y_at = [&](float x) { return a.y + (b.y - a.y) * (std::clamp(x, a.x, b.x) - a.x) / std::max(1e-3f, b.x - a.x); };
    const auto [high, low] = std::minmax(y_at(min.x), y_at(max.x));
    if (low >= min.y && high <= max.y) return true;
  }
  return false;
}

/// The name of a curve inside its plot, where it takes no room of its own: in a corner that the curve leaves free.
void draw_title(const ThetaPlot& plot, const Curve& curve) {
  const ImVec2 pos = ImPlot::GetPlotPos(), size = ImPlot::GetPlotSize();
  const bool fits = ImGui::CalcTextSize(curve.title.c_str()).x + em() <= size.x;
  const char* title = fits ? curve.title.c_str() : curve.short_title;
  const float width = ImGui::CalcTextSize(title).x;
  const float left = pos.x + 0.4f * em(), right = pos.x + size.x - width - 0.4f * em();
  const float top = pos.y + 0.1f * em(), bottom = pos.y + size.y - kTitle_em * em(), pad = 0.2f * em();
  std::array<ImVec2, 4> corners = {{{right, bottom}, {left, top}, {right, top}, {left, bottom}}};
  if (curve.rises) std::swap(corners[0], corners[1]);
  const auto end = [&](ImVec2 at) { return ImVec2(at.x + width + pad, at.y + 1.1f * em()); };
  const auto is_free = [&](ImVec2 at) { return !passes(plot, curve, {at.x - pad, at.y}, end(at)); };
  const auto free = std::ranges::find_if(corners, is_free);
  const ImVec2 at = free == corners.end() ? corners[0] : *free;
  ImDrawList* list = ImPlot::GetPlotDrawList();
  list->AddRectFilled({at.x - pad, at.y}, end(at), with_alpha(palette().window, 0.8f), pad);
  list->AddText(at, curve.colour, title);
}

/// Hatched as in the cost panel: candidates whose pass the cost curve has no points for.
void draw_extrapolated(const ThetaPlot& plot) {
  const float lift = kTitle_em * em();
  if (plot.last_known + 1 < static_cast<int32_t>(plot.n.size()))
    draw_region(plot.last_known, HUGE_VAL, kExtrapolated, lift);
  if (plot.first_known > 0) draw_region(-HUGE_VAL, plot.first_known, kExtrapolated, lift);
}

/// Draws one curve; the n under the pointer, or -1.
int32_t draw_curve(const ThetaPlot& plot, const Curve& curve, std::optional<int32_t> pointed) {
  int32_t hovered = -1;
  const ImPlotFlags flags = ImPlotFlags_NoTitle | ImPlotFlags_NoFrame | ImPlotFlags_NoLegend |
                            ImPlotFlags_NoMouseText | ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect;
  if (!ImPlot::BeginPlot(curve.title.c_str(), {-1, 0}, flags)) return hovered;
  setup_axes(plot, curve);
  if (curve.of_cost) draw_extrapolated(plot);
  ImPlotSpec spec;
  spec.LineColor = colour4(curve.colour);
  spec.LineWeight = std::max(1.0f, 0.12f * em());
  ImPlot::PlotLine(curve.title.c_str(), plot.n.data(), curve.y.data(), static_cast<int>(plot.n.size()), spec);
  draw_markers(plot, curve.y);
  if (pointed) draw_pointer_line(*pointed);
  draw_title(plot, curve);
  if (ImPlot::IsPlotHovered()) {
    hovered = std::clamp(static_cast<int32_t>(std::lround(ImPlot::GetPlotMousePos().x)), 0, curve.last);
  }
  ImPlot::EndPlot();
  return hovered;
}

/// What the hatching means, where there is any up to `last`; as the markers' words.
void draw_hatch_legend(const ThetaPlot& plot, int32_t last, bool column) {
  const std::string words = extrapolated_words(plot, last);
  if (words.empty()) return;
  const float line = ImGui::GetTextLineHeight();
  if (!column) flow(line + 0.3f * em() + ImGui::CalcTextSize(words.c_str()).x);
  const ImVec2 at = ImGui::GetCursorScreenPos(), end = {at.x + line, at.y + line};
  hatch_rect(ImGui::GetWindowDrawList(), at, end, Hatch::kDiagonal, palette().candidate);
  ImGui::Dummy({line, line});
  ImGui::SameLine(0, 0.3f * em());
  ImGui::TextUnformatted(words.c_str());
}

/// The shape and the words of every marker, in as few lines as fit or one below the other for a tooltip.
void draw_marker_legend(const ThetaPlot& plot, int32_t last, bool column) {
  const float line = ImGui::GetTextLineHeight();
  bool first = true;
  for (const ThetaMarker& marker : plot.markers) {
    const float shapes = static_cast<float>(marker.marks.size()) * (line + 0.3f * em());
    if (!first && !column) flow(shapes + ImGui::CalcTextSize(marker.label.c_str()).x);
    first = false;
    for (const BudgetMark mark : marker.marks) {
      const ImVec2 at = ImGui::GetCursorScreenPos();
      draw_mark_shape(ImGui::GetWindowDrawList(), mark, {at.x + 0.5f * line, at.y + 0.5f * line},
                      0.35f * em());
      ImGui::Dummy({line, line});
      ImGui::SameLine(0, 0.3f * em());
    }
    ImGui::TextUnformatted(marker.label.c_str());
  }
  draw_hatch_legend(plot, last, column);
}

int32_t last_in_sight(const ThetaPlot& plot, bool all_n) {
  return all_n ? static_cast<int32_t>(plot.n.size()) - 1 : useful_n(plot);
}

/// "All n" and what was decided: everything in a tall panel, a few words and a "?" in a short one.
void draw_header(const ThetaPlot& plot, bool& all_n) {
  const FlatHeader flat;
  const bool one_line = short_panel(kRoomy_em), tall = !short_panel(kTall_em);
  const std::string curves = "Curves over n, the nodes below the root (" + plot.provenance + ").";
  const auto sentences = [&] {
    if (!tall) ImGui::TextUnformatted(plot.verdict.c_str());
    dim_text(curves);
    dim_text(realised_sentence(plot));
    draw_marker_legend(plot, last_in_sight(plot, all_n), true);
  };
  ImGui::BeginDisabled(useful_n(plot) + 1 >= static_cast<int32_t>(plot.n.size()));
  checkbox("All n", &all_n);
  ImGui::EndDisabled();
  ImGui::SetItemTooltip(
      "Show every n, not only up to four times the largest marked one. A double click does too.");
  flow(button_width("?"));
  help_mark(sentences);
  const std::string words = tall ? realised_sentence(plot) : plot.headline;
  if (ImGui::CalcTextSize(words.c_str()).x <= room_beside()) {
    ImGui::SameLine();
    ImGui::AlignTextToFramePadding();
    ImGui::TextUnformatted(words.c_str());
  }
  if (one_line) return;
  if (tall) ImGui::TextWrapped("%s", plot.verdict.c_str());
  draw_marker_legend(plot, last_in_sight(plot, all_n), false);
}

/// The node under the pointer in another panel, as the budget that just reaches it.
std::optional<int32_t> pointed_budget(const Selection& selection) {
  if (selection.hover_budget) return selection.hover_budget;
  if (selection.hover_node && *selection.hover_node >= 0) return selection.hover_node;
  return std::nullopt;
}

void draw_curves(PanelContext& context, const ThetaPlot& plot, bool& all_n) {
  const int32_t last = last_in_sight(plot, all_n);
  ImVec2 room = ImGui::GetContentRegionAvail();
  room.y = std::max(room.y, 6 * em());  // the panel scrolls rather than squash them
  const bool side_by_side = room.x > 2.2f * room.y;
  const float axis = kAxis_em * em(), part = side_by_side ? room.y : 0.25f * (room.y - axis);
  const float narrow = side_by_side ? 0.25f * room.x : room.x, wide = side_by_side ? 2 * narrow : room.x;
  const std::array<Curve, 3> curves = {
      {{"theta, tokens/s (" + plot.provenance + ")", "tokens/s", plot.theta_tokens_per_s, palette().theta,
        wide, side_by_side ? part : 2 * part, side_by_side, last, false, true},
       {"expected tokens", "tokens", plot.expected_tokens, palette().tokens, narrow, part, side_by_side, last, false, false},
       {"cost, ms", "ms", plot.cost_ms, palette().cost, narrow, part, true, last, true, true}}};
  std::array<float, 3> widths = {2, 1, 1}, heights = {2 * part, part, part + axis}, even = {1};
  const std::optional<int32_t> pointed = pointed_budget(context.selection);
  int32_t hovered = -1;
  ImPlot::PushStyleVar(ImPlotStyleVar_PlotPadding, ImVec2(0.3f * em(), 0.3f * em()));
  if (ImPlot::BeginSubplots(
          "##curves", side_by_side ? 1 : 3, side_by_side ? 3 : 1, {-1, room.y},
          ImPlotSubplotFlags_NoTitle | ImPlotSubplotFlags_NoMenus | ImPlotSubplotFlags_NoResize,
          side_by_side ? even.data() : heights.data(), side_by_side ? widths.data() : even.data())) {
    for (const Curve& curve : curves) hovered = std::max(hovered, draw_curve(plot, curve, pointed));
    ImPlot::EndSubplots();
  }
  ImPlot::PopStyleVar();
  if (hovered >= 0 && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) all_n = !all_n;
  publish_hover(context.selection.hover_budget, hovered >= 0, hovered);
  if (hovered >= 0) ImGui::SetTooltip("%s", budget_line(plot, hovered).c_str());
}

}  // namespace

void draw_throughput_panel(PanelContext& context) {
  if (!context.shown()) {
    draw_empty("No rounds yet: the curves behind each round's budget appear here.");
    return;
  }
  const ThetaPlot& plot = round_views(context).theta;
  if (!plot.empty_reason.empty()) {
    draw_empty(plot.empty_reason);
    return;
  }
  const ImGuiID id = ImGui::GetID("all_n");
  bool all_n = ImGui::GetStateStorage()->GetBool(id);
  draw_header(plot, all_n);
  draw_curves(context, plot, all_n);
  ImGui::GetStateStorage()->SetBool(id, all_n);
}

}  // namespace draftscope
