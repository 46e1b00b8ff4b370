#include "ui/gui/studio_actions.h"

#include <imgui.h>

#include <algorithm>
#include <array>

#include "engine/base/check.h"

namespace draftscope {
namespace {

constexpr std::array kRows = {
    ActionRow{Action::kPlayPause, ImGuiKey_Space, 0, "Space", "Play or pause", false},
    ActionRow{Action::kStep, ImGuiKey_N, 0, "N", "Decode one round, then pause", true},
    ActionRow{Action::kPreviousRound, ImGuiKey_LeftArrow, ImGuiKey_Comma, "Left or ,", "Previous round",
              true},
    ActionRow{Action::kNextRound, ImGuiKey_RightArrow, ImGuiKey_Period, "Right or .", "Next round", true},
    ActionRow{Action::kBackTen, ImGuiMod_Shift | ImGuiKey_LeftArrow, ImGuiMod_Shift | ImGuiKey_Comma,
              "Shift+Left", "Ten rounds back", true},
    ActionRow{Action::kForwardTen, ImGuiMod_Shift | ImGuiKey_RightArrow, ImGuiMod_Shift | ImGuiKey_Period,
              "Shift+Right", "Ten rounds on", true},
    ActionRow{Action::kFirstRound, ImGuiKey_Home, 0, "Home", "First round", false},
    ActionRow{Action::kFollow, ImGuiKey_End, 0, "End", "Newest round, and follow", false},
    ActionRow{Action::kPreviousRequest, ImGuiKey_PageUp, 0, "Page up", "Previous request of a batch", true},
    ActionRow{Action::kNextRequest, ImGuiKey_PageDown, 0, "Page down", "Next request of a batch", true},
    ActionRow{Action::kClearNode, ImGuiKey_Escape, 0, "Esc", "Deselect the node", false},
    ActionRow{Action::kOpenTrace, ImGuiMod_Ctrl | ImGuiKey_O, 0, "Ctrl+O", "Open trace...", false},
    ActionRow{Action::kSavePicture, ImGuiKey_F12, 0, "F12", "Save picture", false},
    ActionRow{Action::kUndo, ImGuiMod_Ctrl | ImGuiKey_Z, 0, "Ctrl+Z", "Undo the cost curve's last edit", true},
    ActionRow{Action::kRedo, ImGuiMod_Ctrl | ImGuiKey_Y, ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_Z, "Ctrl+Y",
              "Redo it", true},
    ActionRow{Action::kQuit, ImGuiMod_Ctrl | ImGuiKey_Q, 0, "Ctrl+Q", "Quit", false},
    ActionRow{Action::kLarger, ImGuiMod_Ctrl | ImGuiKey_Equal,
              ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_Equal, "Ctrl+Plus", "Larger", true},
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

}  // namespace draftscope
