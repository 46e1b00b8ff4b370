#include "order.h"

#include <algorithm>
#include <bit>

#include "block.h"

namespace emulated::races {
namespace {

constexpr int64_t kMaxBlocks = 1 << 24;
constexpr uint64_t kMaxPhases = 1 << 15;

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

void Order::begin_launch() { released_.clear(); }

void Order::begin_block(int64_t number) {
  if (number >= kMaxBlocks) fail("the launch has more blocks than races are looked for in");
  block_ = static_cast<uint64_t>(number);
  phase_ = 0;
  ++turn_;
  dealings_.clear();
  known_.clear();
}

void Order::block_barrier() {
  if (++phase_ >= kMaxPhases) fail("the block has more barriers than races are looked for in");
  ++turn_;
  for (auto& [thread, dealings] : dealings_) {
    append(known_, dealings.known);
    dealings.known.clear();
  }
}

Order::Lane& Order::lane(int thread) {
  Lane& lane = lanes_[static_cast<size_t>(thread)];
  if (lane.turn != turn_) lane = {turn_, 0, {}};
  return lane;
}

void Order::warp_barrier(uint32_t lanes) {
  const int first = running_thread() / 32 * 32;
  uint32_t seen[32] = {};
  for (uint32_t left = lanes; left != 0; left &= left - 1) {
    const int l = std::countr_zero(left);
    Lane& own = lane(first + l);
    own.seen[l] = ++own.clock;
    for (int i = 0; i < 32; ++i) seen[i] = std::max(seen[i], own.seen[i]);
  }
  for (uint32_t left = lanes; left != 0; left &= left - 1) {
    std::copy(seen, seen + 32, lane(first + std::countr_zero(left)).seen);
  }
}

void Order::fence() {
  Dealings& own = dealings_[running_thread()];
  append(own.known, own.taken);
  own.taken.clear();
  own.offered = known_;
  append(own.offered, own.known);
  own.offered.push_back({block_, phase_, static_cast<uint64_t>(running_thread())});
}

void Order::atomic(const void* p) {
  Dealings& own = dealings_[running_thread()];
  Shares& released = released_[p];
  append(own.taken, released);
  append(released, own.offered);
}

Moment Order::now() {
  const int thread = running_thread();
  return {block_, static_cast<uint64_t>(thread), phase_, lane(thread).clock};
}

bool Order::is_after(const Moment& before) {
  const int thread = running_thread();
  if (before.block != block_) {
    const auto covers = [&](const Share& share) { return share.covers(before); };
    if (std::any_of(known_.begin(), known_.end(), covers)) return true;
    const auto own = dealings_.find(thread);
    return own != dealings_.end() && std::any_of(own->second.known.begin(), own->second.known.end(), covers);
  }
  const auto other = static_cast<int>(before.thread);
  if (other == thread || before.phase < phase_) return true;
  return other / 32 == thread / 32 && lane(thread).seen[other % 32] > before.clock;
}

}  // namespace emulated::races
