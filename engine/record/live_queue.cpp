#include "engine/record/live_queue.h"

#include <utility>

namespace draftscope {

LiveQueue::LiveQueue(size_t n_frames) : slots_(n_frames + kControlSlots) {}

bool LiveQueue::push_within(EncodedFrame&& frame, size_t n_slots) {
  const size_t n_pushed = n_pushed_.load(std::memory_order_relaxed);
  // Acquire: the consumer has finished with the slot before it is filled again.
  if (n_pushed - n_popped_.load(std::memory_order_acquire) >= n_slots) return false;
  slots_[n_pushed % slots_.size()] = std::move(frame);
  n_pushed_.store(n_pushed + 1, std::memory_order_release);
  return true;
}

std::optional<EncodedFrame> LiveQueue::pop() {
  const size_t n_popped = n_popped_.load(std::memory_order_relaxed);
  if (n_popped == n_pushed_.load(std::memory_order_acquire)) return std::nullopt;
  EncodedFrame frame = std::exchange(slots_[n_popped % slots_.size()], {});
  n_popped_.store(n_popped + 1, std::memory_order_release);
  return frame;
}

}  // namespace draftscope
