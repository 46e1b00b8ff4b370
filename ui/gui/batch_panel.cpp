// A batch: requests in flight, what each was given, pass by pass; and the budget of a request by how many share it.
// Click a request to see its tree and text.
#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <cmath>

#include "ui/gui/palette.h"
#include "ui/gui/panel_common.h"

namespace draftscope {
namespace {

constexpr float kLabels_em = 7.5f, kSizes_em = 17;  // left of the lanes; the bars at the right

struct Field {
  ImVec2 min, max;
  float bar = 1;  // pixels per pass

  float x(int32_t pass) const { return min.x + static_cast<float>(pass) * bar; }
  float y(double part) const { return max.y - (max.y - min.y) * static_cast<float>(std::clamp(part, 0.0, 1.0)); }
};

void draw_label(const Field& field, const char* title, const std::string& top) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float x = field.min.x - kLabels_em * em();
  list->AddLine({field.min.x, field.max.y}, {field.max.x, field.max.y}, palette().line);
  list->AddText({x, field.min.y - 0.2f * em()}, palette().text, title);
  if (field.max.y - field.min.y > 2.1f * em()) list->AddText({x, field.min.y + 0.9f * em()}, palette().text_dim, top.c_str());
}

/// One bar per pass, as high as its value.
template <class T>
void draw_bars(const Field& field, const std::vector<T>& values, double top, ImU32 colour) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float gap = field.bar > 4 ? 1.0f : 0.0f;
  for (int32_t i = 0; i < static_cast<int32_t>(values.size()); ++i) {
    const float y = field.y(static_cast<double>(values[static_cast<size_t>(i)]) / top);
    list->AddRectFilled({field.x(i), y}, {field.x(i + 1) - gap, field.max.y}, colour);
  }
}

/// A request's life as a band, its nodes per pass as bars in it.
void draw_lane(const Field& field, const BatchTrack& track, const BatchLane& lane, bool chosen) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float height = (field.max.y - field.min.y) / static_cast<float>(track.n_rows);
  const float top = field.min.y + height * static_cast<float>(lane.row), bottom = top + 0.9f * height;
  const ImU32 colour = chosen ? palette().accepted : palette().candidate;
  const ImVec2 a = {field.x(lane.pass.front()), top}, b = {field.x(lane.pass.back() + 1) - 1, bottom};
  list->AddRectFilled(a, b, with_alpha(colour, 0.22f));
  for (size_t i = 0; i < lane.pass.size(); ++i) {
    const float part = static_cast<float>(lane.nodes[i]) / static_cast<float>(track.most_nodes);
    list->AddRectFilled({field.x(lane.pass[i]), bottom - part * (bottom - top)}, {field.x(lane.pass[i] + 1), bottom}, colour);
  }
  if (chosen) list->AddRect(a, b, palette().selected);
  const std::string number = fmt::format("{}", lane.request + 1);
  const ImVec2 size = ImGui::CalcTextSize(number.c_str());
  if (size.y > height || size.x + 0.4f * em() > b.x - a.x) return;
  list->AddText({a.x + 0.2f * em(), 0.5f * (a.y + b.y - size.y)}, palette().text, number.c_str());
}

/// Mean nodes of a request under every number of requests that shared a pass: what the batch costs each.
void draw_sizes(const BatchTrack& track, ImVec2 min, ImVec2 max) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddText(min, palette().text, "nodes each, by requests in flight");
  double top = 1;
  for (const BudgetAtSize& size : track.by_size) top = std::max(top, size.nodes);
  const float step = (max.x - min.x) / static_cast<float>(track.by_size.size());
  Field field = {{min.x, min.y + 2.4f * em()}, {max.x, max.y - 1.2f * em()}, step};
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

void draw_header(PanelContext& context, const BatchTrack& track, int32_t pass) {
  const FlatHeader flat;
  const size_t shown = context.store.shown_request(), n_requests = context.store.requests().size();
  ImGui::BeginDisabled(shown == 0);
  if (ImGui::ArrowButton("##previous", ImGuiDir_Left)) context.selection.request = shown - 1;
  ImGui::EndDisabled();
  ImGui::SameLine();
  ImGui::BeginDisabled(shown + 1 >= n_requests);
  if (ImGui::ArrowButton("##next", ImGuiDir_Right)) context.selection.request = shown + 1;
  ImGui::EndDisabled();
  ImGui::SameLine();
  help_mark([&] {
    ImGui::TextUnformatted(pass_line(track, pass).c_str());
    ImGui::TextUnformatted("All trees of a pass share one budget: every request's next node competes for the same rows.");
    dim_text("A band is a request from its first to its last pass; the bars in it are the nodes it was given. Click a request "
             "to see its tree and text; Page up and Page down go through them.");
  });
  const std::string short_words = fmt::format("request {} of {}", shown + 1, n_requests);
  for (const std::string& words : {short_words + "; " + pass_line(track, pass), short_words}) {
    if (ImGui::CalcTextSize(words.c_str()).x > room_beside()) continue;
    ImGui::SameLine();
    ImGui::AlignTextToFramePadding();
    ImGui::TextUnformatted(words.c_str());
    return;
  }
}

