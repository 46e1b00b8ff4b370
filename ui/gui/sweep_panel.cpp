// The sweep: a heat map of fixed trees by budget and context at one launch floor, the best budget of each
// context marked.
#include <fmt/format.h>
#include <imgui.h>
#include <implot.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "ui/gui/lab_panels.h"
#include "ui/gui/palette.h"
#include "ui/gui/panel_common.h"

namespace draftscope {
namespace {

/// Dark blue to yellow, even in lightness, so that it reads without colour too.
ImU32 heat(double shade) {
  return ImGui::ColorConvertFloat4ToU32(
      ImPlot::SampleColormap(static_cast<float>(shade), ImPlotColormap_Viridis));
}

struct Grid {
  ImVec2 min, cell;  // pixels
  size_t n_contexts = 0, n_budgets = 0;

  ImVec2 corner(size_t at_context, size_t at_budget) const {
    return {min.x + static_cast<float>(at_budget) * cell.x, min.y + static_cast<float>(at_context) * cell.y};
  }
  ImVec2 centre(size_t at_context, size_t at_budget) const {
    const ImVec2 at = corner(at_context, at_budget);
    return {at.x + 0.5f * cell.x, at.y + 0.5f * cell.y};
  }
};

void draw_choice(LabState& state) {
  const FlatHeader flat;
  const std::vector<std::string> floors = floor_labels(state.report->sweep);
  if (floors.empty()) return;
  state.floor = std::clamp(state.floor, 0, static_cast<int32_t>(floors.size()) - 1);
  labelled("launch floor", 9 * em(), [&] {
    const std::string shown = floors[static_cast<size_t>(state.floor)];
    return ImGui::SliderInt("##Floor", &state.floor, 0, static_cast<int>(floors.size()) - 1, shown.c_str(),
                            ImGuiSliderFlags_AlwaysClamp | ImGuiSliderFlags_NoInput);
  });
  ImGui::SetItemTooltip(
      "Host time added to every verify pass: what an engine without graphs pays, however few rows there "
      "are.");
  flow(button_width("?"));
  help_mark([] {
    ImGui::TextUnformatted(
        "Tokens per second of a fixed tree over this text, if every round were at that context.");
    ImGui::TextUnformatted(
        "The diamonds are the best budget of each context. Hatched cells are not computed yet.");
  });
}

void draw_cell(const SweepMap& map, const Grid& grid, size_t c, size_t b) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImVec2 min = grid.corner(c, b), max = {min.x + grid.cell.x - 1, min.y + grid.cell.y - 1};
  const double value = map.at(c, b);
  if (std::isnan(value)) {
    list->AddRectFilled(min, max, palette().panel);
    hatch_rect(list, min, max, Hatch::kDiagonal, palette().candidate);
    return;
  }
  list->AddRectFilled(min, max, heat(map.shade(value)));
}

/// Every cell has room for its number.
bool values_fit(const SweepMap& map, const Grid& grid) {
  const float widest =
      std::max(ImGui::CalcTextSize(speed_text(map.high).c_str()).x, ImGui::CalcTextSize("99.9").x);
  return widest + 0.4f * em() <= grid.cell.x && 2.6f * ImGui::GetTextLineHeight() <= grid.cell.y;
}

/// The number of a cell, over the line of best budgets.
void draw_value(const SweepMap& map, const Grid& grid, size_t c, size_t b) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const double value = map.at(c, b), shade = map.shade(value);
  if (std::isnan(value)) return;
  const std::string words = speed_text(value);
  const ImVec2 size = ImGui::CalcTextSize(words.c_str());
  const ImVec2 corner = grid.corner(c, b);
  const ImVec2 at = {corner.x + 0.5f * (grid.cell.x - size.x),
                     corner.y + grid.cell.y - size.y - 0.35f * em()};
  const ImU32 ink = ink_on(heat(shade));
  list->AddRectFilled({at.x - 0.15f * em(), at.y}, {at.x + size.x + 0.15f * em(), at.y + size.y},
                      heat(shade));
  list->AddText(at, ink, words.c_str());
}

void draw_best(const SweepMap& map, const Grid& grid) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float thick = std::max(1.5f, 0.14f * em()),
              r = std::min({0.42f * em(), 0.35f * grid.cell.x, 0.35f * grid.cell.y});
  std::vector<ImVec2> points;
  for (size_t c = 0; c < map.best.size(); ++c) {
    if (map.best[c] < 0) continue;
    points.push_back(grid.centre(c, static_cast<size_t>(map.best[c])));
  }
  for (const auto& [colour, width] :
       {std::pair{IM_COL32(0, 0, 0, 255), 2 * thick}, {IM_COL32(255, 255, 255, 255), thick}})
    list->AddPolyline(points.data(), static_cast<int>(points.size()), colour, width);
  for (const ImVec2 p : points) {
    list->AddQuadFilled({p.x, p.y - r}, {p.x + r, p.y}, {p.x, p.y + r}, {p.x - r, p.y},
                        IM_COL32(255, 255, 255, 255));
    list->AddQuad({p.x, p.y - r}, {p.x + r, p.y}, {p.x, p.y + r}, {p.x - r, p.y}, IM_COL32(0, 0, 0, 255),
                  thick);
  }
}

