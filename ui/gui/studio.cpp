#include "ui/gui/studio.h"

#include <imgui.h>

#include <algorithm>
#include <utility>

#include "ui/gui/dockspace.h"
#include "ui/gui/lab_panels.h"
#include "ui/gui/status_bar.h"
#include "ui/gui/studio_actions.h"
#include "ui/gui/theme.h"
#include "ui/view/batch_track.h"

namespace draftscope {
namespace {

constexpr double kPlaybackRounds_per_s = 4;  // until the person chooses another speed
constexpr const char* kWholeWindow = "window";
constexpr const char* kWholeLab = "lab";

}  // namespace

Studio::Studio(RecordStore& store, std::function<void(Command)> send, bool live, LabLink lab)
    : store_(store),
      context_{store, selection_, std::move(send), live},
      panel_set_(PanelSet::kRounds),
      panel_open_(panels_of(panel_set_)) {
  facts_.live = live;
  if (!live) controls_.rounds_per_s = kPlaybackRounds_per_s;
  context_.notice = [this](std::string sentence) { set_notice(std::move(sentence)); };
  context_.perform = [this](Action action) { perform(action); };
  lab_.link = std::move(lab);
  context_.ask_lab = [this](const CostModel& cost, const std::optional<CostModel>& other) {
    if (lab_.question.number == 0) return;  // not a dense recording
    lab_.question.cost = cost;
    lab_.question.other_cost = other;
    lab_.ask();
  };
}

void Studio::allow_opening(bool traces, bool back_to_live) {
  can_open_ = traces;
  can_go_live_ = back_to_live;
  if (back_to_live)
    context_.use_correction = [this](SetCorrectionCommand command) {
      requests_.use_correction = std::move(command);
    };
}

void Studio::use_correction(SetCorrectionCommand command) {
  controls_.correction = command.source;
  context_.send(std::move(command));
}

void Studio::set_notice(std::string sentence, bool warns) {
  facts_.notice = std::move(sentence);
  facts_.notice_warns = warns;
  status_version_.reset();
}

void Studio::set_measuring(Measuring now) {
  if (facts_.measuring != now.running) status_version_.reset();
  facts_.measuring = now.running;
  context_.measuring = std::move(now);
}

StudioRequests Studio::take_requests() { return std::exchange(requests_, {}); }

/// Another request of a batch, at the pass that was shown or asked for, so that two can be compared.
void Studio::choose_request() {
  const std::optional<size_t> request = std::exchange(selection_.request, std::nullopt);
  const std::optional<int64_t> asked = std::exchange(selection_.pass, std::nullopt);
  if (!request || *request >= store_.requests().size()) return;
  const RoundRecord* before = context_.shown();
  const bool newest = selection_.follow_live && !asked;
  const int64_t pass = asked ? *asked : before != nullptr && before->shared ? before->shared->pass : 0;
  store_.show_request(*request);
  last_seq_ = -1;
  if (newest) return;
  selection_.follow_live = false;
  selection_.round = round_at_pass(store_.requests()[*request], pass);
}

/// Keeps the selection inside the store, and lets go of a node when another round is shown.
void Studio::begin_selection_frame() {
  choose_request();
  const auto n_rounds = static_cast<int64_t>(store_.rounds().size());
  if (selection_.follow_live) selection_.round = std::max<int64_t>(n_rounds - 1, 0);
  selection_.round = std::clamp<int64_t>(selection_.round, 0, std::max<int64_t>(n_rounds - 1, 0));
  if (!context_.live && n_rounds > 0)
    selection_.follow_live = false;  // a recording opens at its last round, and stays
  const RoundRecord* shown = context_.shown();
  const int64_t seq = shown != nullptr ? shown->seq : -1;
  if (seq != last_seq_) {
    selection_.node.reset();
    selection_.hover_node.reset();
    selection_.hover_budget.reset();
  }
  last_seq_ = seq;
}

/// Asks the first question about a dense recording by itself, and takes the latest answer.
void Studio::begin_lab_frame() {
  const std::optional<SessionInfo>& info = store_.info();
  const bool dense = !context_.live && info && info->dense && !store_.empty();
  if (lab_.link.ask && dense && lab_.session != info->session) {
    lab_.session = info->session;
    lab_.question.cost = info->cost;
    lab_.question.other_cost.reset();
    lab_.question.true_cost.reset();
    lab_.ask();
    if (default_layout_in_force()) show_panel_set(PanelSet::kLab);
  }
  if (lab_.link.report) lab_.report = lab_.link.report();
}

/// A batch has a panel of its own; it comes when one is opened, and goes with it.
void Studio::begin_batch_frame() {
  const bool batch = store_.info() && store_.info()->n_slots > 0;
  if (batch == std::exchange(batch_, batch)) return;
  if (default_layout_in_force()) {
    show_panel_set(panel_set_);
  } else {
    panel_open_[kBatch] = batch;
  }
}

void Studio::show_panel_set(PanelSet set) {
  panel_set_ = set;
  panel_open_ = panels_of(set, batch_);
  reset_layout_ = true;
}

void Studio::play_recording() {
  if (!controls_.playing) return;
  const double now_s = ImGui::GetTime();
  if (now_s < next_step_s_) return;
  next_step_s_ = now_s + 1 / controls_.rounds_per_s;
  if (selection_.round + 1 < static_cast<int64_t>(store_.rounds().size())) {
    ++selection_.round;
  } else {
    controls_.playing = false;
  }
}

void Studio::step_rounds(int64_t n_rounds) {
  if (store_.empty()) return;
  controls_.playing = false;
  selection_.follow_live = false;
  selection_.round =
      std::clamp<int64_t>(selection_.round + n_rounds, 0, static_cast<int64_t>(store_.rounds().size()) - 1);
}

void Studio::step_requests(int64_t n_requests) {
  const auto last = static_cast<int64_t>(store_.requests().size()) - 1;
  const int64_t request = static_cast<int64_t>(store_.shown_request()) + n_requests;
  selection_.request = static_cast<size_t>(std::clamp<int64_t>(request, 0, last));
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
    case kBatch:
      draw_batch_panel(context_);
      break;
    case kControls:
      draw_controls_panel(context_, controls_);
      break;
    case kPolicies:
      draw_policies_panel(context_, lab_);
      break;
    case kBudgets:
      draw_budgets_panel(context_, lab_);
      break;
    case kRegret:
      draw_regret_panel(context_, lab_);
      break;
    case kCalibration:
      draw_calibration_panel(context_, lab_);
      break;
    case kSweep:
      draw_sweep_panel(context_, lab_);
      break;
  }
}

