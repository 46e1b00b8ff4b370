// The drafter's marginals: depth by rank, shade by q, border by what became of the entry.
#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <cmath>

#include "ui/gui/palette.h"
#include "ui/gui/panel_common.h"
#include "ui/gui/tree_draw.h"
#include "ui/view/probability.h"
#include "ui/view/token_label.h"

namespace draftscope {
namespace {

constexpr float kTextWidth = 5.2f;  // ems of a cell that shows its token
constexpr float kHeadWidth = 3.4f;  // ems of the depth column
constexpr float kRestWidth = 4.4f;  // of the column with the rest of the mass, "100.0 %"
constexpr float kRowHeight = 2.5f, kLeastRowHeight = 1.3f;
constexpr float kTwoLines = 2.3f;  // from this row height on q has a line of its own

struct GridShape {
  int32_t n_ranks = 0;                // shown
  float cell = 0, row = 0, head = 0;  // pixels
};

GridShape shape_of(const MarginalsGrid& grid, bool all_ranks) {
  const ImVec2 avail = ImGui::GetContentRegionAvail();
  const float room = avail.x - (kHeadWidth + kRestWidth) * em();
  const float row = avail.y / static_cast<float>(grid.n_depths + 1);
  GridShape shape = {.row = std::clamp(row, kLeastRowHeight * em(), kRowHeight * em()),
                     .head = kHeadWidth * em()};
  const auto fitting = static_cast<int32_t>(room / (kTextWidth * em()));
  shape.n_ranks = all_ranks ? grid.n_ranks : std::clamp(fitting, 1, grid.n_ranks);
  const float narrowest = (all_ranks ? 0.7f : 0.8f * kTextWidth) * em();
  shape.cell = std::clamp(room / static_cast<float>(shape.n_ranks), narrowest, 9 * em());
  return shape;
}

bool two_lines(ImVec2 a, ImVec2 b) { return b.y - a.y >= kTwoLines * em() - 1; }

/// q below the token or, in a lower cell, right of it where both fit.
void draw_q(ImDrawList* list, const MarginalCell& cell, ImVec2 a, ImVec2 b, float text_x) {
  const std::string q = cell_words(cell);
  const bool below = two_lines(a, b);
  const float x = below ? text_x : b.x - ImGui::CalcTextSize(q.c_str()).x - 0.3f * em();
  if (!below && x < text_x + ImGui::CalcTextSize(cell.label.c_str()).x + 0.4f * em()) return;
  list->AddText({x, below ? b.y - 1.15f * em() : 0.5f * (a.y + b.y) - 0.5f * em()}, palette().text,
                q.c_str());
}

void draw_dashed(ImDrawList* list, ImVec2 a, ImVec2 b, ImU32 colour) {
  const float dash = 0.35f * em();
  for (float x = a.x; x < b.x; x += 2 * dash) {
    const float end = std::min(x + dash, b.x);
    list->AddLine({x, a.y}, {end, a.y}, colour);
    list->AddLine({x, b.y}, {end, b.y}, colour);
  }
  for (float y = a.y; y < b.y; y += 2 * dash) {
    const float end = std::min(y + dash, b.y);
    list->AddLine({a.x, y}, {a.x, end}, colour);
    list->AddLine({b.x, y}, {b.x, end}, colour);
  }
}

void draw_cell(ImDrawList* list, const MarginalCell& cell, ImVec2 a, ImVec2 b, bool pointed) {
  list->AddRectFilled(a, b, heat_of(palette(), cell.q));
  const float inset = std::max(1.0f, 0.08f * em());
  const ImVec2 a1 = {a.x + inset, a.y + inset}, b1 = {b.x - inset, b.y - inset};
  switch (cell.state) {
    case CellState::kUnused:
      break;
    case CellState::kCandidate:
      draw_dashed(list, a1, b1, palette().text_dim);
      break;
    case CellState::kVerified:
      list->AddRect(a1, b1, palette().rejected, 0, std::max(1.0f, 0.07f * em()));
      break;
    case CellState::kAccepted:
      list->AddRect(a1, b1, palette().accepted, 0, std::max(2.0f, 0.18f * em()));
      break;
  }
  if (pointed) list->AddRect(a, b, palette().selected, 0, std::max(2.0f, 0.12f * em()));
  const bool accepted = cell.state == CellState::kAccepted;
  const bool marked = accepted || cell.state == CellState::kVerified;
  const float width = b.x - a.x;
  if (width < 2.4f * em()) return;
  const float text_x = a.x + (marked ? 1.3f : 0.4f) * em();
  const float middle = 0.5f * (a.y + b.y) - (two_lines(a, b) ? 0.5f : 0) * em();
  if (marked)
    draw_role_mark(list, accepted ? NodeRole::kAccepted : NodeRole::kRejected, {a.x + 0.75f * em(), middle},
                   0.36f * em(), 1.0f);
  draw_q(list, cell, a, b, text_x);
  const std::string label = elide(cell.label, b.x - 0.2f * em() - text_x, [](std::string_view text) {
    return ImGui::CalcTextSize(text.data(), text.data() + text.size()).x;
  });
  list->AddText({text_x, middle - 0.5f * em()}, palette().text, label.c_str());
}

/// True for the entry that the selected or pointed node was made from.
bool is_entry_of(const RoundRecord& record, std::optional<int32_t> node, int32_t row, int32_t rank) {
  return node && *node > 0 && *node < record.tree.size() && record.tree.depth[*node] == row + 1 &&
         record.tree.rank[*node] == rank;
}

void cell_tooltip(const MarginalCell& cell, int32_t row, int32_t rank) {
  if (!ImGui::BeginTooltip()) return;
  ImGui::TextUnformatted(
      fmt::format("{} (id {}), depth {}, rank {}", cell.label, cell.token, row + 1, rank).c_str());
  draw_figure("q", q_words(cell.q, 4), "measured");
  draw_figure("state", name(cell.state), "");
  if (cell.n_nodes > 0)
    draw_figure("tree nodes", fmt::format("{}, {} verified", cell.n_nodes, cell.n_verified), "");
  ImGui::EndTooltip();
}

void draw_row(const MarginalsGrid& grid, const GridShape& shape, int32_t row, ImVec2 at) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float text_y = at.y + 0.5f * (shape.row - em());
  list->AddText({at.x, text_y}, palette().text_dim, fmt::format("d {}", row + 1).c_str());
  const float x = at.x + shape.head + static_cast<float>(shape.n_ranks) * shape.cell + 0.4f * em();
  list->AddText({x, text_y}, palette().text_dim, percent_words(rest_beyond(grid, row, shape.n_ranks)).c_str());
}

void draw_head(const GridShape& shape, ImVec2 at) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddText(at, palette().text_dim, "depth");
  const int32_t step = std::max(1, static_cast<int32_t>(std::ceil(1.6f * em() / shape.cell)));
  for (int32_t rank = 0; rank < shape.n_ranks; rank += step) {
    const float x = at.x + shape.head + static_cast<float>(rank) * shape.cell + 0.4f * em();
    const bool words = shape.cell > 4 * em();
    list->AddText({x, at.y}, palette().text_dim, fmt::format("{}{}", words ? "rank " : "", rank).c_str());
  }
  list->AddText({at.x + shape.head + static_cast<float>(shape.n_ranks) * shape.cell + 0.4f * em(), at.y},
                palette().text_dim, "rest");
}