/// Labels of both axes; every second one or so where they would touch.
void draw_axes(const SweepMap& map, const Grid& grid) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  float widest = 0;
  for (const std::string& label : map.budget) widest = std::max(widest, ImGui::CalcTextSize(label.c_str()).x);
  const auto stride = static_cast<size_t>(std::max(1.0f, std::ceil((widest + 0.5f * em()) / grid.cell.x)));
  const float bottom = grid.corner(grid.n_contexts, 0).y;
  for (size_t b = 0; b < map.budget.size(); b += stride) {
    const float width = ImGui::CalcTextSize(map.budget[b].c_str()).x;
    list->AddText({grid.centre(0, b).x - 0.5f * width, bottom + 0.15f * em()}, palette().text_dim,
                  map.budget[b].c_str());
  }
  const auto context_stride = static_cast<size_t>(std::max(1.0f, std::ceil(ImGui::GetTextLineHeight() / grid.cell.y)));
  for (size_t c = 0; c < map.context.size(); c += context_stride) {
    const ImVec2 size = ImGui::CalcTextSize(map.context[c].c_str());
    list->AddText({grid.min.x - size.x - 0.5f * em(), grid.centre(c, 0).y - 0.5f * size.y},
                  palette().text_dim, map.context[c].c_str());
  }
  const char* title = "nodes of the fixed tree (columns) by context (rows)";
  const ImVec2 at = {grid.min.x, bottom + 1.3f * em()};
  list->AddText(at, palette().text_dim, title);
}

void draw_colour_bar(const SweepMap& map, ImVec2 min, ImVec2 max) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  constexpr int kSteps = 48;
  const float step = (max.y - min.y) / kSteps;
  for (int i = 0; i < kSteps; ++i) {
    const float y = max.y - static_cast<float>(i + 1) * step;
    list->AddRectFilled({min.x, y}, {max.x, y + step + 1}, heat((i + 0.5) / kSteps));
  }
  const std::string high = speed_text(map.high), low = speed_text(map.low);
  list->AddText({max.x + 0.4f * em(), min.y}, palette().text_dim, high.c_str());
  list->AddText({max.x + 0.4f * em(), max.y - em()}, palette().text_dim, low.c_str());
  list->AddText({max.x + 0.4f * em(), min.y + 1.2f * em()}, palette().text_dim, "tok/s");
}

void draw_map(const SweepMap& map) {
  ImVec2 room = ImGui::GetContentRegionAvail();
  room = {std::max(room.x, 14 * em()), std::max(room.y, 6 * em())};
  const ImVec2 at = ImGui::GetCursorScreenPos();
  ImGui::InvisibleButton("map", room);
  float left = 0;
  for (const std::string& label : map.context) left = std::max(left, ImGui::CalcTextSize(label.c_str()).x);
  Grid grid;
  grid.n_contexts = map.context.size();
  grid.n_budgets = map.budget.size();
  grid.min = {at.x + left + 0.8f * em(), at.y + 0.2f * em()};
  const float right = at.x + room.x - 5.2f * em(), bottom = at.y + room.y - 2.7f * em();
  grid.cell = {(right - grid.min.x) / static_cast<float>(grid.n_budgets),
               (bottom - grid.min.y) / static_cast<float>(grid.n_contexts)};
  for (size_t c = 0; c < grid.n_contexts; ++c) {
    for (size_t b = 0; b < grid.n_budgets; ++b) draw_cell(map, grid, c, b);
  }
  draw_best(map, grid);
  for (size_t c = 0; values_fit(map, grid) && c < grid.n_contexts; ++c) {
    for (size_t b = 0; b < grid.n_budgets; ++b) draw_value(map, grid, c, b);
  }
  draw_axes(map, grid);
  draw_colour_bar(map, {right + 0.8f * em(), grid.min.y}, {right + 1.7f * em(), bottom});
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  if (!ImGui::IsItemHovered() || mouse.x < grid.min.x || mouse.y < grid.min.y || mouse.x >= right ||
      mouse.y >= bottom)
    return;
  const auto b = static_cast<size_t>((mouse.x - grid.min.x) / grid.cell.x),
             c = static_cast<size_t>((mouse.y - grid.min.y) / grid.cell.y);
  ImGui::SetTooltip("%s (derived)", cell_line(map, c, b).c_str());
}

}  // namespace

void draw_sweep_panel(PanelContext& context, LabState& state) {
  const LabViews* views = lab_views(context, state);
  if (views == nullptr) return;
  draw_choice(state);
  const SweepMap& map = views->sweep;
  if (!map.empty_reason.empty()) {
    draw_empty(map.empty_reason);
    return;
  }
  const std::string& words = map.progress.empty() ? map.headline : map.progress;
  if (!short_panel(14)) ImGui::TextWrapped("%s", words.c_str());
  draw_map(map);
}

}  // namespace draftscope
