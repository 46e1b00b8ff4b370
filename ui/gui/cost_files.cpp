// Curves from files and to files, and the curve as numbers.
#include <fmt/format.h>
#include <imgui.h>
#include <misc/cpp/imgui_stdlib.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "ui/gui/cost_parts.h"
#include "ui/gui/panel_common.h"
#include "ui/view/cost_shape.h"

namespace draftscope {
namespace {

constexpr double kFewerTolerance = 0.01;  // of a pass

/// Asks for a path once `dialog.open` was set; true in the frame in which the person gave one.
bool ask_path(const char* title, const char* words, const char* button, PathDialog& dialog) {
  if (std::exchange(dialog.open, false)) ImGui::OpenPopup(title);
  ImGui::SetNextWindowPos(ImGui::GetMainViewport()->GetCenter(), ImGuiCond_Appearing, ImVec2(0.5f, 0.5f));
  if (!ImGui::BeginPopupModal(title, nullptr, ImGuiWindowFlags_AlwaysAutoResize)) return false;
  ImGui::TextUnformatted(words);
  ImGui::SetNextItemWidth(std::min(36 * em(), 0.8f * ImGui::GetMainViewport()->WorkSize.x));
  if (ImGui::IsWindowAppearing()) ImGui::SetKeyboardFocusHere();
  const bool entered = ImGui::InputText("##path", &dialog.path, ImGuiInputTextFlags_EnterReturnsTrue);
  ImGui::BeginDisabled(dialog.path.empty());
  const bool pressed = ImGui::Button(button);
  ImGui::EndDisabled();
  ImGui::SameLine();
  const bool cancelled = ImGui::Button("Cancel") || ImGui::IsKeyPressed(ImGuiKey_Escape);
  if (entered || pressed || cancelled) {
    ImGui::CloseCurrentPopup();
    ImGui::SetNavCursorVisible(false);  // the keys go back to the rounds
  }
  ImGui::EndPopup();
  return (entered || pressed) && !dialog.path.empty();
}

void export_cost(PanelContext& context, CostEditState& state, const std::string& path) {
  const Status saved = context.cost_tools.save_cost(path, state.edited());
  if (!saved) return show_problem(context, state, saved.error());
  state.problem.clear();
  if (context.notice) context.notice("saved " + path);
}

void draw_table(PanelContext& context, CostEditState& state) {
  const ImGuiTableFlags flags = ImGuiTableFlags_RowBg | ImGuiTableFlags_BordersInnerV |
                                ImGuiTableFlags_SizingStretchSame | ImGuiTableFlags_ScrollY;
  const float rows = std::min(12.0f, static_cast<float>(state.edited().rows.size()) + 1.5f);
  if (!ImGui::BeginTable("points", 3, flags, {20 * em(), rows * ImGui::GetFrameHeightWithSpacing()})) return;
  ImGui::TableSetupScrollFreeze(0, 1);
  ImGui::TableSetupColumn("rows");
  ImGui::TableSetupColumn("ms");
  ImGui::TableSetupColumn("ms per row");
  ImGui::TableHeadersRow();
  const size_t n = state.edited().rows.size();
  for (size_t i = 0; i < n; ++i) {
    ImGui::PushID(static_cast<int>(i));
    const double ms = 1e3 * state.edited().verify_s[static_cast<size_t>(state.context_row) * n + i];
    ImGui::TableNextColumn();
    ImGui::Text("%d", state.edited().rows[i]);
    ImGui::TableNextColumn();
    double value = ms;
    ImGui::SetNextItemWidth(-1);
    if (ImGui::InputDouble("##ms", &value, 0, 0, "%.4f") && value != ms) {
      const auto row = static_cast<int32_t>(i);
      const bool could = change_curve(state, "typed a cost", [&](CostEdit& edit) {
        return move_point(edit.cost, state.context_row, row, 1e-3 * value);
      });
      if (!could)
        show_problem(context, state,
                     fmt::format("A pass of {} rows: expected a positive number of ms, found {}.",
                                 state.edited().rows[i], value));
    }
    ImGui::TableNextColumn();
    ImGui::Text("%.4f", ms / state.edited().rows[i]);
    ImGui::PopID();
  }
  ImGui::EndTable();
}

void draw_points(PanelContext& context, CostEditState& state) {
  if (ImGui::Button("Points")) ImGui::OpenPopup("points");
  ImGui::SetItemTooltip("The curve as numbers, to read and to edit.");
  if (ImGui::BeginPopup("points")) {
    draw_table(context, state);
    ImGui::EndPopup();
  }
  flow(button_width("Fewer points"));
  if (ImGui::Button("Fewer points")) {
    CostModel fewer = fewer_points(state.edited(), kFewerTolerance);
    if (!same_cost(fewer, state.edited())) replace_curve(state, std::move(fewer), "kept fewer points");
  }
  ImGui::SetItemTooltip(
      "The same curve within 1 %% on as few points as that takes, to bend it piece by piece.");
}

}  // namespace

void import_cost(PanelContext& context, CostEditState& state, const std::string& path) {
  if (!context.cost_tools.load_costs)
    return show_problem(context, state,
                        fmt::format("{}: expected a program that reads cost files, found none here.", path));
  Result<std::vector<CostModel>> models = context.cost_tools.load_costs(path);
  if (!models) return show_problem(context, state, models.error());
  const std::string group = "imported from " + std::filesystem::path(path).filename().string();
  std::erase_if(state.imported, [&](const CostPreset& preset) { return preset.group == group; });
  for (const CostModel& model : *models)
    state.imported.push_back(
        {group, model.label.empty() ? name(model.kind) : model.label, model, Provenance::kImported});
  const CostModel first = models->front();
  replace_curve(state, first, "imported a curve");
  if (context.notice) context.notice("imported " + path);
}

void draw_cost_files(PanelContext& context, CostEditState& state) {
  ImGui::BeginDisabled(!context.cost_tools.load_costs);
  if (ImGui::Button("Import...")) state.import_file.open = true;
  ImGui::EndDisabled();
  ImGui::SetItemTooltip("Curves of a JSON file. Dropping the file on the window does the same.");
  flow(button_width("Export..."));
  ImGui::BeginDisabled(!context.cost_tools.save_cost);
  if (ImGui::Button("Export...")) state.export_file.open = true;
  ImGui::EndDisabled();
  ImGui::SetItemTooltip("Writes the present curve as a JSON file that --cost reads too.");
  flow(button_width("Points"));
  draw_points(context, state);
  if (ask_path("Import cost curve", "Path of a JSON file with cost curves.", "Import", state.import_file))
    import_cost(context, state, state.import_file.path);
  if (ask_path("Export cost curve", "Path of the JSON file to write.", "Export", state.export_file))
    export_cost(context, state, state.export_file.path);
}

}  // namespace draftscope
