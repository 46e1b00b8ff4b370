// Budgets along the text: one stair per policy, and below it how far each of its rounds got. Pointing selects
// a token.
#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "ui/gui/lab_panels.h"
#include "ui/gui/palette.h"
#include "ui/gui/panel_common.h"
#include "ui/view/token_label.h"

namespace draftscope {
namespace {

constexpr float kLane_em = 1.0f;

/// Where positions and budgets are on the screen. Budgets are spaced as log2(1 + n), so that small ones can
/// be told apart.
struct Field {
  ImVec2 min, max;          // of the stairs
  float lanes_y = 0;        // top of the first lane
  float lane = 0;           // height of a lane with its gap
  double first = 0, n = 1;  // positions in sight
  double top = 1;

  float x(double position) const {
    return min.x + (max.x - min.x) * static_cast<float>((position - first) / n);
  }
  float y(double budget) const {
    return max.y - (max.y - min.y) * static_cast<float>(budget_height(budget, top));
  }
};

/// The wheel zooms about the pointer; what is in sight, as parts of the text, is kept in the window.
void zoom(Field& field, double n_tokens, bool hovered) {
  ImGuiStorage* storage = ImGui::GetStateStorage();
  const ImGuiID part_id = ImGui::GetID("part"), from_id = ImGui::GetID("from");
  float part = storage->GetFloat(part_id, 1), from = storage->GetFloat(from_id, 0);
  if (const float wheel = hovered ? ImGui::GetIO().MouseWheel : 0; wheel != 0) {
    const float at = (ImGui::GetIO().MousePos.x - field.min.x) / (field.max.x - field.min.x);
    const float under = from + at * part;
    part = std::clamp(part * std::pow(1.2f, -wheel), 0.02f, 1.0f);
    from = std::clamp(under - at * part, 0.0f, 1 - part);
  }
  storage->SetFloat(part_id, part);
  storage->SetFloat(from_id, from);
  field.first = from * n_tokens;
  field.n = std::max(1.0, part * n_tokens);
}

void draw_axes(const Field& field, double n_tokens) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  for (const double budget : budget_ticks(field.top, ImGui::GetTextLineHeight() / (field.max.y - field.min.y))) {
    const float y = field.y(budget);
    list->AddLine({field.min.x, y}, {field.max.x, y}, with_alpha(palette().line, budget == 0 ? 1.0f : 0.5f));
    const std::string label = fmt::format("{:.0f}", budget);
    const ImVec2 size = ImGui::CalcTextSize(label.c_str());
    list->AddText({field.min.x - size.x - 0.4f * em(), y - 0.5f * size.y}, palette().text_dim, label.c_str());
  }
  const double step = std::pow(2, std::ceil(std::log2(std::max(1.0, field.n / 8))));
  const float right = field.max.x;
  for (double at = std::ceil(field.first / step) * step; at <= field.first + field.n && at <= n_tokens;
       at += step) {
    const std::string label = fmt::format("{:.0f}", at);
    const float width = ImGui::CalcTextSize(label.c_str()).x, x = std::min(field.x(at), right - width);
    list->AddText({x, field.max.y + 0.15f * em()}, palette().text_dim, label.c_str());
  }
}

void draw_stairs(const Field& field, const BudgetSteps& line, bool chosen) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  std::vector<ImVec2> points;
  for (size_t i = 0; i + 1 < line.position.size(); ++i) {
    points.push_back({field.x(line.position[i]), field.y(line.budget[i])});
    points.push_back({field.x(line.position[i + 1]), field.y(line.budget[i])});
  }
  const float thick = std::max(1.0f, (chosen ? 0.18f : 0.09f) * em());
  list->AddPolyline(points.data(), static_cast<int>(points.size()),
                    with_alpha(policy_colour(line.method), chosen ? 1.0f : 0.7f), thick);
}

