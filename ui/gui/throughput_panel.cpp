// The budget decision: expected tokens, cost and theta over n, with what each rule would choose.
#include <fmt/format.h>
#include <imgui.h>
#include <implot.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "ui/gui/palette.h"
#include "ui/gui/panel_common.h"

namespace draftscope {
namespace {

constexpr float kRoomy_em = 22;  // from this height on there is room for sentences

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

/// One line per marker, inside the top of the plot, on the side where there is room.
void draw_marker_label(const ThetaMarker& marker, size_t row) {
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const ImVec2 pos = ImPlot::GetPlotPos(), size = ImPlot::GetPlotSize();
  const float x = ImPlot::PlotToPixels(marker.n, marker.theta_tokens_per_s).x;
  const float width = ImGui::CalcTextSize(marker.label.c_str()).x + 0.9f * em();
  const bool left = x + width > pos.x + size.x;
  const float at_x = std::max(pos.x, left ? x - width : x + 0.5f * em());
  const float at_y = pos.y + size.y - (static_cast<float>(row) + 2.3f) * ImGui::GetTextLineHeight();
  const ImVec2 text = ImGui::CalcTextSize(marker.label.c_str());
  list->AddRectFilled({at_x - 0.1f * em(), at_y}, {at_x + text.x + 0.1f * em(), at_y + text.y},
                      with_alpha(palette().window, 0.8f), 0.2f * em());
  list->AddText({at_x, at_y}, mark_colour(marker.marks.front()), marker.label.c_str());
}

/// In a small plot the labels would hide the curve; the "?" above it names the markers too.
bool labels_fit(const ThetaPlot& plot) {
  const ImVec2 size = ImPlot::GetPlotSize();
  float widest = 0;
  for (const ThetaMarker& marker : plot.markers)
    widest = std::max(widest, ImGui::CalcTextSize(marker.label.c_str()).x);
  const float lines = size.y / ImGui::GetTextLineHeight();
  return size.x > 1.05f * widest && lines > 4.0f + static_cast<float>(plot.markers.size());
}

void draw_markers(const ThetaPlot& plot, const std::vector<double>& y, bool labels) {
  labels = labels && labels_fit(plot);
  ImPlot::PushPlotClipRect();
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const ImVec2 pos = ImPlot::GetPlotPos(), size = ImPlot::GetPlotSize();
  for (size_t i = 0; i < plot.markers.size(); ++i) {
    const ThetaMarker& marker = plot.markers[i];
    const ImVec2 at = ImPlot::PlotToPixels(marker.n, y[static_cast<size_t>(marker.n)]);
    list->AddLine({at.x, pos.y}, {at.x, pos.y + size.y}, with_alpha(mark_colour(marker.marks.front()), 0.6f),
                  1.0f);
    float radius = 0.34f * em();
    for (const BudgetMark mark : marker.marks) {
      draw_mark_shape(list, mark, at, radius);
      radius += 0.26f * em();  // shapes on one n nest
    }
    if (labels) draw_marker_label(marker, i);
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
  bool labels;
  float height;  // pixels, about
  bool n_axis;   // its numbers are shown
  int32_t last;  // largest n in sight
};

/// Everything in sight with room for the markers; two numbers where more would overlap.
void setup_axes(const ThetaPlot& plot, const Curve& curve) {
  const auto [low, high] = std::minmax_element(curve.y.begin(), curve.y.begin() + curve.last + 1);
  const double range = std::max(1e-9, *high - *low);
  const double last = std::max(1.0, plot.n[static_cast<size_t>(curve.last)]);
  ImPlot::SetupAxes(nullptr, nullptr, curve.n_axis ? ImPlotAxisFlags_None : ImPlotAxisFlags_NoTickLabels);
  ImPlot::SetupAxisLimits(ImAxis_X1, -0.02 * last, 1.02 * last, ImPlotCond_Always);
  ImPlot::SetupAxisLimits(ImAxis_Y1, *low - 0.15 * range, *high + 0.2 * range, ImPlotCond_Always);
  // Four digits, but whole numbers in full: 12000, not 1.2e+04.
  ImPlot::SetupAxisFormat(ImAxis_Y1, *high < 1000 ? "%.4g" : "%.0f");
  if (curve.height < 7 * em()) ImPlot::SetupAxisTicks(ImAxis_Y1, *low, *low + range, 2);
}

/// The name of a curve inside its plot, where it takes no room of its own.
void draw_title(const Curve& curve) {
  const ImVec2 pos = ImPlot::GetPlotPos(), size = ImPlot::GetPlotSize();
  const bool fits = ImGui::CalcTextSize(curve.title.c_str()).x + em() <= size.x;
  const char* title = fits ? curve.title.c_str() : curve.short_title;
  const float width = ImGui::CalcTextSize(title).x;
  const ImVec2 at = {pos.x + size.x - width - 0.4f * em(), pos.y + size.y - 1.2f * em()};
  ImPlot::GetPlotDrawList()->AddText(at, curve.colour, title);
}

/// Draws one curve; the n under the pointer, or -1.
int32_t draw_curve(const ThetaPlot& plot, const Curve& curve, std::optional<int32_t> pointed) {
  int32_t hovered = -1;
  const ImPlotFlags flags = ImPlotFlags_NoTitle | ImPlotFlags_NoFrame | ImPlotFlags_NoLegend |
                            ImPlotFlags_NoMouseText | ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect;
  if (!ImPlot::BeginPlot(curve.title.c_str(), {-1, 0}, flags)) return hovered;
  setup_axes(plot, curve);
  ImPlotSpec spec;
  spec.LineColor = colour4(curve.colour);
  spec.LineWeight = std::max(1.0f, 0.12f * em());
  ImPlot::PlotLine(curve.title.c_str(), plot.n.data(), curve.y.data(), static_cast<int>(plot.n.size()), spec);
  draw_title(curve);
  draw_markers(plot, curve.y, curve.labels);
  if (pointed) draw_pointer_line(*pointed);
  if (ImPlot::IsPlotHovered()) {
    hovered = std::clamp(static_cast<int32_t>(std::lround(ImPlot::GetPlotMousePos().x)), 0, curve.last);
  }
  ImPlot::EndPlot();
  return hovered;
}

std::string realised_sentence(const ThetaPlot& plot) {
  const char* plural = plot.realised_tokens == 1 ? "" : "s";
  if (plot.realised_ms <= 0)
    return fmt::format("This round made {:.0f} token{} (measured).", plot.realised_tokens, plural);
  return fmt::format("This round made {:.0f} token{} in {:.2f} ms (measured).", plot.realised_tokens, plural,
                     plot.realised_ms);
}

/// The shape and the words of every marker, one below the other.
void draw_marker_legend(const ThetaPlot& plot) {
  const float line = ImGui::GetTextLineHeight();
  for (const ThetaMarker& marker : plot.markers) {
    for (const BudgetMark mark : marker.marks) {
      const ImVec2 at = ImGui::GetCursorScreenPos();
      draw_mark_shape(ImGui::GetWindowDrawList(), mark, {at.x + 0.5f * line, at.y + 0.5f * line},
                      0.35f * em());
      ImGui::Dummy({line, line});
      ImGui::SameLine(0, 0.3f * em());
    }
    ImGui::TextUnformatted(marker.label.c_str());
  }
}

/// "All n" and what was decided: everything in a tall panel, a few words and a "?" in a short one.
void draw_header(const ThetaPlot& plot, bool& all_n) {
  const FlatHeader flat;
  const bool one_line = short_panel(kRoomy_em);
  const std::string curves = "Curves over n, the nodes below the root (" + plot.provenance + ").";
  const auto sentences = [&] {
    if (one_line) ImGui::TextUnformatted(plot.verdict.c_str());
    dim_text(curves);
    dim_text(realised_sentence(plot));
    draw_marker_legend(plot);
  };
  ImGui::BeginDisabled(useful_n(plot) + 1 >= static_cast<int32_t>(plot.n.size()));
  ImGui::Checkbox("All n", &all_n);
  ImGui::EndDisabled();
  ImGui::SetItemTooltip(
      "Show every n, not only up to four times the largest marked one. A double click does too.");
  flow(button_width("?"));
  help_mark(sentences);
  const std::string words = one_line ? plot.headline : realised_sentence(plot);
  if (ImGui::CalcTextSize(words.c_str()).x <= room_beside()) {
    ImGui::SameLine();
    ImGui::AlignTextToFramePadding();
    ImGui::TextUnformatted(words.c_str());
  }
  if (!one_line) ImGui::TextWrapped("%s", plot.verdict.c_str());
}

/// The node under the pointer in another panel, as the budget that just reaches it.
std::optional<int32_t> pointed_budget(const Selection& selection) {
  if (selection.hover_budget) return selection.hover_budget;
  if (selection.hover_node && *selection.hover_node >= 0) return selection.hover_node;
  return std::nullopt;
}

void draw_curves(PanelContext& context, const ThetaPlot& plot, bool& all_n) {
  const int32_t last = all_n ? static_cast<int32_t>(plot.n.size()) - 1 : useful_n(plot);
  ImVec2 room = ImGui::GetContentRegionAvail();
  room.y = std::max(room.y, 6 * em());  // the panel scrolls rather than squash them
  const bool side_by_side = room.x > 2.2f * room.y;
  const float part = side_by_side ? room.y : 0.25f * room.y;
  const std::array<Curve, 3> curves = {
      {{"theta, tokens/s (" + plot.provenance + ")", "tokens/s", plot.theta_tokens_per_s, palette().theta,
        true, side_by_side ? part : 2 * part, side_by_side, last},
       {"expected tokens", "tokens", plot.expected_tokens, palette().tokens, false, part, side_by_side, last},
       {"cost, ms", "ms", plot.cost_ms, palette().cost, false, part, true, last}}};
  std::array<float, 3> ratios = {2, 1, 1}, even = {1};
  const std::optional<int32_t> pointed = pointed_budget(context.selection);
  int32_t hovered = -1;
  ImPlot::PushStyleVar(ImPlotStyleVar_PlotPadding, ImVec2(0.3f * em(), 0.3f * em()));
  if (ImPlot::BeginSubplots(
          "##curves", side_by_side ? 1 : 3, side_by_side ? 3 : 1, {-1, room.y},
          ImPlotSubplotFlags_NoTitle | ImPlotSubplotFlags_NoMenus | ImPlotSubplotFlags_NoResize,
          side_by_side ? even.data() : ratios.data(), side_by_side ? ratios.data() : even.data())) {
    for (const Curve& curve : curves) hovered = std::max(hovered, draw_curve(plot, curve, pointed));
    ImPlot::EndSubplots();
  }
  ImPlot::PopStyleVar();
  if (hovered >= 0 && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) all_n = !all_n;
  publish_hover(context.selection.hover_budget, hovered >= 0, hovered);
  if (hovered >= 0) ImGui::SetTooltip("%s (%s)", budget_line(plot, hovered).c_str(), plot.provenance.c_str());
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
