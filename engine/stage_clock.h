// StageClock: splits one round's wall time into its stages. AfterRound: what happens between rounds.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace draftscope {

class StageClock {
 public:
  /// Nanoseconds since the last lap, or since the clock was made.
  void lap(int64_t& stage_ns) {
    const auto now = std::chrono::steady_clock::now();
    stage_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now - last_).count();
    last_ = now;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// The time since a round's stages ended, in which its record is made and sent and then the caller may wait.
class AfterRound {
 public:
  /// The stages of a round have ended.
  void stages_ended() { stages_ended_ = std::chrono::steady_clock::now(); }
  /// Time is the caller's from here on.
  void leave() { left_ = std::chrono::steady_clock::now(); }
  /// Nanoseconds since then; 0 before the first.
  int64_t away_ns() const { return since(left_); }
  /// Nanoseconds since the stages ended; 0 before the first.
  int64_t telemetry_ns() const { return since(stages_ended_); }

 private:
  using Time = std::chrono::steady_clock::time_point;
  static int64_t since(const std::optional<Time>& begin) {
    return begin ? std::chrono::nanoseconds(std::chrono::steady_clock::now() - *begin).count() : 0;
  }

  std::optional<Time> stages_ended_, left_;
};

}  // namespace draftscope
