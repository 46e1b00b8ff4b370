// Actions: one table behind the menus, the keys and the key help, so that they cannot disagree.
#pragma once

#include <cstdint>
#include <span>

namespace draftscope {

enum class Action : uint8_t {
  kRun,
  kStop,
  kPlayPause,
  kStep,
  kPreviousRound,
  kNextRound,
  kBackTen,
  kForwardTen,
  kFirstRound,
  kFollow,
  kPreviousRequest,
  kNextRequest,
  kDismiss,
  kOpenTrace,
  kSavePicture,
  kUndo,
  kRedo,
  kQuit,
  kLarger,
  kSmaller,
  kNormalSize,
  kRoundsLayout,
  kLabLayout,
  kExplain,
  kKeys,
};

struct ActionRow {
  Action action;
  int chord;         // ImGuiKeyChord
  int other_chord;   // does the same where a panel takes the first for itself; 0: none
  const char* keys;  // as people write it
  const char* label;
  bool repeats;  // while the key is held
};

std::span<const ActionRow> action_rows();
const ActionRow& row_of(Action action);

}  // namespace draftscope
