// Every round as a bar, newest right: tokens above, time per phase below. Click or drag to look back.
#include <fmt/format.h>
#include <imgui.h>
#include <imgui_internal.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "ui/gui/palette.h"
#include "ui/gui/panel_common.h"

namespace draftscope {
namespace {

constexpr float kMinBar = 0.12f, kMaxBar = 6.0f;  // ems per round
constexpr float kHatched_em = 0.6f;               // bars of this width carry the pattern of their phase

std::array<ImU32, kPhases> phase_colours() {
  const Palette& c = palette();
  return {c.draft, c.grow, c.verify, c.accept, c.commit};
}

/// Told apart without colour: by pattern, and by their order from below.
constexpr std::array kPhaseHatches = {Hatch::kNone, Hatch::kDiagonal, Hatch::kHorizontal, Hatch::kVertical,
                                      Hatch::kNone};

void fill_phase(size_t phase, ImVec2 a, ImVec2 b) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddRectFilled(a, b, phase_colours()[phase]);
  if (b.x - a.x >= kHatched_em * em())
    hatch_rect(list, a, b, kPhaseHatches[phase], hatch_ink(palette()));
}

/// Which rounds are in sight and how wide each is.
struct Span {
  int64_t first = 0, n = 0;
  float bar = 0;  // pixels per round
};

Span span_of(int64_t n_rounds, int64_t shown, float width, float bar_em) {
  Span span;
  span.bar = bar_em * em();
  span.n = std::clamp<int64_t>(static_cast<int64_t>(width / span.bar), 1, n_rounds);
  span.first = std::clamp<int64_t>(shown - span.n / 2, 0, n_rounds - span.n);
  return span;
}

struct Lane {
  ImVec2 min, max;
  double top = 1;  // value at the upper edge

  float y(double value) const {
    return max.y - (max.y - min.y) * static_cast<float>(std::clamp(value / top, 0.0, 1.0));
  }
};

double highest(const std::vector<double>& values, const Span& span) {
  double top = 0;
  for (int64_t i = span.first; i < span.first + span.n; ++i)
    top = std::max(top, values[static_cast<size_t>(i)]);
  return top;
}

void draw_scale(const Lane& lane, const char* title, const std::string& top) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddLine({lane.min.x, lane.max.y}, {lane.max.x, lane.max.y}, palette().line);
  list->AddLine({lane.min.x, lane.min.y}, {lane.max.x, lane.min.y}, with_alpha(palette().line, 0.5f));
  const float text_x = lane.min.x - 4.9f * em();
  list->AddText({text_x, lane.min.y - 0.2f * em()}, palette().text_dim, top.c_str());
  if (lane.max.y - lane.min.y > 2.0f * em())
    list->AddText({text_x, lane.max.y - em()}, palette().text_dim, title);
}

void draw_token_bar(const Lane& lane, const Timeline& timeline, size_t i, float x0, float x1) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float split = lane.y(timeline.accepted[i]);
  list->AddRectFilled({x0, split}, {x1, lane.max.y}, palette().accepted);
  // The bonus is hollow, so that both are told apart without colour. Behind the end of a text there is none.
  if (timeline.committed[i] > timeline.accepted[i])
    list->AddRect({x0, lane.y(timeline.committed[i])}, {x1, split}, palette().bonus, 0, 1.0f);
}

void draw_time_bar(const Lane& lane, const Timeline& timeline, size_t i, float x0, float x1) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  double sum = 0;
  for (size_t phase = 0; phase < kPhases; ++phase) {
    const double ms = timeline.took_ms[phase][i];
    fill_phase(phase, {x0, lane.y(sum + ms)}, {x1, lane.y(sum)});
    sum += ms;
  }
  if (timeline.predicted_total_ms[i] <= 0) return;
  const float y = lane.y(timeline.predicted_total_ms[i]);
  list->AddLine({x0 - 1, y}, {x1 + 1, y}, palette().selected, std::max(1.0f, 0.1f * em()));
}