void draw_grid(PanelContext& context, const MarginalsGrid& grid, const GridShape& shape) {
  const RoundRecord& record = *context.shown();
  Selection& selection = context.selection;
  const ImVec2 origin = ImGui::GetCursorScreenPos();
  const ImVec2 size = {shape.head + kRestWidth * em() + static_cast<float>(shape.n_ranks) * shape.cell,
                       (static_cast<float>(grid.n_depths) + 1) * shape.row};
  ImGui::InvisibleButton("cells", size);
  // Without a pointer ImGui's mouse is at -FLT_MAX, which no integer holds.
  const bool hovered = ImGui::IsItemHovered();
  const ImVec2 mouse = hovered ? ImGui::GetIO().MousePos : origin;
  const auto rank_under = static_cast<int32_t>(std::floor((mouse.x - origin.x - shape.head) / shape.cell));
  const auto row_under = static_cast<int32_t>(std::floor((mouse.y - origin.y) / shape.row)) - 1;
  const bool over =
      hovered && rank_under >= 0 && rank_under < shape.n_ranks && row_under >= 0 && row_under < grid.n_depths;
  ImDrawList* list = ImGui::GetWindowDrawList();
  draw_head(shape, origin);
  for (int32_t row = 0; row < grid.n_depths; ++row) {
    const float y = origin.y + static_cast<float>(row + 1) * shape.row;
    if (!ImGui::IsRectVisible({origin.x, y}, {origin.x + size.x, y + shape.row})) continue;
    draw_row(grid, shape, row, {origin.x, y});
    for (int32_t rank = 0; rank < shape.n_ranks; ++rank) {
      const float x = origin.x + shape.head + static_cast<float>(rank) * shape.cell;
      const bool pointed = is_entry_of(record, selection.hover_node, row, rank) ||
                           is_entry_of(record, selection.node, row, rank);
      draw_cell(list, grid.at(row, rank), {x, y}, {x + shape.cell - 1, y + shape.row - 1}, pointed);
    }
  }
  const MarginalCell* under = over ? &grid.at(row_under, rank_under) : nullptr;
  const auto node = under && under->node >= 0 ? std::optional<int32_t>(under->node) : std::nullopt;
  publish_hover(selection.hover_node, over, node);
  if (over && ImGui::IsMouseClicked(ImGuiMouseButton_Left)) selection.node = node;
  if (under) cell_tooltip(*under, row_under, rank_under);
}

void draw_header(bool& all_ranks) {
  const FlatHeader flat;
  checkbox("All ranks", &all_ranks);
  const char* key =
      "shade and, where it fits, number: q (measured); check: accepted; cross: verified and rejected; dashed: candidate";
  if (ImGui::CalcTextSize(key).x <= room_beside()) {
    ImGui::SameLine();
    ImGui::AlignTextToFramePadding();
    dim_text(key);
  } else {
    flow(button_width("?"));
    help_mark([&] { ImGui::TextUnformatted(key); });
    const char* shade = "shade, number: q (measured)";
    if (ImGui::CalcTextSize(shade).x <= room_beside()) {
      ImGui::SameLine();
      ImGui::AlignTextToFramePadding();
      dim_text(shade);
    }
  }
}

}  // namespace

void draw_marginals_panel(PanelContext& context) {
  if (!context.shown()) {
    draw_empty("No rounds yet: what the drafter believes at each depth appears here.");
    return;
  }
  const MarginalsGrid& grid = round_views(context).marginals;
  if (!grid.empty_reason.empty()) {
    draw_empty(grid.empty_reason);
    return;
  }
  bool* all_ranks = ImGui::GetStateStorage()->GetBoolRef(ImGui::GetID("all_ranks"), false);
  draw_header(*all_ranks);
  if (ImGui::BeginChild("grid", {0, 0}, ImGuiChildFlags_None, ImGuiWindowFlags_HorizontalScrollbar)) {
    draw_grid(context, grid, shape_of(grid, *all_ranks));
  }
  ImGui::EndChild();
}

}  // namespace draftscope
