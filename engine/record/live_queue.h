// LiveQueue: encoded frames from the engine thread to the window, without ever making the engine wait.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace draftscope {

using EncodedFrame = std::vector<std::byte>;

/// Bounded ring for one producer thread and one consumer thread; every call is wait-free. Rounds may be
/// lost, and the gap in seq tells; the last kControlSlots slots are kept for SessionInfo and SessionEnd.
/// A generation needs two of them and begins only when the window, which is the consumer, asks for it; so
/// they cannot run out while the window polls at all.
class LiveQueue {
 public:
  static constexpr size_t kControlSlots = 16;

  /// n_frames: rounds that may wait at once.
  explicit LiveQueue(size_t n_frames = 256);

  /// Producer: hands over a round. False when n_frames or more wait: `frame` is left as it is, to be dropped.
  bool push(EncodedFrame&& frame) { return push_within(std::move(frame), slots_.size() - kControlSlots); }
  /// Producer: hands over a SessionInfo or SessionEnd. False only when every slot is taken: `frame` is left
  /// as it is, and the producer tries again later, before its next frame.
  bool push_control(EncodedFrame&& frame) { return push_within(std::move(frame), slots_.size()); }

  /// Consumer: the oldest frame, or nothing.
  std::optional<EncodedFrame> pop();

 private:
  bool push_within(EncodedFrame&& frame, size_t n_slots);

  // Counts of all frames ever pushed and popped; a slot is its count modulo the ring. Each is written by one
  // side only, and lies in a cache line of its own.
  std::vector<EncodedFrame> slots_;
  alignas(64) std::atomic<size_t> n_pushed_{0};
  alignas(64) std::atomic<size_t> n_popped_{0};
};

}  // namespace draftscope
