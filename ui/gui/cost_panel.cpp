// The cost curve: choose a shape, move points, send it; the next round decides with it.
#include <fmt/format.h>
#include <imgui.h>
#include <implot.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "ui/gui/palette.h"
#include "ui/gui/panel_common.h"
#include "ui/view/cost_shape.h"

namespace draftscope {
namespace {

/// A new session brings its own curve; edits belong to the one before.
void adopt_session(CostEditState& state, const SessionInfo& info) {
  if (state.session == info.session) return;
  state.session = info.session;
  state.in_force = state.edited = info.cost;
  state.dirty = false;
  state.shape = 0;
  state.context_row = nearest_context_row(info.cost, info.prompt_tokens);
}

bool choose_shape(CostEditState& state) {
  bool changed = false;
  const CostShape shape = kCostShapes[static_cast<size_t>(state.shape)];
  if (ImGui::BeginCombo("##Shape", name(shape))) {
    for (size_t i = 0; i < kCostShapes.size(); ++i) {
      if (ImGui::Selectable(name(kCostShapes[i]), static_cast<int32_t>(i) == state.shape)) {
        state.shape = static_cast<int32_t>(i);
        changed = true;
      }
      ImGui::SetItemTooltip("%s", meaning(kCostShapes[i]));
    }
    ImGui::EndCombo();
  }
  ImGui::SetItemTooltip("%s", meaning(shape));
  return changed;
}

/// Pixels of a widget of `width` and its label.
float labelled_width(const char* label, float width) {
  return width + ImGui::GetStyle().ItemInnerSpacing.x + ImGui::CalcTextSize(label).x;
}

void draw_shape_choice(CostEditState& state) {
  bool changed = labelled("Shape", 8 * em(), [&] { return choose_shape(state); });
  if (kCostShapes[static_cast<size_t>(state.shape)] == CostShape::kStaircase) {
    flow(labelled_width("Tile", 6 * em()));
    changed |= labelled("Tile", 6 * em(), [&] {
      return ImGui::SliderInt("##Tile", &state.tile, 1, 64, "%d rows", ImGuiSliderFlags_AlwaysClamp);
    });
  }
  if (!changed) return;
  const CostShape chosen = kCostShapes[static_cast<size_t>(state.shape)];
  state.edited = reshape(state.in_force, chosen, state.tile);
  state.dirty = chosen != CostShape::kInForce;
}

void draw_context_choice(CostEditState& state) {
  const auto n = static_cast<int32_t>(state.edited.context.size());
  state.context_row = std::clamp(state.context_row, 0, n - 1);
  const auto label_of = [&](int32_t i) {
    return fmt::format("{}", state.edited.context[static_cast<size_t>(i)]);
  };
  const float width = 5.5f * em();
  flow(labelled_width("Context", width));
  labelled("Context", width, [&] {
    if (!ImGui::BeginCombo("##Context", label_of(state.context_row).c_str())) return false;
    for (int32_t i = 0; i < n; ++i) {
      if (ImGui::Selectable(label_of(i).c_str(), i == state.context_row)) state.context_row = i;
    }
    ImGui::EndCombo();
    return false;
  });
}

const char* note_of(const PanelContext& context, const CostEditState& state) {
  return !context.live ? "Recording: edits stay in this window."
         : state.dirty ? "Edited, not sent."
                       : "In force.";
}

std::string sentence_of(const CostEditState& state) {
  return fmt::format("{} ({}). {}. Drag points to edit.", state.edited.label, name(state.edited.kind),
                     state.edited.source);
}

void draw_apply(PanelContext& context, CostEditState& state) {
  ImGui::BeginDisabled(!context.live || !state.dirty);
  if (ImGui::Button("Apply")) {
    context.send(SetCostCommand{state.edited});
    state.in_force = state.edited;
    state.dirty = false;
    state.shape = 0;
  }
  ImGui::EndDisabled();
  ImGui::SetItemTooltip("%s", !context.live ? "A recording has no engine that could use the curve."
                              : state.dirty ? "The next round decides with the edited curve."
                                            : "Nothing was edited.");
}

void draw_reset(PanelContext& context, CostEditState& state) {
  const bool changed = state.dirty || state.in_force.kind != context.store.info()->cost.kind ||
                       state.in_force.verify_s != context.store.info()->cost.verify_s;
  ImGui::BeginDisabled(!changed);
  if (ImGui::Button("Reset")) {
    state.edited = context.store.info()->cost;
    state.shape = 0;
    state.dirty = state.edited.verify_s != state.in_force.verify_s;
  }
  ImGui::EndDisabled();
  ImGui::SetItemTooltip("Back to the curve this session began with.");
}

std::vector<double> row_ms(const CostModel& model, int32_t context_row) {
  const size_t n = model.rows.size();
  std::vector<double> ms(n);
  for (size_t i = 0; i < n; ++i) ms[i] = 1e3 * model.verify_s[static_cast<size_t>(context_row) * n + i];
  return ms;
}

void draw_lines(const CostEditState& state, const std::vector<double>& rows,
                const std::vector<double>& edited_ms) {
  const auto n = static_cast<int>(rows.size());
  ImPlotSpec spec;
  spec.LineWeight = std::max(1.0f, 0.12f * em());
  if (state.dirty && is_drawable(state.in_force) && state.in_force.rows == state.edited.rows &&
      state.in_force.context == state.edited.context) {
    const std::vector<double> ms = row_ms(state.in_force, state.context_row);
    spec.LineColor = ImGui::ColorConvertU32ToFloat4(palette().text_dim);
    spec.Marker = ImPlotMarker_Cross;
    spec.MarkerSize = 0.25f * em();
    ImPlot::PlotLine("in force", rows.data(), ms.data(), n, spec);
  }
  spec.LineColor = ImGui::ColorConvertU32ToFloat4(palette().cost);
  spec.Marker = ImPlotMarker_None;
  ImPlot::PlotLine(state.dirty ? "edited" : "in force", rows.data(), edited_ms.data(), n, spec);
  const CostModel& model = state.edited;
  spec.FillColor = spec.LineColor;
  if (model.spread_s.size() == model.verify_s.size() && !model.spread_s.empty()) {
    std::vector<double> spread_ms(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      spread_ms[i] = 1e3 * model.spread_s[static_cast<size_t>(state.context_row) * rows.size() + i];
    }
    ImPlot::PlotErrorBars("half interquartile range", rows.data(), edited_ms.data(), spread_ms.data(), n,
                          spec);
  }
}

void draw_plot(PanelContext& context, CostEditState& state, float height) {
  const std::vector<double> rows(state.edited.rows.begin(), state.edited.rows.end());
  const std::vector<double> edited_ms = row_ms(state.edited, state.context_row);
  const double top = *std::max_element(edited_ms.begin(), edited_ms.end());
  // A legend in a small plot would hide the points; without one, the line in force is still the one with
  // crosses.
  const bool small = height < 14 * em() || ImGui::GetContentRegionAvail().x < 26 * em();
  const ImPlotFlags flags =
      ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | (small ? ImPlotFlags_NoLegend : 0);
  if (!ImPlot::BeginPlot("##cost", {-1, height}, flags)) return;
  const std::string unit = fmt::format("ms, {}", name(state.edited.kind));
  const bool wide = ImGui::GetWindowWidth() > 15 * em();
  ImPlot::SetupAxes(wide ? "rows in the verify pass" : "rows", unit.c_str(), ImPlotAxisFlags_None,
                    ImPlotAxisFlags_None);
  ImPlot::SetupAxisLimits(ImAxis_X1, 0, rows.back() * 1.05, ImPlotCond_Once);
  ImPlot::SetupAxisLimits(ImAxis_Y1, 0, std::max(1e-6, 1.25 * top), ImPlotCond_Once);
  ImPlot::SetupAxisLimitsConstraints(ImAxis_X1, 0, HUGE_VAL);
  ImPlot::SetupAxisLimitsConstraints(ImAxis_Y1, 0, HUGE_VAL);
  ImPlot::SetupLegend(ImPlotLocation_SouthEast);  // where a rising curve leaves room
  draw_lines(state, rows, edited_ms);
  const ImVec4 colour = ImGui::ColorConvertU32ToFloat4(palette().chosen);
  for (size_t i = 0; i < rows.size(); ++i) {
    double x = rows[i], y = edited_ms[i];
    if (ImPlot::DragPoint(static_cast<int>(i), &x, &y, colour, 0.28f * em(), ImPlotDragToolFlags_NoFit) &&
        move_point(state.edited, state.context_row, static_cast<int32_t>(i), 1e-3 * y)) {
      state.dirty = true;
    }
  }
  if (const RoundRecord* record = context.shown(); record && record->method != Method::kPlain) {
    ImPlot::TagX(record->n_verified_rows(), ImGui::ColorConvertU32ToFloat4(palette().accepted), "%d rows",
                 record->n_verified_rows());
  }
  ImPlot::EndPlot();
}

void draw_table(CostEditState& state) {
  const ImGuiTableFlags flags = ImGuiTableFlags_RowBg | ImGuiTableFlags_BordersInnerV |
                                ImGuiTableFlags_SizingStretchSame | ImGuiTableFlags_ScrollY;
  const float rows = std::min(12.0f, static_cast<float>(state.edited.rows.size()) + 1.5f);
  if (!ImGui::BeginTable("points", 3, flags, {20 * em(), rows * ImGui::GetFrameHeightWithSpacing()})) return;
  ImGui::TableSetupScrollFreeze(0, 1);
  ImGui::TableSetupColumn("rows");
  ImGui::TableSetupColumn("ms");
  ImGui::TableSetupColumn("ms per row");
  ImGui::TableHeadersRow();
  const std::vector<double> ms = row_ms(state.edited, state.context_row);
  for (size_t i = 0; i < ms.size(); ++i) {
    ImGui::PushID(static_cast<int>(i));
    ImGui::TableNextColumn();
    ImGui::Text("%d", state.edited.rows[i]);
    ImGui::TableNextColumn();
    double value = ms[i];
    ImGui::SetNextItemWidth(-1);
    if (ImGui::InputDouble("##ms", &value, 0, 0, "%.4f") &&
        move_point(state.edited, state.context_row, static_cast<int32_t>(i), 1e-3 * value)) {
      state.dirty = true;
    }
    ImGui::TableNextColumn();
    ImGui::Text("%.4f", ms[i] / state.edited.rows[i]);
    ImGui::PopID();
  }
  ImGui::EndTable();
}

/// Apply, Reset, Points, "?" and, where there is room, what the "?" says.
void draw_buttons(PanelContext& context, CostEditState& state) {
  draw_apply(context, state);
  flow(button_width("Reset"));
  draw_reset(context, state);
  flow(button_width("Points"));
  if (ImGui::Button("Points")) ImGui::OpenPopup("points");
  ImGui::SetItemTooltip("The curve as numbers, to read and to edit.");
  if (ImGui::BeginPopup("points")) {
    draw_table(state);
    ImGui::EndPopup();
  }
  const char* note = note_of(context, state);
  flow(button_width("?"));
  help_mark([&] {
    ImGui::TextUnformatted(sentence_of(state).c_str());
    dim_text(note);
  });
  const bool fits = ImGui::CalcTextSize(note).x <= room_beside();
  if (fits) ImGui::SameLine();
  ImGui::AlignTextToFramePadding();
  if (fits || state.dirty) ImGui::TextWrapped("%s", note);
  if (short_panel(34)) return;
  ImGui::PushTextWrapPos(0);
  dim_text(sentence_of(state));
  ImGui::PopTextWrapPos();
}

}  // namespace

void draw_cost_panel(PanelContext& context, CostEditState& state) {
  if (!context.store.info()) {
    draw_empty("No session yet: the cost curve that decides the budgets appears here.");
    return;
  }
  adopt_session(state, *context.store.info());
  if (!is_drawable(state.edited)) {
    draw_empty("This session carries no cost curve.");
    return;
  }
  draw_shape_choice(state);
  draw_context_choice(state);
  draw_buttons(context, state);
  draw_plot(context, state, std::max(6 * em(), ImGui::GetContentRegionAvail().y));
}

}  // namespace draftscope
