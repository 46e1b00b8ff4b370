// Regret: what the chosen policy lost against hindsight, round by round and summed, in four parts.
#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/record/policies.h"
#include "ui/gui/lab_panels.h"
#include "ui/gui/palette.h"
#include "ui/gui/panel_common.h"

namespace draftscope {
namespace {

constexpr std::array kHatches = {Hatch::kNone, Hatch::kDiagonal, Hatch::kHorizontal, Hatch::kVertical};

std::array<ImU32, kRegretParts> part_colours() {
  const Palette& c = palette();
  return {c.rejected, c.faithful, c.root, c.candidate};
}

void fill_part(ImDrawList* list, size_t part, ImVec2 min, ImVec2 max) {
  list->AddRectFilled(min, max, part_colours()[part]);
  hatch_rect(list, min, max, kHatches[part], hatch_ink(palette()));
}

void draw_controls(PanelContext& context, LabState& state) {
  const FlatHeader flat;
  bool changed = labelled("policy", 11 * em(), [&] {
    bool chosen = false;
    if (!ImGui::BeginCombo("##Regret of", policy_of(state.question.regret_of).title)) return chosen;
    for (const Policy& policy : policies()) {
      if (!ImGui::Selectable(policy.title, policy.method == state.question.regret_of)) continue;
      state.question.regret_of = policy.method;
      chosen = true;
    }
    ImGui::EndCombo();
    return chosen;
  });
  flow(button_width("Recorded cost is true") + ImGui::GetFrameHeight());
  bool recorded = state.question.true_cost.has_value();
  if (checkbox("Recorded cost is true", &recorded)) {
    state.question.true_cost.reset();
    if (recorded) state.question.true_cost = context.store.info()->cost;
    changed = true;
  }
  ImGui::SetItemTooltip(
      "The policies decide by the curve in the cost panel, but passes cost what the recording's own curve "
      "says: the difference is the part called cost model.");
  if (changed) state.ask();
  flow(button_width("?"));
  help_mark([] {
    ImGui::TextUnformatted(
        "Above: tokens per second lost in each round. Below: tokens lost up to each round.");
    ImGui::TextUnformatted("A part below zero was a gain: a wrong budget can be lucky.");
    for (const RegretPart& part : kRegretPartNames)
      ImGui::TextUnformatted(fmt::format("{} {}: {}", part.letter, part.name, part.meaning).c_str());
  });
}

constexpr float kRoomy_em = 24;  // from this height on there is room for sentences

/// Swatch, letter and total of every part, in as many lines as they need; in a short panel the tooltip says
/// the rest.
void draw_legend(const RegretStack& stack) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  for (size_t part = 0; part < kRegretParts; ++part) {
    const std::string words =
        short_panel(kRoomy_em) ? fmt::format("{} {:.1f}", kRegretPartNames[part].letter, stack.tokens[part])
                               : fmt::format("{}  {}", kRegretPartNames[part].letter, stack.totals[part]);
    const float width = 1.9f * em() + ImGui::CalcTextSize(words.c_str()).x;
    if (part > 0) flow(width + em());
    const ImVec2 at = ImGui::GetCursorScreenPos();
    fill_part(list, part, {at.x, at.y + 0.1f * em()}, {at.x + 1.6f * em(), at.y + 0.95f * em()});
    ImGui::Dummy({1.6f * em(), ImGui::GetTextLineHeight()});
    ImGui::SameLine(0, 0.3f * em());
    ImGui::TextUnformatted(words.c_str());
    ImGui::SetItemTooltip("%s. %s", stack.totals[part].c_str(), kRegretPartNames[part].meaning);
  }
}

struct Lane {
  ImVec2 min, max;
  double bottom = 0, top = 1;

  float y(double value) const {
    return max.y - (max.y - min.y) * static_cast<float>((value - bottom) / std::max(1e-12, top - bottom));
  }
};

std::string scale_text(double value) {
  return fmt::format("{:.{}f}", value, std::abs(value) < 10 && value != 0 ? 1 : 0);
}

void draw_scale(const Lane& lane, const char* unit) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const auto mark = [&](double value) {
    const std::string label = scale_text(value);
    const ImVec2 size = ImGui::CalcTextSize(label.c_str());
    const float y =
        std::clamp(lane.y(value) - 0.5f * size.y, lane.min.y - 0.3f * em(), lane.max.y - 0.7f * em());
    list->AddText({lane.min.x - size.x - 0.4f * em(), y}, palette().text_dim, label.c_str());
  };
  list->AddRect(lane.min, lane.max, with_alpha(palette().line, 0.6f));
  list->AddLine({lane.min.x, lane.y(0)}, {lane.max.x, lane.y(0)}, palette().line,
                std::max(1.0f, 0.08f * em()));
  mark(lane.top);
  mark(0);
  if (lane.y(lane.bottom) - lane.y(0) > 1.2f * ImGui::GetTextLineHeight()) mark(lane.bottom);
  const float width = ImGui::CalcTextSize(unit).x;
  list->AddRectFilled({lane.min.x + 1, lane.min.y + 1},
                      {lane.min.x + width + 0.6f * em(), lane.min.y + 1.2f * em()},
                      with_alpha(palette().panel, 0.92f));
  list->AddText({lane.min.x + 0.4f * em(), lane.min.y + 0.1f * em()}, palette().text_dim, unit);
}

