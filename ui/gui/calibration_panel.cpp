// Calibration: stated against observed probability with intervals, how many were observed, and what
// corrections repair.
#include <fmt/format.h>
#include <imgui.h>
#include <implot.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "ui/gui/lab_panels.h"
#include "ui/gui/palette.h"
#include "ui/gui/panel_common.h"

namespace draftscope {
namespace {

constexpr ImPlotFlags kFlags = ImPlotFlags_NoTitle | ImPlotFlags_NoFrame | ImPlotFlags_NoMenus |
                               ImPlotFlags_NoBoxSelect | ImPlotFlags_NoLegend | ImPlotFlags_NoMouseText;

ImVec4 colour4(ImU32 colour) { return ImGui::ColorConvertU32ToFloat4(colour); }

constexpr const char* kUse = "Use this correction";

/// Hands the lab's correction to the engine behind this recording.
void draw_use(PanelContext& context, const LabCalibration& calibration) {
  const char* why_not = nullptr;
  if (!context.use_correction)
    why_not =
        "No engine is running behind this recording. Start draftscope without --open, then open the "
        "recording "
        "with File > Open.";
  if (!calibration.correction) why_not = "Nothing was fitted to this recording.";
  ImGui::BeginDisabled(why_not != nullptr);
  const bool pressed = ImGui::Button(kUse);
  ImGui::EndDisabled();
  ImGui::SetItemTooltip(
      "%s", why_not ? why_not
                    : "Gives the engine the correction that was fitted on half of this text, all parts "
                      "together. Its method \"calibrated\" then decides by it.");
  if (!pressed) return;
  const std::string target = context.store.info() ? context.store.info()->target_name : std::string();
  context.use_correction({*calibration.correction, correction_words(target, *calibration.correction)});
}

void draw_choice(PanelContext& context, LabState& state, const ReliabilityPlot& plot) {
  const FlatHeader flat;
  labelled("curve", 10 * em(), [&] {
    if (!ImGui::BeginCombo("##Curve", plot.series[static_cast<size_t>(state.curve)].label.c_str()))
      return false;
    for (size_t i = 0; i < plot.series.size(); ++i) {
      if (ImGui::Selectable(plot.series[i].label.c_str(), static_cast<size_t>(state.curve) == i))
        state.curve = static_cast<int32_t>(i);
      ImGui::SetItemTooltip("%s", plot.series[i].summary.c_str());
    }
    ImGui::EndCombo();
    return false;
  });
  flow(button_width(kUse));
  draw_use(context, state.report->calibration);
  flow(button_width("?"));
  help_mark([] {
    ImGui::TextUnformatted(
        "How often the target agreed, against the probability that the drafter gave. Points on the "
        "diagonal are honest, below it the drafter was too sure.");
    ImGui::TextUnformatted(
        "Only children of accepted nodes count: what would have followed a rejected token was never "
        "observed.");
    ImGui::TextUnformatted(
        "Bars are 95 % intervals. Rounds overlap: one token is judged by every round that reaches it, and "
        "neighbours share their subject. So a whole block of text counts as one group, and a bar is as wide "
        "as "
        "the differences between blocks say; the bare number of candidates would make it far too narrow.");
    ImGui::TextUnformatted("Below: how many were observed.");
  });
  const float note = ImGui::CalcTextSize(plot.bars.c_str()).x;
  if (room_beside() < note) return;
  ImGui::SameLine();
  dim_text(plot.bars);
}

void draw_curve(const ReliabilitySeries& series) {
  const auto n = static_cast<int>(series.stated.size());
  ImPlotSpec spec;
  spec.LineColor = spec.MarkerFillColor = spec.FillColor = colour4(palette().best);
  spec.LineWeight = std::max(1.0f, 0.13f * em());
  spec.Marker = ImPlotMarker_Circle;
  spec.MarkerSize = 0.3f * em();
  spec.Size = 0.35f * em();
  ImPlot::PlotErrorBars("95 % interval", series.stated.data(), series.observed.data(), series.below.data(),
                        series.above.data(), n, spec);
  ImPlot::PlotLine(series.label.c_str(), series.stated.data(), series.observed.data(), n, spec);
}

/// The bin whose stated probability is nearest to the pointer.
size_t nearest_bin(const ReliabilitySeries& series, double stated) {
  size_t nearest = 0;
  for (size_t i = 1; i < series.stated.size(); ++i) {
    if (std::abs(series.stated[i] - stated) < std::abs(series.stated[nearest] - stated)) nearest = i;
  }
  return nearest;
}

void draw_reliability(const ReliabilitySeries& series, float height) {
  if (!ImPlot::BeginPlot("##reliability", {-1, height}, kFlags)) return;
  ImPlot::SetupAxes("stated probability", "observed", ImPlotAxisFlags_Lock, ImPlotAxisFlags_Lock);
  ImPlot::SetupAxisLimits(ImAxis_X1, -0.02, 1.02, ImPlotCond_Always);
  ImPlot::SetupAxisLimits(ImAxis_Y1, -0.02, 1.02, ImPlotCond_Always);
  const std::array<double, 2> ends = {0, 1};
  ImPlot::PlotLine("honest", ends.data(), ends.data(), 2,
                   {ImPlotProp_LineColor, colour4(palette().text_dim)});
  draw_curve(series);
  if (ImPlot::IsPlotHovered() && !series.stated.empty()) {
    ImGui::SetTooltip("%s (derived)",
                      bin_line(series, nearest_bin(series, ImPlot::GetPlotMousePos().x)).c_str());
  }
  ImPlot::EndPlot();
}

void draw_counts(const ReliabilitySeries& series, float height) {
  if (!ImPlot::BeginPlot("##counts", {-1, height}, kFlags)) return;
  ImPlot::SetupAxes(nullptr, "n", ImPlotAxisFlags_Lock | ImPlotAxisFlags_NoTickLabels, ImPlotAxisFlags_Lock);
  const std::vector<double> n(series.n.begin(), series.n.end());
  const double top = n.empty() ? 1 : *std::ranges::max_element(n);
  ImPlot::SetupAxisScale(ImAxis_Y1, ImPlotScale_Log10);
  ImPlot::SetupAxisLimits(ImAxis_X1, -0.02, 1.02, ImPlotCond_Always);
  ImPlot::SetupAxisLimits(ImAxis_Y1, 0.8, 2 * top, ImPlotCond_Always);
  ImPlotSpec spec;
  spec.FillColor = spec.LineColor = colour4(with_alpha(palette().tokens, 0.7f));
  ImPlot::PlotBars("observed", series.stated.data(), n.data(), static_cast<int>(n.size()), 0.06, spec);
  ImPlot::EndPlot();
}

void draw_corrections(const ReliabilityPlot& plot) {
  constexpr ImGuiTableFlags kTable =
      ImGuiTableFlags_RowBg | ImGuiTableFlags_BordersInnerV | ImGuiTableFlags_SizingFixedFit;
  if (!ImGui::BeginTable("corrections", 5, kTable)) return;
  for (const char* title : {"correction", "before", "after", "value", "verdict"})
    ImGui::TableSetupColumn(title);
  ImGui::TableHeadersRow();
  for (const CorrectionRow& row : plot.corrections) {
    for (const std::string& cell : {row.label, row.before, row.after, row.parameter, row.verdict}) {
      ImGui::TableNextColumn();
      ImGui::TextUnformatted(cell.c_str());
    }
  }
  ImGui::EndTable();
}

/// One row per curve; a click shows it.
void draw_curves(LabState& state, const ReliabilityPlot& plot, float height) {
  constexpr ImGuiTableFlags kTable = ImGuiTableFlags_RowBg | ImGuiTableFlags_BordersInnerV |
                                     ImGuiTableFlags_SizingFixedFit | ImGuiTableFlags_ScrollY;
  if (!ImGui::BeginTable("curves", 4, kTable, {0, height})) return;
  ImGui::TableSetupScrollFreeze(0, 1);
  for (const char* title : {"curve", "observed", "error", "on average"}) ImGui::TableSetupColumn(title);
  ImGui::TableHeadersRow();
  for (size_t i = 0; i < plot.series.size(); ++i) {
    const ReliabilitySeries& series = plot.series[i];
    ImGui::TableNextColumn();
    constexpr ImGuiSelectableFlags kSpan = ImGuiSelectableFlags_SpanAllColumns;
    if (ImGui::Selectable(series.label.c_str(), static_cast<size_t>(state.curve) == i, kSpan))
      state.curve = static_cast<int32_t>(i);
    for (const std::string& cell : {series.observed_text, series.error_text, series.bias}) {
      ImGui::TableNextColumn();
      ImGui::TextUnformatted(cell.c_str());
    }
  }
  ImGui::EndTable();
}

constexpr const char* kCorrectionsTitle =
    "Corrections: calibration error of tokens that they were not fitted on.";

float corrections_height(const ReliabilityPlot& plot) {
  const float row = ImGui::GetTextLineHeight() + 2 * ImGui::GetStyle().CellPadding.y;
  const float title =
      ImGui::CalcTextSize(kCorrectionsTitle, nullptr, false, ImGui::GetContentRegionAvail().x).y;
  return static_cast<float>(plot.corrections.size() + 1) * row + title + 3 * ImGui::GetStyle().ItemSpacing.y;
}

void draw_titled_corrections(const ReliabilityPlot& plot) {
  ImGui::PushTextWrapPos(0);
  dim_text(kCorrectionsTitle);
  ImGui::PopTextWrapPos();
  draw_corrections(plot);
}

void draw_plots(const ReliabilitySeries& series, float room, bool with_counts) {
  const float counts = with_counts ? std::clamp(0.22f * room, 3.5f * em(), 8 * em()) : 0;
  if (!ImPlot::BeginAlignedPlots("##aligned")) return;
  draw_reliability(series, room - counts - (counts > 0 ? ImGui::GetStyle().ItemSpacing.y : 0));
  if (counts > 0) draw_counts(series, counts);
  ImPlot::EndAlignedPlots();
}

/// Plots at the left, every curve and correction as numbers at the right.
void draw_wide(LabState& state, const ReliabilityPlot& plot, const ReliabilitySeries& series) {
  const ImVec2 room = ImGui::GetContentRegionAvail();
  const float side = std::min(0.42f * room.x, 36 * em());
  if (ImGui::BeginChild("plots", {room.x - side - 2 * em(), 0}))
    draw_plots(series, ImGui::GetContentRegionAvail().y, true);
  ImGui::EndChild();
  ImGui::SameLine(0, 2 * em());
  if (ImGui::BeginChild("numbers", {side, 0})) {
    const float below = plot.corrections.empty() ? 0 : corrections_height(plot) + em();
    draw_curves(state, plot, std::max(6 * em(), ImGui::GetContentRegionAvail().y - below));
    if (below > 0) draw_titled_corrections(plot);
  }
  ImGui::EndChild();
}

}  // namespace

void draw_calibration_panel(PanelContext& context, LabState& state) {
  const LabViews* views = lab_views(context, state);
  if (views == nullptr) return;
  const ReliabilityPlot& plot = views->reliability;
  if (!plot.empty_reason.empty()) {
    draw_empty(plot.empty_reason);
    return;
  }
  state.curve = std::clamp(state.curve, 0, static_cast<int32_t>(plot.series.size()) - 1);
  const ReliabilitySeries& series = plot.series[static_cast<size_t>(state.curve)];
  draw_choice(context, state, plot);
  if (!short_panel(18)) ImGui::TextWrapped("%s (derived).", series.summary.c_str());
  if (ImGui::GetContentRegionAvail().x > 64 * em() && !short_panel(24)) return draw_wide(state, plot, series);
  const float below = plot.corrections.empty() || short_panel(24) ? 0 : corrections_height(plot);
  draw_plots(series, std::max(8 * em(), ImGui::GetContentRegionAvail().y - below), !short_panel(34));
  if (below > 0) draw_titled_corrections(plot);
}

}  // namespace draftscope