void draw_bars(const Timeline& timeline, const Span& span, const Lane& tokens, const Lane& time,
               int64_t shown) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  for (int64_t k = 0; k < span.n; ++k) {
    const auto i = static_cast<size_t>(span.first + k);
    const float x0 = tokens.min.x + static_cast<float>(k) * span.bar;
    const float gap = span.bar > 0.4f * em() ? 0.12f * span.bar : 0.0f;
    const float x1 = std::max(x0 + 1, x0 + span.bar - gap);
    if (span.first + k == shown) {
      list->AddRectFilled({x0 - gap, tokens.min.y}, {x1 + gap, time.max.y},
                          with_alpha(palette().selected, 0.18f));
      list->AddRect({x0 - gap, tokens.min.y}, {x1 + gap, time.max.y}, palette().selected);
    }
    draw_token_bar(tokens, timeline, i, x0, x1);
    draw_time_bar(time, timeline, i, x0, x1);
    if (timeline.gap_before[i] > 0) {
      list->AddLine({x0, tokens.min.y}, {x0, time.max.y}, palette().warning, std::max(1.0f, 0.12f * em()));
    }
  }
}

/// Round numbers below the lanes, and which rounds these are where there are more.
void draw_axis(const Span& span, int64_t n_rounds, float left, float right, float y) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddText({left - 4.9f * em(), y}, palette().text_dim, "round");
  const std::string words = rounds_in_sight(span.first, span.n, n_rounds);
  const float words_x = right - ImGui::CalcTextSize(words.c_str()).x;
  if (!words.empty()) list->AddText({words_x, y}, palette().text, words.c_str());
  const float end = words.empty() ? right : words_x - em();
  const float label = ImGui::CalcTextSize(fmt::format("{}", n_rounds).c_str()).x + 1.2f * em();
  for (const int64_t round : round_ticks(span.first, span.n, static_cast<int64_t>((right - left) / label))) {
    const std::string number = fmt::format("{}", round);
    const float width = ImGui::CalcTextSize(number.c_str()).x;
    const float x = left + (static_cast<float>(round - span.first) + 0.5f) * span.bar - 0.5f * width;
    if (x + width <= end) list->AddText({std::max(x, left), y}, palette().text_dim, number.c_str());
  }
}

void handle_keys(PanelContext& context, int64_t shown) {
  if (!ImGui::IsWindowFocused() || ImGui::GetIO().WantTextInput) return;
  const ImGuiID owner = ImGui::GetID("rounds");
  const int64_t stride = ImGui::GetIO().KeyShift ? 10 : 1;
  const int64_t last = static_cast<int64_t>(context.store.rounds().size()) - 1;
  const std::array<std::pair<ImGuiKey, int64_t>, 4> keys = {{{ImGuiKey_LeftArrow, shown - stride},
                                                             {ImGuiKey_RightArrow, shown + stride},
                                                             {ImGuiKey_Home, 0},
                                                             {ImGuiKey_End, last}}};
  for (const auto& [key, round] : keys) {
    ImGui::SetKeyOwner(key, owner);  // otherwise they would move the focus between widgets
    if (!ImGui::IsKeyPressed(key, ImGuiInputFlags_Repeat, owner)) continue;
    show_round(context, round);
    if (key == ImGuiKey_End) context.selection.follow_live = true;
  }
}

void draw_figures_popup(const Summary& summary) {
  if (!ImGui::BeginPopup("figures")) return;
  for (const Figure& figure : summary.figures) {
    draw_figure(figure.label.c_str(), figure.value, figure.origin);
    ImGui::PushTextWrapPos(ImGui::GetCursorPosX() + 30 * em());
    ImGui::Indent(em());
    dim_text(figure.definition);
    ImGui::Unindent(em());
    ImGui::PopTextWrapPos();
  }
  ImGui::EndPopup();
}

constexpr float kRoomy_em = 14;  // from this height on the legend has a line of its own
constexpr float kTall_em = 22;   // from this height on it may have two

constexpr float kSwatch_em = 0.9f;
constexpr const char* kTimeWords = "time, from below:";

