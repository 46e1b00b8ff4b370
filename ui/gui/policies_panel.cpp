// The lab's table: the recorded text under every policy, side by side with another cost model where there is
// one.
#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "ui/gui/lab_panels.h"
#include "ui/gui/palette.h"
#include "ui/gui/panel_common.h"

namespace draftscope {
namespace {

constexpr std::array kBuckets = {4, 8, 16, 32, 64, 128};
constexpr float kBar_em = 7;  // the least room for a speed and its bar

struct Column {
  const char* title;
  const char* unit;  // below the title
  const char* meaning;
  std::string LabRow::*text;
};
constexpr Column kName = {"policy", "", "", &LabRow::name};
// From the most to the least important: the last ones go first where there is little room.
constexpr std::array kColumns = {
    Column{"x plain", "", "Speed over plain decoding under the same cost model.", &LabRow::of_plain},
    Column{"x fixed", "", "Speed over the best fixed tree of this text, whose budget is chosen in hindsight.",
           &LabRow::of_fixed},
    Column{"tokens", "per round", "Tokens per round, the bonus included.", &LabRow::tokens},
    Column{"nodes", "per round", "Nodes verified per round.", &LabRow::nodes},
    Column{"believed", "tokens/s",
           "Tokens per second that the policy expected round by round, and how far off that was.",
           &LabRow::believed},
};
constexpr std::array kSideColumns = {
    Column{"B: tokens/s", "", "Speed under cost model B.", &LabRow::other_speed},
    Column{"B to A", "", "Speed under B over speed under A.", &LabRow::ratio},
};

void text_at_right(const char* text) {
  const float room = ImGui::GetContentRegionAvail().x - ImGui::CalcTextSize(text).x;
  ImGui::SetCursorPosX(ImGui::GetCursorPosX() + std::max(0.0f, room));
  ImGui::TextUnformatted(text);
}

float column_width(const LabTable& table, const Column& column) {
  float width = std::max(ImGui::CalcTextSize(column.title).x, ImGui::CalcTextSize(column.unit).x);
  for (const LabRow& row : table.rows)
    width = std::max(width, ImGui::CalcTextSize((row.*column.text).c_str()).x);
  return width + 2 * ImGui::GetStyle().CellPadding.x + 1;
}

std::vector<Column> columns_that_fit(const LabTable& table) {
  std::vector<Column> wanted;
  if (table.two_sides) wanted.assign(kSideColumns.begin(), kSideColumns.end());
  wanted.insert(wanted.end(), kColumns.begin(), kColumns.end());
  float room = ImGui::GetContentRegionAvail().x - column_width(table, kName) - kBar_em * em();
  std::vector<Column> fit;
  for (const Column& column : wanted) {
    room -= column_width(table, column);
    if (room < 0) break;
    fit.push_back(column);
  }
  return fit;
}

void draw_controls(PanelContext& context, LabState& state, const std::vector<std::string>& words) {
  const FlatHeader flat;
  const int32_t most = std::max(1, context.store.info()->max_nodes);
  bool changed = labelled("fixed tree", 9 * em(), [&] {
    return ImGui::SliderInt("##Budget", &state.question.budget, 1, most, "%d nodes",
                            ImGuiSliderFlags_AlwaysClamp | ImGuiSliderFlags_Logarithmic);
  });
  ImGui::SetItemTooltip("Nodes of the fixed tree and of the spine-first tree.");
  flow(7 * em() + ImGui::CalcTextSize("bucket").x + em());
  changed |= labelled("bucket", 6.5f * em(), [&] {
    const int32_t before = state.question.bucket_rows;
    if (!ImGui::BeginCombo("##Bucket", fmt::format("{} rows", before).c_str())) return false;
    for (const int32_t rows : kBuckets) {
      if (ImGui::Selectable(fmt::format("{} rows", rows).c_str(), rows == before))
        state.question.bucket_rows = rows;
    }
    ImGui::EndCombo();
    return state.question.bucket_rows != before;
  });
  if (changed) state.ask();
  flow(button_width("?"));
  help_mark([&] {
    for (const std::string& sentence : words) ImGui::TextUnformatted(sentence.c_str());
    dim_text("The upright line in a bar is what the policy believed.");
  });
}

void row_tooltip(const LabRow& row, const LabTable& table) {
  if (!ImGui::BeginItemTooltip()) return;
  ImGui::TextUnformatted(row.name.c_str());
  draw_figure("tokens/s", row.speed, "derived");
  if (table.two_sides) draw_figure("under B", row.other_speed + " tokens/s, " + row.ratio, "derived");
  for (const Column& column : kColumns)
    draw_figure(fmt::format("{} {}", column.title, column.unit).c_str(), row.*column.text, "");
  dim_text("Click: its regret, and its line in the budget track.");
  ImGui::EndTooltip();
}

void draw_row(LabState& state, const LabTable& table, const LabRow& row, const std::vector<Column>& columns,
              float height) {
  ImGui::TableNextRow(0, height);
  ImGui::TableNextColumn();
  ImGui::PushID(static_cast<int>(row.method));
  const float lift =
      std::max(0.0f, 0.5f * (height - ImGui::GetTextLineHeight()) - ImGui::GetStyle().CellPadding.y);
  const auto lower = [&] { ImGui::SetCursorPosY(ImGui::GetCursorPosY() + lift); };
  const bool chosen = state.question.regret_of == row.method;
  const ImVec2 corner = ImGui::GetCursorScreenPos();
  const float inside = height - 2 * ImGui::GetStyle().CellPadding.y;
  ImGui::PushStyleVar(ImGuiStyleVar_SelectableTextAlign, {0, 0.5f});
  const bool pressed =
      ImGui::Selectable(row.name.c_str(), chosen,
                        ImGuiSelectableFlags_SpanAllColumns | ImGuiSelectableFlags_AllowOverlap, {0, inside});
  ImGui::PopStyleVar();
  if (pressed) {
    state.question.regret_of = row.method;
    state.ask();
  }
  row_tooltip(row, table);
  if (chosen) {  // underlined, for those who do not see the shade
    const float under = corner.y + 0.5f * (inside + ImGui::GetTextLineHeight());
    ImGui::GetWindowDrawList()->AddLine({corner.x, under},
                                        {corner.x + ImGui::CalcTextSize(row.name.c_str()).x, under},
                                        palette().text, std::max(1.0f, 0.1f * em()));
  }
  ImGui::TableNextColumn();
  lower();
  draw_speed_bar(row, height);
  for (const Column& column : columns) {
    ImGui::TableNextColumn();
    lower();
    text_at_right((row.*column.text).c_str());
  }
  ImGui::PopID();
}

/// Two lines: a title, or a title and its unit.
float header_height() { return 2 * ImGui::GetTextLineHeight() + 2 * ImGui::GetStyle().CellPadding.y; }

void draw_header(const char* title, const char* unit, bool right) {
  ImGui::TableNextColumn();
  const float top = ImGui::GetCursorPosY();
  const auto line = [&](int number, const char* words) {
    ImGui::SetCursorPosY(top + static_cast<float>(number) * ImGui::GetTextLineHeight());
    if (right)
      text_at_right(words);
    else
      ImGui::TextUnformatted(words);
  };
  ImGui::BeginGroup();
  if (*unit != 0) line(0, title);
  line(1, *unit != 0 ? unit : title);
  ImGui::EndGroup();
}

void draw_table(LabState& state, const LabTable& table, float room) {
  const std::vector<Column> columns = columns_that_fit(table);
  constexpr ImGuiTableFlags kFlags =
      ImGuiTableFlags_RowBg | ImGuiTableFlags_BordersInnerH | ImGuiTableFlags_ScrollY;
  const float least = ImGui::GetTextLineHeight() + 2 * ImGui::GetStyle().CellPadding.y;
  const auto n_rows = static_cast<float>(table.rows.size());
  const float height = std::clamp(std::floor((room - 2 - header_height()) / n_rows), least, 4.0f * em());
  if (!ImGui::BeginTable("policies", static_cast<int>(columns.size()) + 2, kFlags,
                         {0, std::min(room, header_height() + n_rows * height + 2)}))
    return;
  ImGui::TableSetupScrollFreeze(0, 1);
  const auto fixed = [&](const Column& column) {
    const float width = column_width(table, column) - 2 * ImGui::GetStyle().CellPadding.x;
    ImGui::TableSetupColumn(column.title, ImGuiTableColumnFlags_WidthFixed, width);
  };
  fixed(kName);
  ImGui::TableSetupColumn("speed", ImGuiTableColumnFlags_WidthStretch);
  for (const Column& column : columns) fixed(column);
  ImGui::TableNextRow(ImGuiTableRowFlags_Headers);
  draw_header(kName.title, kName.unit, false);
  draw_header(table.two_sides ? "A: tokens/s (derived)" : "tokens/s (derived)", "", false);
  for (const Column& column : columns) {
    draw_header(column.title, column.unit, true);
    ImGui::SetItemTooltip("%s", column.meaning);
  }
  for (const LabRow& row : table.rows) draw_row(state, table, row, columns, height);
  ImGui::EndTable();
}

float wrapped_height(const std::string& sentence) {
  const float wrap = ImGui::GetContentRegionAvail().x;
  return ImGui::CalcTextSize(sentence.c_str(), nullptr, false, wrap).y + ImGui::GetStyle().ItemSpacing.y;
}

}  // namespace

void draw_policies_panel(PanelContext& context, LabState& state) {
  const LabViews* views = lab_views(context, state);
  if (views == nullptr) return;
  const std::vector<std::string> words = lab_sentences(views->table);
  draw_controls(context, state, words);
  const float row = ImGui::GetTextLineHeight() + 2 * ImGui::GetStyle().CellPadding.y;
  const float least = row * static_cast<float>(views->table.rows.size()) + header_height() +
                      ImGui::GetStyle().ItemSpacing.y + 0.4f * em();
  float room = ImGui::GetContentRegionAvail().y;
  size_t shown = 0;
  while (shown < words.size() && room - wrapped_height(words[shown]) >= least)
    room -= wrapped_height(words[shown++]);
  draw_table(state, views->table, std::max(room - ImGui::GetStyle().ItemSpacing.y, 4 * em()));
  for (size_t i = 0; i < shown; ++i) ImGui::TextWrapped("%s", words[i].c_str());
}

}  // namespace draftscope