/// The line's number where it is in sight, a place of its own for each line: equal budgets hide each other's
/// colour.
void draw_number(const Field& field, const BudgetSteps& line, size_t row, size_t n_rows) {
  const double share = (static_cast<double>(row) + 0.5) / static_cast<double>(n_rows);
  const int32_t at = round_at(line, static_cast<int32_t>(field.first + share * field.n));
  if (at < 0) return;
  ImDrawList* list = ImGui::GetWindowDrawList();
  const std::string number = fmt::format("{}", row + 1);
  const ImVec2 size = ImGui::CalcTextSize(number.c_str());
  const float x = field.x(field.first + share * field.n) - 0.5f * size.x;
  const float y =
      std::max(field.min.y - 0.4f * em(), field.y(line.budget[static_cast<size_t>(at)]) - 0.5f * size.y);
  list->AddRectFilled({x - 0.2f * em(), y}, {x + size.x + 0.2f * em(), y + size.y}, palette().panel,
                      0.2f * em());
  list->AddText({x, y}, policy_colour(line.method), number.c_str());
}

/// A round is a bar over the tokens that it accepted; the gap after it is the bonus.
void draw_lane(const Field& field, const BudgetSteps& line, size_t row, bool chosen, int32_t position) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float top = field.lanes_y + static_cast<float>(row) * field.lane, bottom = top + 0.8f * field.lane;
  const ImU32 colour = policy_colour(line.method);
  const int32_t shown = round_at(line, position);
  for (size_t i = 0; i + 1 < line.position.size(); ++i) {
    const double begin = line.position[i], accepted_end = begin + line.accepted[i];
    if (line.position[i + 1] < field.first || begin > field.first + field.n) continue;
    const float x0 = field.x(begin), x1 = field.x(accepted_end), end = field.x(line.position[i + 1]);
    list->AddRectFilled({x0, top}, {std::max(x1, x0), bottom}, with_alpha(colour, chosen ? 0.9f : 0.55f));
    list->AddLine({x0, top}, {x0, bottom}, palette().window);
    if (static_cast<int32_t>(i) == shown) list->AddRect({x0, top}, {end, bottom}, palette().selected);
  }
}

/// Names at the left of the lanes with the number and the colour of the line, the chosen one with an arrow.
std::string lane_name(const BudgetSteps& line, size_t row, bool chosen) {
  return fmt::format("{}{} {}", chosen ? "> " : "", row + 1, line.name);
}

void draw_names(const Field& field, const BudgetTrack& track, Method chosen, float left) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  for (size_t row = 0; row < track.lines.size(); ++row) {
    const BudgetSteps& line = track.lines[row];
    const std::string name = lane_name(line, row, line.method == chosen);
    const float y =
        field.lanes_y + (static_cast<float>(row) + 0.4f) * field.lane - 0.5f * ImGui::GetFontSize();
    const float x = field.min.x - ImGui::CalcTextSize(name.c_str()).x - 0.4f * em();
    list->AddText({std::max(left, x), y}, policy_colour(line.method), name.c_str());
  }
}

float names_width(const BudgetTrack& track) {
  float width = 0;
  for (size_t row = 0; row < track.lines.size(); ++row)
    width = std::max(width, ImGui::CalcTextSize(lane_name(track.lines[row], row, true).c_str()).x);
  return width + 0.6f * em();
}

/// "position 60: " and the token there; the end of a text has none that can be read.
std::string token_at(const PanelContext& context, int32_t position) {
  const auto i = static_cast<size_t>(std::max(0, position));
  if (i >= context.store.rounds().size()) return {};
  const std::string token = token_label(context.store.rounds()[i].committed_utf8);
  return fmt::format("position {}: {}", position, token.empty() ? "no text" : token);
}

void tooltip(const PanelContext& context, const BudgetTrack& track, int32_t position) {
  if (!ImGui::BeginTooltip()) return;
  ImGui::TextUnformatted(token_at(context, position).c_str());
  for (const BudgetSteps& line : track.lines) {
    ImGui::TextColored(ImGui::ColorConvertU32ToFloat4(policy_colour(line.method)), "%s",
                       budget_at(line, position).c_str());
  }
  ImGui::EndTooltip();
}

