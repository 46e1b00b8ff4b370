#include "order.h"

#include <algorithm>
#include <bit>

#include "block.h"

namespace emulated::races {
namespace {

constexpr int64_t kMaxBlocks = 1 << 24, kMaxPhases = 1 << 15;

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

void Order::begin_launch() { released_.clear(); }

void Order::begin_block(int64_t number) {
  if (number >= kMaxBlocks) fail("the launch has more blocks than races are looked for in");
  here_ = {};
  here_.block = static_cast<uint64_t>(number);
  ++turn_;
  dealings_.clear();
  known_.clear();
}

void Order::block_barrier() {
  if (here_.phase + 1 >= kMaxPhases) fail("the block has more barriers than races are looked for in");
  here_.phase = here_.phase + 1;
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
  const int first = static_cast<int>(here_.thread) / 32 * 32;
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
  Dealings& own = dealings_[static_cast<int>(here_.thread)];
  append(own.known, own.taken);
  own.taken.clear();
  own.offered = known_;
  append(own.offered, own.known);
  own.offered.push_back({here_.block, here_.phase, here_.thread});
}

void Order::atomic(const void* p) {
  Dealings& own = dealings_[static_cast<int>(here_.thread)];
  Shares& released = released_[p];
  append(own.taken, released);
  append(released, own.offered);
}

Moment Order::now() {
  Moment now = here_;
  now.clock = lane(static_cast<int>(here_.thread)).clock;
  return now;
}

bool Order::is_after(const Moment& before) {
  if (before.block != here_.block) {
    const auto covers = [&](const Share& share) { return share.covers(before); };
    if (std::any_of(known_.begin(), known_.end(), covers)) return true;
    const auto own = dealings_.find(static_cast<int>(here_.thread));
    return own != dealings_.end() && std::any_of(own->second.known.begin(), own->second.known.end(), covers);
  }
  if (before.thread == here_.thread || before.phase < here_.phase) return true;
  if (before.thread / 32 != here_.thread / 32) return false;
  return lane(static_cast<int>(here_.thread)).seen[before.thread % 32] > before.clock;
}

}  // namespace emulated::races
