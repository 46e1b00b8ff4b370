// Pace: which turns of the window's loop draw: a still window costs nothing, and late answers still show.
#pragma once

#include <chrono>

namespace draftscope {

class Pace {
 public:
  using Clock = std::chrono::steady_clock;

  /// Asks for the frames in which hover, docking and sizes settle, as after input.
  void settle() { settle_frames_ = kSettleFrames; }
  bool settling() const { return settle_frames_ > 0; }

  /// True when a frame is to be drawn at `now`. `fresh`: there was input, or new data.
  bool due(bool fresh, Clock::time_point now) {
    if (fresh) {
      settle();
      late_frames_ = now + kTooltipDelay;
    } else if (now >= late_frames_) {
      // A tooltip that appears sizes itself in a hidden frame first, so one frame would not show it.
      settle();
      late_frames_ = Clock::time_point::max();
    }
    if (settle_frames_ == 0) return false;
    --settle_frames_;
    return true;
  }

 private:
  static constexpr int kSettleFrames = 4;
  static constexpr std::chrono::milliseconds kTooltipDelay{700};  // longer than Dear ImGui's own

  int settle_frames_ = kSettleFrames;
  Clock::time_point late_frames_ = Clock::time_point::max();  // due at; max: none are
};

}  // namespace draftscope