/// In a new layout the first tab of each node is in front, so panels that appear then do not take the focus.
void Studio::draw_panel_windows(bool new_layout) {
  const ImGuiWindowFlags flags =
      ImGuiWindowFlags_NoCollapse | (new_layout ? ImGuiWindowFlags_NoFocusOnAppearing : 0);
  for (int i = 0; i < kNPanels; ++i) {
    if (!panel_open_[i]) continue;
    if (ImGui::Begin(kPanels[i].title, &panel_open_[i], flags)) draw_panel(i);
    ImGui::End();
  }
}

void Studio::refresh_status() {
  if (std::exchange(facts_.paused, controls_.paused) != controls_.paused) status_version_.reset();
  if (status_version_ == store_.version()) return;
  status_ = status_items(store_, facts_);
  status_version_ = store_.version();
}

void Studio::draw_frame() {
  if (std::exchange(swap_theme_, false)) {  // between frames: no widget holds colours of the old theme
    apply_theme(current_theme() == Theme::kLight ? Theme::kDark : Theme::kLight, current_scale());
  }
  handle_keys();
  play_recording();
  begin_selection_frame();
  begin_lab_frame();
  begin_batch_frame();
  draw_menu_bar();
  refresh_status();
  draw_status_bar(status_);
  draw_measuring_strip(context_.measuring, measuring_, context_.send);
  draw_panel_windows(draw_dockspace(panel_set_, std::exchange(reset_layout_, false)));
  draw_open_dialog();
  draw_explanation();
  draw_keys();
}

void Studio::draw_single_panel(std::string_view panel) {
  if (panel == kWholeLab && panel_set_ != PanelSet::kLab) show_panel_set(PanelSet::kLab);
  if (panel == kWholeWindow || panel == kWholeLab) return draw_frame();
  const auto found = std::ranges::find(kPanels, panel, &PanelName::name);
  DS_CHECK(found != kPanels.end(), "panel {}", panel);
  begin_selection_frame();
  begin_lab_frame();
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
  std::vector<std::string> names = {kWholeWindow, kWholeLab};
  for (const PanelName& panel : kPanels) names.emplace_back(panel.name);
  return names;
}

}  // namespace draftscope
