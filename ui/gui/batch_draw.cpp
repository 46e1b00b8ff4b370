#include "ui/gui/batch_draw.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ui/gui/palette.h"
#include "ui/gui/panel_common.h"
#include "ui/view/timeline.h"

namespace draftscope {

float PassField::y(double part) const {
  return max.y - (max.y - min.y) * static_cast<float>(std::clamp(part, 0.0, 1.0));
}

int32_t PassField::stride() const { return std::max(1, static_cast<int32_t>(std::ceil(1 / std::max(bar, 1e-6f)))); }

void draw_field_label(const PassField& field, const char* title, const std::string& top) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddLine({field.min.x, field.max.y}, {field.max.x, field.max.y}, palette().line);
  const bool two_lines = field.max.y - field.min.y > 2.1f * em();
  const ImVec2 at = {field.min.x - kBatchLabels_em * em(), field.min.y - 0.2f * em()};
  list->AddText(at, palette().text, title);
  const float right = at.x + ImGui::CalcTextSize(title).x + 0.4f * em();
  list->AddText(two_lines ? ImVec2(at.x, at.y + 1.1f * em()) : ImVec2(right, at.y), palette().text_dim, top.c_str());
}

void draw_pass_bars(const PassField& field, const std::vector<double>& values, double top, ImU32 colour) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float gap = field.bar > 4 ? 1.0f : 0.0f;
  const auto n = static_cast<int32_t>(values.size());
  for (int32_t i = 0; i < n; i += field.stride()) {
    const int32_t end = std::min(n, i + field.stride());
    const double value = *std::max_element(values.begin() + i, values.begin() + end);
    list->AddRectFilled({field.x(i), field.y(value / top)}, {field.x(end) - gap, field.max.y}, colour);
  }
}

void draw_request_lane(const PassField& field, const BatchTrack& track, const BatchLane& lane, bool chosen) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float height = (field.max.y - field.min.y) / static_cast<float>(track.n_rows);
  const float top = field.min.y + height * static_cast<float>(lane.row), bottom = top + 0.9f * height;
  const ImU32 colour = chosen ? palette().accepted : palette().candidate;
  const ImVec2 a = {field.x(lane.pass.front()), top}, b = {field.x(lane.pass.back() + 1) - 1, bottom};
  list->AddRectFilled(a, b, with_alpha(colour, 0.22f));
  const auto n = static_cast<int32_t>(lane.pass.size());
  for (int32_t i = 0; i < n; i += field.stride()) {
    const int32_t end = std::min(n, i + field.stride());
    const int32_t nodes = *std::max_element(lane.nodes.begin() + i, lane.nodes.begin() + end);
    const float part = std::log2(1 + static_cast<float>(nodes)) / std::log2(1 + static_cast<float>(track.most_nodes));
    const float right = field.x(lane.pass[static_cast<size_t>(end) - 1] + 1);
    list->AddRectFilled({field.x(lane.pass[static_cast<size_t>(i)]), bottom - part * (bottom - top)}, {right, bottom}, colour);
  }
  if (chosen) list->AddRect(a, b, palette().selected);
  const std::string number = fmt::format("{}", lane.request + 1);
  const ImVec2 size = ImGui::CalcTextSize(number.c_str());
  if (size.y > height || size.x + 0.4f * em() > b.x - a.x) return;
  const ImVec2 at = {a.x + 0.2f * em(), 0.5f * (a.y + b.y - size.y)};
  list->AddRectFilled({at.x - 0.1f * em(), at.y}, {at.x + size.x + 0.1f * em(), at.y + size.y}, palette().panel, 0.2f * em());
  list->AddText(at, palette().text, number.c_str());
}

void draw_pass_numbers(const PassField& field, const BatchTrack& track) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddText({field.min.x - kBatchLabels_em * em(), field.max.y}, palette().text_dim, "pass");
  const float label = ImGui::CalcTextSize(fmt::format("{}", track.number.back()).c_str()).x + 1.2f * em();
  for (const int64_t i : round_ticks(0, track.n_passes(), static_cast<int64_t>((field.max.x - field.min.x) / label))) {
    const std::string number = fmt::format("{}", track.number[static_cast<size_t>(i)]);
    list->AddText({field.x(static_cast<int32_t>(i)), field.max.y}, palette().text_dim, number.c_str());
  }
}

void draw_budgets_by_size(const BatchTrack& track, ImVec2 min, ImVec2 max) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddText(min, palette().text, "nodes each, by requests in flight");
  double top = 1;
  for (const BudgetAtSize& size : track.by_size) top = std::max(top, size.nodes);
  const float step = (max.x - min.x) / static_cast<float>(track.by_size.size());
  const PassField field = {{min.x, min.y + 2.4f * em()}, {max.x, max.y - 1.2f * em()}, step};
  list->AddLine({min.x, field.max.y}, {max.x, field.max.y}, palette().line);
  for (size_t i = 0; i < track.by_size.size(); ++i) {
    const BudgetAtSize& size = track.by_size[i];
    const float x0 = field.x(static_cast<int32_t>(i)), x1 = x0 + std::min(0.85f * step, 4 * em()), y = field.y(size.nodes / top);
    list->AddRectFilled({x0, y}, {x1, field.max.y}, palette().chosen);
    const std::string value = fmt::format("{:.{}f}", size.nodes, size.nodes < 10 ? 1 : 0);
    const std::string number = fmt::format("{}", size.n_requests);
    if (ImGui::CalcTextSize(value.c_str()).x < step) list->AddText({x0, y - 1.1f * em()}, palette().text, value.c_str());
    if (ImGui::CalcTextSize(number.c_str()).x < step) list->AddText({x0, field.max.y + 0.1f * em()}, palette().text_dim, number.c_str());
  }
  if (!ImGui::IsMouseHoveringRect(min, max) || !ImGui::IsWindowHovered() || !ImGui::BeginTooltip()) return;
  for (const BudgetAtSize& size : track.by_size) {
    ImGui::Text("%d in flight: %.1f nodes and %.2f tokens each, %.0f tokens/s in all (measured), %d passes", size.n_requests,
                size.nodes, size.tokens, size.tokens_per_s, size.n_passes);
  }
  ImGui::EndTooltip();
}

}  // namespace draftscope