/// Colour, pattern and word of everything in the lanes, in lines, or one below the other for a tooltip.
void draw_legend(const Timeline& timeline, bool column) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const auto entry = [&](const char* word, const std::function<void(ImVec2, ImVec2)>& draw) {
    if (!column) flow(ImGui::CalcTextSize(word).x + (kSwatch_em + 0.3f) * em());
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const ImVec2 a = {at.x, at.y + 0.2f * em()}, b = {at.x + kSwatch_em * em(), at.y + 0.9f * em()};
    draw(a, b);
    ImGui::Dummy({kSwatch_em * em(), ImGui::GetTextLineHeight()});
    ImGui::SameLine(0, 0.3f * em());
    dim_text(word);
  };
  dim_text("tokens:");
  entry("accepted", [&](ImVec2 a, ImVec2 b) { list->AddRectFilled(a, b, palette().accepted); });
  entry("bonus", [&](ImVec2 a, ImVec2 b) { list->AddRect(a, b, palette().bonus); });
  if (!column) flow(ImGui::CalcTextSize(kTimeWords).x);
  dim_text(kTimeWords);
  for (size_t phase = 0; phase < kPhases; ++phase)
    entry(kPhaseNames[phase], [&](ImVec2 a, ImVec2 b) { fill_phase(phase, a, b); });
  if (timeline.predicted_origins.empty()) return;
  const std::string line = fmt::format("line: total {}", timeline.predicted_origins);
  if (!column) flow(ImGui::CalcTextSize(line.c_str()).x);
  dim_text(line);
}

/// Pixels of the legend in one line, about.
float legend_width(const Timeline& timeline) {
  std::string words =
      fmt::format("tokens: accepted bonus{}line: total {}", kTimeWords, timeline.predicted_origins);
  for (const char* phase : kPhaseNames) words += phase;
  return ImGui::CalcTextSize(words.c_str()).x + (kPhases + 2) * (kSwatch_em + 0.8f) * em() + 2 * em();
}

bool legend_has_room(const Timeline& timeline) {
  if (short_panel(kRoomy_em)) return false;
  return !short_panel(kTall_em) || legend_width(timeline) <= ImGui::GetContentRegionAvail().x;
}

/// What fits this line about the shown round.
void draw_round(const Timeline& timeline, int64_t shown) {
  const auto i = static_cast<size_t>(shown);
  const std::string words =
      fmt::format("round {}: {:.0f} token{}, {:.2f} ms {}", shown, timeline.committed[i],
                  timeline.committed[i] == 1 ? "" : "s", timeline.took_total_ms[i], name(timeline.took_origin[i]));
  const float room = room_beside();
  for (const std::string& line : {round_line(timeline, shown), words}) {
    if (ImGui::CalcTextSize(line.c_str()).x > room) continue;
    ImGui::SameLine();
    ImGui::AlignTextToFramePadding();
    ImGui::TextUnformatted(line.c_str());
    return;
  }
}

/// The run's headline figures, as many as fit this line: the button beside them shows all.
void draw_headlines(const Summary& summary) {
  for (const Figure& figure : summary.figures) {
    const bool headline = figure.label == "speed" || figure.label == "tokens per round";
    const std::string whole = figure.label + figure.value + " (" + figure.origin + ")";
    if (!headline || ImGui::CalcTextSize(whole.c_str()).x + 0.8f * em() > room_beside()) continue;
    ImGui::SameLine();
    ImGui::BeginGroup();
    ImGui::AlignTextToFramePadding();
    draw_figure(figure.label.c_str(), figure.value, figure.origin);
    ImGui::EndGroup();
    ImGui::SetItemTooltip("%s", figure.definition.c_str());
  }
}

void draw_header(PanelContext& context, const RunViews& views, int64_t shown) {
  const FlatHeader flat;
  bool following = context.selection.follow_live;
  if (context.live) {
    if (checkbox("Follow live", &following)) {
      show_round(context, shown);
      context.selection.follow_live = following;
    }
    ImGui::SetItemTooltip("Show the newest round as it comes; choosing a round turns this off.");
    flow(button_width("Run figures"));
  }
  if (ImGui::Button("Run figures")) ImGui::OpenPopup("figures");
  ImGui::SetItemTooltip("Speed, tokens per round and more, each with its definition and origin.");
  draw_figures_popup(views.summary);
  flow(button_width("?"));
  help_mark([&] {
    ImGui::TextUnformatted(round_line(views.timeline, shown).c_str());
    draw_legend(views.timeline, true);
  });
  if (short_panel(kTall_em)) {
    draw_round(views.timeline, shown);
  } else {
    draw_headlines(views.summary);
    ImGui::TextWrapped("%s", round_line(views.timeline, shown).c_str());
  }
  for (const std::string& problem : views.summary.problems) {
    ImGui::PushStyleColor(ImGuiCol_Text, palette().warning);
    ImGui::TextWrapped("! %s", problem.c_str());
    ImGui::PopStyleColor();
  }
  if (legend_has_room(views.timeline)) draw_legend(views.timeline, false);
}