/// What is under the pointer: a tooltip, and with a click the request and the pass.
void point(PanelContext& context, const BatchTrack& track, const Field& lanes, bool clicked) {
  const ImVec2 at = ImGui::GetIO().MousePos;
  const auto pass = static_cast<int32_t>(std::floor((at.x - lanes.min.x) / lanes.bar));
  if (pass < 0 || pass >= track.n_passes()) return;
  const auto row = static_cast<int32_t>(std::floor((at.y - lanes.min.y) * static_cast<float>(track.n_rows) / (lanes.max.y - lanes.min.y)));
  const auto under = std::ranges::find_if(track.lanes, [&](const BatchLane& lane) {
    return lane.row == row && lane.pass.front() <= pass && pass <= lane.pass.back();
  });
  if (clicked) {
    context.selection.request = under == track.lanes.end() ? context.store.shown_request() : under->request;
    context.selection.pass = track.number[static_cast<size_t>(pass)];
  }
  if (!ImGui::BeginTooltip()) return;
  ImGui::TextUnformatted(pass_line(track, pass).c_str());
  if (under != track.lanes.end()) ImGui::TextUnformatted(lane_line(context.store, *under, pass).c_str());
  ImGui::EndTooltip();
}

void draw_lanes(PanelContext& context, const BatchTrack& track, int32_t shown) {
  ImVec2 room = ImGui::GetContentRegionAvail();
  room = {std::max(room.x, 16 * em()), std::max(room.y, 6 * em())};
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float sizes = room.x > 2.6f * kSizes_em * em() ? kSizes_em * em() : 0;
  const float left = at.x + kLabels_em * em(), right = at.x + room.x - sizes - (sizes > 0 ? 1.5f : 0.3f) * em();
  const bool clicked = ImGui::InvisibleButton("lanes", {room.x - sizes, room.y});
  const bool hovered = ImGui::IsItemHovered();
  const float bar = (right - left) / static_cast<float>(track.n_passes());
  const float part = room.y / 10, gap = 0.5f * em();
  const Field flight = {{left, at.y + 0.3f * em()}, {right, at.y + 2 * part}, bar};
  const Field nodes = {{left, flight.max.y + gap}, {right, at.y + 4.6f * part}, bar};
  const Field lanes = {{left, nodes.max.y + gap}, {right, at.y + room.y - 0.2f * em()}, bar};
  const int32_t most = *std::ranges::max_element(track.n_requests);
  const double top = std::max(1.0, *std::ranges::max_element(track.nodes_each));
  draw_label(flight, "in flight", fmt::format("up to {}", most));
  draw_label(nodes, "nodes each", fmt::format("up to {:.0f}", top));
  draw_label(lanes, "requests", fmt::format("{} in all", track.lanes.size()));
  draw_bars(flight, track.n_requests, most, palette().tokens);
  draw_bars(nodes, track.nodes_each, top, palette().chosen);
  for (const BatchLane& lane : track.lanes) draw_lane(lanes, track, lane, lane.request == context.store.shown_request());
  if (shown >= 0) {
    const float width = std::max(bar, 0.15f * em());
    ImGui::GetWindowDrawList()->AddRectFilled({lanes.x(shown), flight.min.y}, {lanes.x(shown) + width, lanes.max.y},
                                              with_alpha(palette().selected, 0.3f));
  }
  if (hovered) point(context, track, lanes, clicked);
  if (sizes > 0) draw_sizes(track, {at.x + room.x - sizes, at.y}, {at.x + room.x - 0.3f * em(), at.y + room.y});
}

}  // namespace

void draw_batch_panel(PanelContext& context) {
  const BatchTrack& track = run_views(context).batch;
  if (track.n_passes() == 0) return draw_empty(track.empty_reason);
  const RoundRecord* record = context.shown();
  const int32_t shown = record == nullptr ? -1 : pass_of(track, *record);
  draw_header(context, track, shown);
  draw_lanes(context, track, shown);
}

}  // namespace draftscope
