#include "ui/gui/cost_marks.h"

#include <fmt/format.h>
#include <implot.h>
#include <implot_internal.h>

#include <algorithm>
#include <cmath>

#include "ui/gui/palette.h"
#include "ui/gui/panel_common.h"

namespace draftscope {
namespace {

/// One segment of a dashed line; `along` is how far the pattern has come, pixels.
void draw_dashes(ImDrawList* list, ImVec2 from, ImVec2 to, ImU32 colour, float weight, float dash,
                 float& along) {
  const ImVec2 way = {to.x - from.x, to.y - from.y};
  const float length = std::hypot(way.x, way.y);
  if (!(length > 0)) return;
  for (float at = 0; at < length;) {
    const float place = std::fmod(along + at, 2 * dash);
    const bool on = place < dash;
    const float next = std::min(length, at + (on ? dash - place : 2 * dash - place) + 0.01f);
    if (on)
      list->AddLine({from.x + way.x * at / length, from.y + way.y * at / length},
                    {from.x + way.x * next / length, from.y + way.y * next / length}, colour, weight);
    at = next;
  }
  along += length;
}

float weight_of(const CostKnee& knee) {
  return static_cast<float>(std::abs(knee.step_s) + 16 * std::abs(knee.slope_s));
}

}  // namespace

void draw_plot_words(ImVec2 at, const std::string& words, ImU32 colour) {
  const ImVec2 text = ImGui::CalcTextSize(words.c_str()), pos = ImPlot::GetPlotPos();
  const ImVec2 size = ImPlot::GetPlotSize();
  const float pad = 0.15f * em();
  const auto inside = [](float place, float low, float high) { return std::max(low, std::min(place, high)); };
  at = {inside(at.x, pos.x + pad, pos.x + size.x - text.x - pad),
        inside(at.y, pos.y, pos.y + size.y - text.y)};
  ImDrawList* list = ImPlot::GetPlotDrawList();
  list->AddRectFilled({at.x - pad, at.y}, {at.x + text.x + pad, at.y + text.y},
                      with_alpha(palette().window, 0.85f), 0.2f * em());
  list->AddText(at, colour, words.c_str());
}

void draw_rows_line(double rows, const std::string& words, ImU32 colour) {
  const ImVec2 pos = ImPlot::GetPlotPos(), size = ImPlot::GetPlotSize();
  const float x = ImPlot::PlotToPixels(rows, 0).x;
  if (x < pos.x || x > pos.x + size.x) return;
  float along = 0;
  draw_dashes(ImPlot::GetPlotDrawList(), {x, pos.y}, {x, pos.y + size.y}, with_alpha(colour, 0.8f),
              std::max(1.0f, 0.07f * em()), 0.3f * em(), along);
  draw_plot_words({x + 0.3f * em(), pos.y + 0.15f * em()}, words, colour);
}

void draw_plot_line(std::span<const double> x, std::span<const double> y, ImU32 colour, float weight,
                    float dash) {
  ImPlot::PushPlotClipRect();
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const ImVec2 low = ImPlot::GetPlotPos(), size = ImPlot::GetPlotSize();
  float along = 0;
  for (size_t i = 1; i < x.size(); ++i) {
    const ImVec2 from = ImPlot::PlotToPixels(x[i - 1], y[i - 1]), to = ImPlot::PlotToPixels(x[i], y[i]);
    if (to.x < low.x || from.x > low.x + size.x)
      continue;  // out of sight, and dashes of a long way cost time
    if (dash > 0)
      draw_dashes(list, from, to, colour, weight, dash, along);
    else
      list->AddLine(from, to, colour, weight);
  }
  ImPlot::PopPlotClipRect();
}

void draw_region(double from, double to, const char* words, float lift) {
  const ImVec2 pos = ImPlot::GetPlotPos(), size = ImPlot::GetPlotSize();
  const float left = std::max(pos.x, ImPlot::PlotToPixels(from, 0).x);
  const float right = std::min(pos.x + size.x, ImPlot::PlotToPixels(to, 0).x);
  if (right - left < 2) return;
  ImPlot::PushPlotClipRect();
  ImDrawList* list = ImPlot::GetPlotDrawList();
  hatch_rect(list, {left, pos.y}, {right, pos.y + size.y}, Hatch::kDiagonal, palette().candidate);
  const float length = ImGui::CalcTextSize(words).x;
  if (right - left > 1.4f * em() && size.y > length + em() + lift) {
    const float bottom = pos.y + size.y - lift;
    const ImVec2 foot = {left + 0.2f * em(), bottom - 0.4f * em()};
    const float pad = 0.15f * em(), beside = foot.x + em() + pad;
    const float end = right - beside < em() ? right : beside;  // no sliver of hatching after it
    list->AddRectFilled({left - 0.05f * em(), foot.y - length - pad}, {end, bottom}, palette().window);
    ImPlot::AddTextVertical(list, foot, palette().text_dim, words);
  }
  ImPlot::PopPlotClipRect();
}

void draw_line_name(double y, const char* words, ImU32 colour, std::vector<float>& taken) {
  const ImVec2 pos = ImPlot::GetPlotPos(), size = ImPlot::GetPlotSize();
  const ImVec2 text = ImGui::CalcTextSize(words);
  const float highest = pos.y + 0.1f * em(), lowest = pos.y + size.y - text.y;
  float at_y = std::clamp(ImPlot::PlotToPixels(0, y).y - 1.15f * text.y, highest, lowest);
  for (int tries = 0; tries < 4; ++tries) {
    const auto near =
        std::ranges::find_if(taken, [&](float other) { return std::abs(other - at_y) < text.y; });
    if (near == taken.end()) break;
    at_y = *near + text.y > lowest ? *near - text.y : *near + text.y;
  }
  taken.push_back(at_y);
  draw_plot_words({pos.x + size.x - text.x - 0.3f * em(), at_y}, words, colour);
}

void draw_best_budget(double rows, double ms, const std::string& words, const BudgetLook& look) {
  const ImVec2 c = ImPlot::PlotToPixels(rows, ms), pos = ImPlot::GetPlotPos(), size = ImPlot::GetPlotSize();
  const float r = 0.5f * em(), width = ImGui::CalcTextSize(words.c_str()).x;
  ImPlot::PushPlotClipRect();
  ImDrawList* list = ImPlot::GetPlotDrawList();
  list->AddLine({c.x, c.y + r}, {c.x, pos.y + size.y}, with_alpha(look.colour, 0.7f),
                std::max(1.0f, 0.07f * em()));
  const float outer = r + std::max(1.0f, 0.1f * em());
  list->AddQuadFilled({c.x, c.y - outer}, {c.x + outer, c.y}, {c.x, c.y + outer}, {c.x - outer, c.y},
                      palette().window);
  if (look.filled)
    list->AddQuadFilled({c.x, c.y - r}, {c.x + r, c.y}, {c.x, c.y + r}, {c.x - r, c.y}, look.colour);
  else
    list->AddQuad({c.x, c.y - r}, {c.x + r, c.y}, {c.x, c.y + r}, {c.x - r, c.y}, look.colour, 0.16f * em());
  if (!words.empty()) {
    const bool left = c.x + outer + width > pos.x + size.x;
    const float x = left ? c.x - outer - width : c.x + outer;
    const bool above = look.above || c.y + 1.8f * em() > pos.y + size.y;
    draw_plot_words({x, above ? c.y - 1.6f * em() : c.y + 0.7f * em()}, words, look.colour);
  }
  ImPlot::PopPlotClipRect();
}

void draw_knees(std::span<const CostKnee> knees, std::span<const double> ms_at, bool named) {
  std::vector<CostKnee> order(knees.begin(), knees.end());
  std::ranges::stable_sort(order, std::ranges::greater{}, weight_of);
  const float height = 1.5f * em(), flag = 0.6f * em();
  ImDrawList* list = ImPlot::GetPlotDrawList();
  std::vector<float> taken;
  std::vector<ImVec2> words;  // from and to, pixels
  ImPlot::PushPlotClipRect();
  const CostKnee* pointed = nullptr;
  for (const CostKnee& knee : order) {
    const size_t row = std::clamp<size_t>(static_cast<size_t>(std::max(knee.rows, 1)), 1, ms_at.size()) - 1;
    const ImVec2 foot = ImPlot::PlotToPixels(knee.rows, ms_at[row]), top = {foot.x, foot.y - height};
    if (std::ranges::any_of(taken, [&](float x) { return std::abs(x - foot.x) < 0.8f * em(); })) continue;
    taken.push_back(foot.x);
    list->AddLine({foot.x, foot.y - 0.35f * em()}, top, palette().faithful, std::max(1.0f, 0.1f * em()));
    list->AddTriangleFilled(top, {top.x + flag, top.y + 0.5f * flag}, {top.x, top.y + flag},
                            palette().faithful);
    const ImVec2 reach = {0.25f * em(), 0.2f * em()};
    if (ImPlot::IsPlotHovered() &&
        ImGui::IsMouseHoveringRect({top.x - reach.x, top.y - reach.y},
                                   {top.x + flag + reach.x, top.y + flag + reach.y}))
      pointed = &knee;
    // To the left of the flag, where a rising curve leaves room.
    const float to = top.x - 0.35f * em(), from = to - ImGui::CalcTextSize(knee.cause.c_str()).x;
    const bool free = std::ranges::none_of(
        words, [&](ImVec2 other) { return from - 1.5f * em() < other.y && to + em() > other.x; });
    if (!named || !free || from < ImPlot::GetPlotPos().x) continue;
    words.push_back({from, to});
    draw_plot_words({from, top.y - 0.25f * em()}, knee.cause, palette().faithful);
  }
  ImPlot::PopPlotClipRect();
  if (pointed) ImGui::SetTooltip("%s", knee_sentence(*pointed).c_str());
}

std::string knee_sentence(const CostKnee& knee) {
  if (knee.step_s != 0)
    return fmt::format("{:+.3g} ms from {} rows on: {}.", 1e3 * knee.step_s, knee.rows, knee.cause);
  return fmt::format("{:+.3g} ms per row from {} rows on: {}.", 1e3 * knee.slope_s, knee.rows, knee.cause);
}

}  // namespace draftscope