void draw_header(const PanelContext& context, LabState& state, const BudgetTrack& track, int32_t position) {
  const FlatHeader flat;
  checkbox("All policies", &state.all_policies);
  flow(button_width("?"));
  help_mark([&] {
    ImGui::TextUnformatted(
        "Above: nodes verified at each position of the text, one stair per policy, by its number.");
    ImGui::TextUnformatted("Below: rounds. A bar covers the accepted tokens, the gap after it is the bonus.");
    dim_text("Pointing selects the token in every panel; the wheel zooms.");
  });
  std::string words = "Nodes by text position (derived); " + token_at(context, position);
  for (const BudgetSteps& line : track.lines) {
    const int32_t at = line.method == state.question.regret_of ? round_at(line, position) : -1;
    if (at >= 0)
      words += fmt::format("; {} verifies {:.0f}", line.name, line.budget[static_cast<size_t>(at)]);
  }
  if (ImGui::CalcTextSize(words.c_str()).x > room_beside()) return;
  ImGui::SameLine();
  ImGui::AlignTextToFramePadding();
  ImGui::TextUnformatted(words.c_str());
}

void draw_field(PanelContext& context, LabState& state, const BudgetTrack& track, int32_t position) {
  ImVec2 room = ImGui::GetContentRegionAvail();
  const auto n_lanes = static_cast<float>(track.lines.size());
  room = {std::max(room.x, 14 * em()), std::max(room.y, (5 + n_lanes * kLane_em) * em())};
  const ImVec2 at = ImGui::GetCursorScreenPos();
  ImGui::InvisibleButton("track", room);
  ImGui::SetItemKeyOwner(ImGuiKey_MouseWheelY);
  const bool hovered = ImGui::IsItemHovered();
  Field field;
  field.lane = std::clamp(0.4f * room.y / std::max(1.0f, n_lanes), kLane_em * em(), 2.2f * em());
  field.min = {at.x + names_width(track), at.y + 0.5f * em()};
  field.max = {at.x + room.x - 0.4f * em(), at.y + room.y - n_lanes * field.lane - 1.6f * em()};
  field.lanes_y = field.max.y + 1.5f * em();
  field.top = 1.2 * track.top;
  zoom(field, track.n_tokens, hovered);
  draw_axes(field, track.n_tokens);
  draw_names(field, track, state.question.regret_of, at.x);
  ImDrawList* list = ImGui::GetWindowDrawList();
  ImGui::PushClipRect({field.min.x, at.y}, {field.max.x + 1, at.y + room.y}, true);
  const float x = field.x(position), width = std::max(1.0f, field.x(position + 1) - x);
  list->AddRectFilled({x, field.min.y}, {x + width, at.y + room.y}, with_alpha(palette().selected, 0.15f));
  for (size_t row = 0; row < track.lines.size(); ++row) {
    const bool chosen = track.lines[row].method == state.question.regret_of;
    draw_stairs(field, track.lines[row], chosen);
    draw_lane(field, track.lines[row], row, chosen, position);
  }
  for (size_t row = 0; row < track.lines.size(); ++row)
    draw_number(field, track.lines[row], row, track.lines.size());
  ImGui::PopClipRect();
  if (!hovered || ImGui::GetIO().MousePos.x < field.min.x || ImGui::GetIO().MousePos.x >= field.max.x) return;
  const double under =
      field.first + field.n * (ImGui::GetIO().MousePos.x - field.min.x) / (field.max.x - field.min.x);
  const auto pointed = std::clamp(static_cast<int32_t>(under), 0, track.n_tokens - 1);
  show_round(context, pointed);  // a dense recording has one round per token
  tooltip(context, track, pointed);
}

}  // namespace

void draw_budgets_panel(PanelContext& context, LabState& state) {
  const LabViews* views = lab_views(context, state);
  if (views == nullptr) return;
  const auto position = static_cast<int32_t>(shown_round(context));
  draw_header(context, state, views->track, position);
  draw_field(context, state, views->track, position);
}

}  // namespace draftscope
