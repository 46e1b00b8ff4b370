// StageClock: splits one round's wall time into its stages.
#pragma once

#include <chrono>
#include <cstdint>

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

}  // namespace draftscope
