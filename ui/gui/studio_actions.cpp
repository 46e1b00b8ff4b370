#include "ui/gui/studio_actions.h"

#include <imgui.h>

#include <algorithm>
#include <array>

#include "engine/base/check.h"
#include "ui/gui/dockspace.h"
#include "ui/gui/studio.h"

namespace draftscope {
namespace {

constexpr int64_t kManyRounds = 10;

constexpr std::array kRows = {
    ActionRow{Action::kRun, ImGuiKey_F5, ImGuiMod_Ctrl | ImGuiKey_Enter, "F5 or Ctrl+Enter",
              "Run: decode the prompt", false},
    ActionRow{Action::kStop, ImGuiMod_Shift | ImGuiKey_F5, 0, "Shift+F5", "Stop: end the generation", false},
    ActionRow{Action::kPlayPause, ImGuiKey_Space, 0, "Space", "Pause or go on; play a recording", false},
    ActionRow{Action::kStep, ImGuiKey_N, 0, "N", "Decode one round, then pause", true},
    ActionRow{Action::kPreviousRound, ImGuiKey_LeftArrow, ImGuiKey_Comma, "Left or ,", "Previous round",
              true},
    ActionRow{Action::kNextRound, ImGuiKey_RightArrow, ImGuiKey_Period, "Right or .", "Next round", true},
    ActionRow{Action::kBackTen, ImGuiMod_Shift | ImGuiKey_LeftArrow, ImGuiMod_Shift | ImGuiKey_Comma,
              "Shift+Left or Shift+,", "Ten rounds back", true},
    ActionRow{Action::kForwardTen, ImGuiMod_Shift | ImGuiKey_RightArrow, ImGuiMod_Shift | ImGuiKey_Period,
              "Shift+Right or Shift+.", "Ten rounds on", true},
    ActionRow{Action::kFirstRound, ImGuiKey_Home, 0, "Home", "First round", false},
    ActionRow{Action::kFollow, ImGuiKey_End, 0, "End", "Newest round, and follow", false},
    ActionRow{Action::kPreviousRequest, ImGuiKey_PageUp, 0, "Page up", "Previous request of a batch", true},
    ActionRow{Action::kNextRequest, ImGuiKey_PageDown, 0, "Page down", "Next request of a batch", true},
    ActionRow{Action::kDismiss, ImGuiKey_Escape, 0, "Esc", "Close the help, else deselect the node", false},
    ActionRow{Action::kOpenTrace, ImGuiMod_Ctrl | ImGuiKey_O, 0, "Ctrl+O", "Open trace...", false},
    ActionRow{Action::kSavePicture, ImGuiKey_F12, 0, "F12", "Save picture", false},
    ActionRow{Action::kUndo, ImGuiMod_Ctrl | ImGuiKey_Z, 0, "Ctrl+Z", "Undo the cost curve's last edit",
              true},
    ActionRow{Action::kRedo, ImGuiMod_Ctrl | ImGuiKey_Y, ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_Z,
              "Ctrl+Y or Ctrl+Shift+Z", "Redo it", true},
    ActionRow{Action::kQuit, ImGuiMod_Ctrl | ImGuiKey_Q, 0, "Ctrl+Q", "Quit", false},
    ActionRow{Action::kLarger, ImGuiMod_Ctrl | ImGuiKey_Equal,
              ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_Equal, "Ctrl+Plus or Ctrl+=", "Larger", true},
    ActionRow{Action::kSmaller, ImGuiMod_Ctrl | ImGuiKey_Minus, 0, "Ctrl+Minus", "Smaller", true},
    ActionRow{Action::kNormalSize, ImGuiMod_Ctrl | ImGuiKey_0, 0, "Ctrl+0", "Normal size", false},
    ActionRow{Action::kRoundsLayout, ImGuiKey_F3, 0, "F3", "Rounds layout", false},
    ActionRow{Action::kLabLayout, ImGuiKey_F4, 0, "F4", "Lab layout", false},
    ActionRow{Action::kExplain, ImGuiKey_F1, 0, "F1", "What am I looking at?", false},
    ActionRow{Action::kKeys, ImGuiKey_F2, 0, "F2", "Keys", false},
};

}  // namespace

std::span<const ActionRow> action_rows() { return kRows; }

const ActionRow& row_of(Action action) {
  const auto row = std::ranges::find(kRows, action, &ActionRow::action);
  DS_CHECK(row != kRows.end());
  return *row;
}

void Studio::perform(Action action) {
  switch (action) {
    case Action::kRun:
      return run();
    case Action::kStop:
      return stop();
    case Action::kPlayPause:
      return context_.live ? pause_or_resume() : play_or_pause();
    case Action::kStep:
      return context_.live ? step_engine() : step_rounds(1);
    case Action::kPreviousRound:
      return step_rounds(-1);
    case Action::kNextRound:
      return step_rounds(1);
    case Action::kBackTen:
      return step_rounds(-kManyRounds);
    case Action::kForwardTen:
      return step_rounds(kManyRounds);
    case Action::kFirstRound:
      return step_rounds(-selection_.round);
    case Action::kFollow:
      return follow();
    case Action::kPreviousRequest:
      return step_requests(-1);
    case Action::kNextRequest:
      return step_requests(1);
    case Action::kDismiss:
      return dismiss();
    case Action::kUndo:
      return undo_cost_edit(cost_);
    case Action::kRedo:
      return redo_cost_edit(cost_);
    case Action::kRoundsLayout:
      return show_panel_set(PanelSet::kRounds);
    case Action::kLabLayout:
      return show_panel_set(PanelSet::kLab);
    case Action::kOpenTrace:
    case Action::kSavePicture:
    case Action::kQuit:
    case Action::kLarger:
    case Action::kSmaller:
    case Action::kNormalSize:
    case Action::kExplain:
    case Action::kKeys:
      return ask_window(action);
  }
}

/// The help first: it lies over the tree.
void Studio::dismiss() {
  if (!show_explanation_ && !show_keys_) return selection_.node.reset();
  show_explanation_ = show_keys_ = false;
}

/// What concerns the window, not the rounds in it.
void Studio::ask_window(Action action) {
  if (action == Action::kOpenTrace) ask_path_ = can_open_;
  if (action == Action::kSavePicture) requests_.save_picture = true;
  if (action == Action::kQuit) requests_.quit = true;
  if (action == Action::kLarger) ++requests_.scale_steps;
  if (action == Action::kSmaller) --requests_.scale_steps;
  if (action == Action::kNormalSize) requests_.scale_reset = true;
  if (action == Action::kExplain) show_explanation_ = !show_explanation_;
  if (action == Action::kKeys) show_keys_ = !show_keys_;
}

/// A pause outlives the generation that it was asked in, so a new one is told to go on.
void Studio::run() {
  if (why_no_run(context_, controls_) != nullptr) return;
  controls_.paused = false;
  selection_.follow_live = true;
  context_.send(ResumeCommand{});
  context_.send(controls_.start);
}

void Studio::pause_or_resume() {
  if (why_no_pause(context_) != nullptr) return;
  controls_.paused = !controls_.paused;
  context_.send(controls_.paused ? Command(PauseCommand{}) : Command(ResumeCommand{}));
}

void Studio::step_engine() {
  if (why_no_pause(context_) != nullptr) return;
  controls_.paused = true;
  context_.send(StepCommand{});
}

void Studio::stop() {
  if (why_no_pause(context_) != nullptr) return;
  controls_.paused = false;
  context_.send(StopCommand{});
}

void Studio::play_or_pause() {
  if (store_.empty()) return;
  controls_.playing = !controls_.playing;
  const auto last = static_cast<int64_t>(store_.rounds().size()) - 1;
  if (controls_.playing && selection_.round >= last) selection_.round = 0;  // played to the end: once more
}

void Studio::follow() {
  controls_.playing = false;
  selection_.follow_live = true;
}

}  // namespace draftscope
