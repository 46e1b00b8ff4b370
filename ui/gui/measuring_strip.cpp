#include "ui/gui/measuring_strip.h"

#include <fmt/format.h>
#include <imgui.h>
#include <imgui_internal.h>

#include <algorithm>

#include "ui/gui/palette.h"
#include "ui/gui/panel_common.h"

namespace draftscope {
namespace {

constexpr const char* kStop = "Stop measuring";
constexpr const char* kDismiss = "Dismiss";
constexpr float kLeastBar_em = 14;  // the number of passes is written across it
constexpr float kMostBar_em = 32;

/// Where the parts go: one line where all fit, else the words, wrapped, above the rest.
struct StripPlan {
  bool one_line = false;
  float words_height = 0;  // pixels
  float height = 0;        // of the strip
};

StripPlan plan_strip(const std::string& words, float rest_width) {
  const ImGuiStyle& style = ImGui::GetStyle();
  const float room = ImGui::GetMainViewport()->WorkSize.x - 2 * style.WindowPadding.x;
  StripPlan plan;
  plan.one_line = ImGui::CalcTextSize(words.c_str()).x + style.ItemSpacing.x + rest_width <= room;
  if (!plan.one_line)
    plan.words_height = ImGui::CalcTextSize(words.c_str(), nullptr, false, room).y + style.ItemSpacing.y;
  plan.height = plan.words_height + ImGui::GetFrameHeight() + 2 * style.WindowPadding.y;
  return plan;
}

void draw_words(const StripPlan& plan, const std::string& words, ImU32 colour) {
  if (plan.one_line) ImGui::AlignTextToFramePadding();
  ImGui::PushStyleColor(ImGuiCol_Text, colour);
  ImGui::PushTextWrapPos(0);
  ImGui::TextUnformatted(words.c_str());
  ImGui::PopTextWrapPos();
  ImGui::PopStyleColor();
  if (plan.one_line) ImGui::SameLine();
}

void draw_progress(const Measuring& now, MeasuringStrip& strip, const std::function<void(Command)>& send) {
  const float share = now.n_total > 0 ? static_cast<float>(now.n_done) / static_cast<float>(now.n_total) : 0;
  const std::string passes =
      now.n_total > 0 ? fmt::format("{} of {} passes", now.n_done, now.n_total) : "the first passes";
  const float room = ImGui::GetContentRegionAvail().x - button_width(kStop) - ImGui::GetStyle().ItemSpacing.x;
  ImGui::PushStyleColor(ImGuiCol_PlotHistogram, blend(palette().panel, palette().root, 0.5f));  // read across it
  ImGui::ProgressBar(share, {std::min(room, kMostBar_em * em()), ImGui::GetFrameHeight()}, passes.c_str());
  ImGui::PopStyleColor();
  ImGui::SameLine();
  ImGui::BeginDisabled(strip.stop_asked);
  if (ImGui::Button(kStop)) {
    strip.stop_asked = true;
    send(StopMeasuringCommand{});
  }
  ImGui::EndDisabled();
  ImGui::SetItemTooltip("%s", strip.stop_asked
                                  ? "It stops after the pass under way."
                                  : "Decode now. Budgets then follow the contexts that were measured whole, or, before "
                                    "the first one is, a made-up curve. The next start measures again.");
}

}  // namespace

void draw_measuring_strip(const Measuring& now, MeasuringStrip& strip, const std::function<void(Command)>& send) {
  const bool running = now.running;
  const std::string& words = running ? now.what : now.outcome;
  if (!running && (words.empty() || strip.dismissed)) return;
  const float bar = running ? kLeastBar_em * em() + ImGui::GetStyle().ItemSpacing.x : 0;
  const StripPlan plan = plan_strip(words, bar + button_width(running ? kStop : kDismiss));
  constexpr ImGuiWindowFlags kFlags = ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoSavedSettings;
  if (ImGui::BeginViewportSideBar("##measuring", ImGui::GetMainViewport(), ImGuiDir_Up, plan.height, kFlags)) {
    draw_words(plan, words, running ? palette().text : palette().warning);
    if (running) {
      draw_progress(now, strip, send);
    } else if (ImGui::Button(kDismiss)) {
      strip.dismissed = true;
    }
  }
  ImGui::End();
}

}  // namespace draftscope
