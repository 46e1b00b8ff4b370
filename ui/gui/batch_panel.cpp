// A batch: requests in flight, what each was given, pass by pass; and the budget of a request by how many share it.
// Click a request to see its tree and text.
#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <cmath>

#include "ui/gui/batch_draw.h"
#include "ui/gui/palette.h"
#include "ui/gui/panel_common.h"

namespace draftscope {
namespace {

constexpr float kSizes_em = 17;  // the bars at the right

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
    dim_text("A band is a request from its first to its last pass; the bars in it are the nodes it was given, "
             "as log2(1 + n). Click a request to see its tree and text; Page up and Page down go through them.");
  });
  const std::string short_words = fmt::format("request {} of {}", shown + 1, n_requests);
  const auto i = static_cast<size_t>(std::max(0, pass));
  const std::string middle = fmt::format("{}; {} in flight, {:.0f} nodes each", short_words, track.n_requests[i], track.nodes_each[i]);
  for (const std::string& words : {short_words + "; " + pass_line(track, pass), pass < 0 ? short_words : middle, short_words}) {
    if (ImGui::CalcTextSize(words.c_str()).x > room_beside()) continue;
    ImGui::SameLine();
    ImGui::AlignTextToFramePadding();
    ImGui::TextUnformatted(words.c_str());
    return;
  }
}

/// What is under the pointer: a tooltip, and with a click the request and the pass.
void point(PanelContext& context, const BatchTrack& track, const PassField& lanes, bool clicked) {
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
  const float left = at.x + kBatchLabels_em * em(), right = at.x + room.x - sizes - (sizes > 0 ? 1.5f : 0.3f) * em();
  const bool clicked = ImGui::InvisibleButton("lanes", {room.x - sizes, room.y});
  const bool hovered = ImGui::IsItemHovered();
  const float bar = (right - left) / static_cast<float>(track.n_passes());
  const float part = room.y / 10, gap = 0.5f * em();
  const PassField flight = {{left, at.y + 0.3f * em()}, {right, at.y + 1.7f * part}, bar};
  const PassField nodes = {{left, flight.max.y + gap}, {right, at.y + 3.7f * part}, bar};
  const PassField lanes = {{left, nodes.max.y + gap}, {right, at.y + room.y - 1.2f * em()}, bar};
  const int32_t most = *std::ranges::max_element(track.n_requests);
  const double top = std::max(1.0, *std::ranges::max_element(track.nodes_each));
  draw_field_label(flight, "in flight", fmt::format("{}", most));
  draw_field_label(nodes, "nodes each", fmt::format("{:.0f}", top));
  draw_field_label(lanes, "requests", fmt::format("{}", track.lanes.size()));
  draw_pass_bars(flight, {track.n_requests.begin(), track.n_requests.end()}, most, palette().tokens);
  draw_pass_bars(nodes, track.nodes_each, top, palette().chosen);
  draw_pass_numbers(lanes, track);
  for (const BatchLane& lane : track.lanes) draw_request_lane(lanes, track, lane, lane.request == context.store.shown_request());
  if (shown >= 0) {
    const float width = std::max(bar, 0.15f * em());
    ImGui::GetWindowDrawList()->AddRectFilled({lanes.x(shown), flight.min.y}, {lanes.x(shown) + width, lanes.max.y},
                                              with_alpha(palette().selected, 0.3f));
  }
  if (hovered) point(context, track, lanes, clicked);
  if (sizes > 0) draw_budgets_by_size(track, {at.x + room.x - sizes, at.y}, {at.x + room.x - 0.3f * em(), at.y + room.y});
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
