#include "ui/gui/studio.h"

#include <imgui.h>

#include <algorithm>
#include <utility>

#include "ui/gui/dockspace.h"
#include "ui/gui/status_bar.h"
#include "ui/gui/studio_actions.h"
#include "ui/gui/theme.h"

namespace draftscope {
namespace {

constexpr double kPlaybackRounds_per_s = 4;  // when the person chose no speed
constexpr const char* kWholeWindow = "window";

}  // namespace

Studio::Studio(const RecordStore& store, std::function<void(Command)> send, bool live)
    : store_(store), context_{store, selection_, std::move(send), live} {
  panel_open_.fill(true);
}

void Studio::allow_opening(bool traces, bool back_to_live) {
  can_open_ = traces;
  can_go_live_ = back_to_live;
}

void Studio::set_notice(std::string sentence) {
  notice_ = std::move(sentence);
  status_version_.reset();
}

StudioRequests Studio::take_requests() { return std::exchange(requests_, {}); }

/// Keeps the selection inside the store, and lets go of a node when another round is shown.
void Studio::begin_selection_frame() {
  const auto n_rounds = static_cast<int64_t>(store_.rounds().size());
  if (selection_.follow_live) selection_.round = std::max<int64_t>(n_rounds - 1, 0);
  selection_.round = std::clamp<int64_t>(selection_.round, 0, std::max<int64_t>(n_rounds - 1, 0));
  const RoundRecord* shown = context_.shown();
  const int64_t seq = shown != nullptr ? shown->seq : -1;
  if (seq != last_seq_) {
    selection_.node.reset();
    selection_.hover_node.reset();
    selection_.hover_budget.reset();
  }
  last_seq_ = seq;
}

void Studio::play_recording() {
  if (!playing_) return;
  const double now_s = ImGui::GetTime();
  if (now_s < next_step_s_) return;
  const double rate = controls_.rounds_per_s > 0 ? controls_.rounds_per_s : kPlaybackRounds_per_s;
  next_step_s_ = now_s + 1 / rate;
  if (selection_.round + 1 < static_cast<int64_t>(store_.rounds().size())) {
    ++selection_.round;
  } else {
    playing_ = false;
  }
}

void Studio::step_rounds(int64_t n_rounds) {
  if (store_.empty()) return;
  playing_ = false;
  selection_.follow_live = false;
  selection_.round =
      std::clamp<int64_t>(selection_.round + n_rounds, 0, static_cast<int64_t>(store_.rounds().size()) - 1);
}

void Studio::draw_panel(int index) {
  switch (static_cast<PanelIndex>(index)) {
    case kTree:
      draw_tree_panel(context_);
      break;
    case kThroughput:
      draw_throughput_panel(context_);
      break;
    case kMarginals:
      draw_marginals_panel(context_);
      break;
    case kTranscript:
      draw_transcript_panel(context_);
      break;
    case kTimeline:
      draw_timeline_panel(context_);
      break;
    case kCost:
      draw_cost_panel(context_, cost_);
      break;
    case kControls:
      draw_controls_panel(context_, controls_);
      break;
  }
}

void Studio::draw_panel_windows() {
  for (int i = 0; i < kNPanels; ++i) {
    if (!panel_open_[i]) continue;
    if (ImGui::Begin(kPanels[i].title, &panel_open_[i], ImGuiWindowFlags_NoCollapse)) draw_panel(i);
    ImGui::End();
  }
}

void Studio::draw_frame() {
  if (std::exchange(swap_theme_, false)) {  // between frames: no widget holds colours of the old theme
    apply_theme(current_theme() == Theme::kLight ? Theme::kDark : Theme::kLight, current_scale());
  }
  handle_keys();
  play_recording();
  begin_selection_frame();
  draw_menu_bar();
  if (!status_version_ || *status_version_ != store_.version()) {
    status_ = status_items(store_, context_.live, notice_);
    status_version_ = store_.version();
  }
  draw_status_bar(status_);
  draw_dockspace(std::exchange(reset_layout_, false));
  draw_panel_windows();
  draw_open_dialog();
  draw_explanation();
  draw_keys();
}

void Studio::draw_single_panel(std::string_view panel) {
  if (panel == kWholeWindow) return draw_frame();
  const auto found = std::ranges::find(kPanels, panel, &PanelName::name);
  DS_CHECK(found != kPanels.end(), "panel {}", panel);
  begin_selection_frame();
  const ImGuiViewport* viewport = ImGui::GetMainViewport();
  ImGui::SetNextWindowPos(viewport->WorkPos);
  ImGui::SetNextWindowSize(viewport->WorkSize);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowRounding, 0.0f);
  ImGui::Begin(found->title, nullptr, ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoDocking);
  ImGui::PopStyleVar();
  draw_panel(static_cast<int>(found - kPanels.begin()));
  ImGui::End();
}

std::vector<std::string> panel_names() {
  std::vector<std::string> names = {kWholeWindow};
  for (const PanelName& panel : kPanels) names.emplace_back(panel.name);
  return names;
}

}  // namespace draftscope