void bar_tooltip(const Timeline& timeline, int64_t round) {
  if (!ImGui::BeginTooltip()) return;
  ImGui::TextUnformatted(round_line(timeline, round).c_str());
  for (size_t phase = 0; phase < kPhases; ++phase) {
    draw_figure(kPhaseNames[phase],
                fmt::format("{:.3f} ms", timeline.took_ms[phase][static_cast<size_t>(round)]),
                name(timeline.took_origin[static_cast<size_t>(round)]));
  }
  ImGui::EndTooltip();
}

void draw_lanes(PanelContext& context, const Timeline& timeline, int64_t shown) {
  float* bar_em = ImGui::GetStateStorage()->GetFloatRef(ImGui::GetID("bar"), 0);  // 0: chosen here
  ImVec2 room = ImGui::GetContentRegionAvail();
  room = {std::max(room.x, 12 * em()), std::max(room.y, 4 * em())};
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float left = at.x + 5.0f * em(), right = at.x + room.x - 0.3f * em();
  ImGui::InvisibleButton("lanes", room);
  ImGui::SetItemKeyOwner(ImGuiKey_MouseWheelY);
  const bool hovered = ImGui::IsItemHovered(), held = ImGui::IsItemActive();
  const auto n_rounds = static_cast<int64_t>(timeline.round.size());
  const float room_em = (right - left) / em();
  const float all = room_em / static_cast<float>(n_rounds);
  const float bar = *bar_em > 0 ? *bar_em : std::clamp(all, 0.4f, kMaxBar);
  const float wheel = hovered ? ImGui::GetIO().MouseWheel : 0;
  if (wheel != 0) *bar_em = std::clamp(bar * std::pow(1.2f, wheel), std::min(kMinBar, all), kMaxBar);
  // While the pointer drags, the bars stand still under it.
  int* anchor = ImGui::GetStateStorage()->GetIntRef(ImGui::GetID("anchor"), 0);
  if (!held) *anchor = static_cast<int>(shown);
  const Span span = span_of(n_rounds, *anchor, right - left, bar);
  const float bottom = at.y + room.y - 1.1f * em();  // above the axis
  const float middle = at.y + 0.45f * (bottom - at.y);
  Lane tokens = {{left, at.y + 0.5f * em()}, {right, middle - 0.3f * em()}};
  Lane time = {{left, middle + 0.3f * em()}, {right, bottom - 0.3f * em()}};
  tokens.top = std::max(1.0, highest(timeline.committed, span));
  time.top =
      std::max({1e-6, highest(timeline.took_total_ms, span), highest(timeline.predicted_total_ms, span)});
  draw_scale(tokens, "tokens", fmt::format("{:.0f}", tokens.top));
  draw_axis(span, n_rounds, left, right, bottom);
  draw_scale(time, "time", fmt::format("{:.3g} ms", time.top));
  ImGui::PushClipRect({left - 1, at.y}, {right + 1, at.y + room.y}, true);
  draw_bars(timeline, span, tokens, time, shown);
  ImGui::PopClipRect();
  if (!held && !hovered) return;  // without a pointer ImGui's mouse is at -FLT_MAX, which no integer holds
  const auto under =
      span.first + static_cast<int64_t>(std::floor((ImGui::GetIO().MousePos.x - left) / span.bar));
  const int64_t round = std::clamp<int64_t>(under, span.first, span.first + span.n - 1);
  if (held) show_round(context, round);
  if (hovered && under == round) bar_tooltip(timeline, round);
}

}  // namespace

void draw_timeline_panel(PanelContext& context) {
  const RunViews& views = run_views(context);
  const int64_t shown = shown_round(context);
  if (shown < 0) {
    draw_empty(views.timeline.empty_reason);
    return;
  }
  draw_header(context, views, shown);
  handle_keys(context, shown);
  draw_lanes(context, views.timeline, shown);
}

}  // namespace draftscope