void draw_bands(const Lane& lane, const RegretStack& stack, const RegretBands& bands) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const double first = stack.position.front(), n = stack.position.back() - first;
  const auto x = [&](double position) {
    return lane.min.x + (lane.max.x - lane.min.x) * static_cast<float>((position - first) / n);
  };
  for (size_t i = 0; i < static_cast<size_t>(stack.n_rounds()); ++i) {
    // Whole pixels: neighbours meet without a seam.
    const float x0 = std::floor(x(stack.position[i])),
                x1 = std::max(x0 + 1, std::floor(x(stack.position[i + 1])));
    for (size_t part = 0; part < kRegretParts; ++part) {
      const double low = bands.low[part][i], high = bands.high[part][i];
      if (high > low) fill_part(list, part, {x0, lane.y(high)}, {x1, lane.y(low)});
    }
  }
}

/// The letter of a part at the right end of its band, where the band is high enough for it.
void draw_letters(const Lane& lane, const RegretBands& bands) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  for (size_t part = 0; part < kRegretParts; ++part) {
    const float top = lane.y(bands.high[part].back()), bottom = lane.y(bands.low[part].back());
    if (bottom - top < 0.8f * em()) continue;
    list->AddText({lane.max.x + 0.4f * em(), 0.5f * (top + bottom) - 0.5f * em()}, palette().text,
                  kRegretPartNames[part].letter);
  }
}

void draw_lanes(PanelContext& context, const LabReport& report, const RegretStack& stack) {
  ImVec2 room = ImGui::GetContentRegionAvail();
  room = {std::max(room.x, 12 * em()), std::max(room.y, 7 * em())};
  const ImVec2 at = ImGui::GetCursorScreenPos();
  ImGui::InvisibleButton("regret", room);
  const float left = at.x + 4.2f * em(), right = at.x + room.x - 1.6f * em();
  const float middle = at.y + 0.45f * room.y;
  const auto lane_of = [&](float top, float bottom, const RegretBands& bands) {
    const double margin = 0.06 * std::max(1e-9, bands.top - bands.bottom);
    const double low = bands.bottom < 0 ? bands.bottom - margin : 0;
    const float head = 1.4f * em();  // of the caption, which hides no bar
    const double share = head / std::max(bottom - top - head, head);
    return Lane{{left, top}, {right, bottom}, low, bands.top + std::max(margin, share * (bands.top - low))};
  };
  const Lane each = lane_of(at.y + 0.4f * em(), middle - 0.5f * em(), stack.per_round);
  const Lane summed = lane_of(middle + 0.5f * em(), at.y + room.y - 0.5f * em(), stack.summed);
  draw_bands(each, stack, stack.per_round);
  draw_bands(summed, stack, stack.summed);
  draw_letters(summed, stack.summed);
  draw_scale(each, "tokens/s lost in each round (derived)");
  draw_scale(summed, "tokens lost so far (derived)");
  const double first = stack.position.front(), n = stack.position.back() - first;
  const auto x =
      left + (right - left) * static_cast<float>((static_cast<double>(shown_round(context)) - first) / n);
  ImGui::GetWindowDrawList()->AddLine({x, each.min.y}, {x, summed.max.y},
                                      with_alpha(palette().selected, 0.7f));
  const float mouse = ImGui::GetIO().MousePos.x;
  if (!ImGui::IsItemHovered() || mouse < left || mouse >= right) return;
  const int32_t round = round_at(stack, first + n * (mouse - left) / (right - left));
  if (round < 0 || !ImGui::BeginTooltip()) return;
  for (const std::string& line : regret_lines(report.regret, round)) ImGui::TextUnformatted(line.c_str());
  ImGui::EndTooltip();
  if (ImGui::IsMouseClicked(ImGuiMouseButton_Left))
    show_round(context, static_cast<int64_t>(stack.position[static_cast<size_t>(round)]));
}

}  // namespace

void draw_regret_panel(PanelContext& context, LabState& state) {
  const LabViews* views = lab_views(context, state);
  if (views == nullptr) return;
  draw_controls(context, state);
  if (!views->regret.empty_reason.empty()) {
    draw_empty(views->regret.empty_reason);
    return;
  }
  if (!short_panel(kRoomy_em)) ImGui::TextWrapped("%s", views->regret.headline.c_str());
  draw_legend(views->regret);
  draw_lanes(context, *state.report, views->regret);
}

}  // namespace draftscope
