#include "block.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "control.h"
#include "copies.h"
#include "fiber.h"
#include "place.h"
#include "races.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

constinit thread_local uint3 threadIdx = {}, blockIdx = {};
constinit thread_local dim3 blockDim = {}, gridDim = {};

namespace emulated {

/// What a kernel declares as `extern __shared__ uint4 dynamic_shared[]`, under the two names that g++ gives
/// it inside namespace draftscope::cuda: in a named and in an unnamed namespace.
alignas(1024) thread_local unsigned char dynamic_shared_memory[kMaxSharedBytes] asm(
    "_ZN10draftscope4cuda14dynamic_sharedE");
extern thread_local unsigned char dynamic_shared_memory_unnamed[kMaxSharedBytes] asm(
    "_ZN10draftscope4cuda12_GLOBAL__N_114dynamic_sharedE")
    __attribute__((alias("_ZN10draftscope4cuda14dynamic_sharedE")));

namespace {

constexpr int kWarp = 32, kMaxThreads = 1024;
constexpr unsigned char kPoison = 0xff;  // NaN as a float
constexpr size_t kCheckedBytes = 1024;   // beyond the dynamic shared memory in use
bool backwards = false;

/// The first lane of `set` after `last` in running order, going round; set is not empty.
int next_in_ring(uint32_t set, int last) {
  const uint32_t below = set & ((uint32_t{1} << last) - 1), above = set & ~((uint32_t{2} << last) - 1);
  if (backwards) return 31 - std::countl_zero(below != 0 ? below : set);
  return std::countr_zero(above != 0 ? above : set);
}

class Block {
 public:
  void run(const Launch& launch, uint3 block);
  void barrier();
  void meet(uint32_t mask, const char* name, void* operand, Together together);
  std::string where() const;
  int current() const { return current_; }
  bool& has_waited() { return has_waited_[current_]; }  // for the launch ahead

 private:
  struct Warp {
    uint32_t exists = 0, fresh = 0, ready = 0;       // lanes: all, not started, able to go on
    uint32_t at_barrier = 0, waiting = 0, done = 0;  // lanes: at __syncthreads, at a warp operation, returned
    void* operands[kWarp];
    uint32_t masks[kWarp];
    const char* names[kWarp];
    Together together[kWarp];
  };

  void start_block(const Launch& launch, uint3 block);
  void work();     // the life of a fiber
  void suspend();  // the current thread waits; returns when it goes on
  int pick();      // the thread to run now, taken from its warp's sets; -1: none
  Fiber& free_fiber();
  bool all_here(const Warp& warp, int lane) const;  // the lanes of this lane's mask, at the same operation
  [[noreturn]] void deadlock() const;
  uint32_t all_warps() const { return ~uint32_t{0} >> (kWarp - n_warps_); }
  void stand_at(int thread) { threadIdx = index_[thread]; }

  const Launch* launch_ = nullptr;
  int n_threads_ = 0, n_warps_ = 0, n_done_ = 0, n_at_barrier_ = 0;
  int current_ = 0;          // thread
  bool starts_ = false;      // the current thread has not started
  uint32_t able_warps_ = 0;  // warps with fresh or ready lanes
  Warp warps_[kWarp];
  uint3 index_[kMaxThreads];
  bool has_waited_[kMaxThreads];
  Fiber* suspended_[kMaxThreads];  // where a waiting thread goes on
  Fiber caller_, *fiber_ = nullptr;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> free_;
};

constinit thread_local Block* running = nullptr;  // while a kernel runs

void Block::start_block(const Launch& launch, uint3 block) {
  const uint3 d = launch.block;
  launch_ = &launch;
  n_threads_ = static_cast<int>(d.x * d.y * d.z);
  n_warps_ = (n_threads_ + kWarp - 1) / kWarp;
  n_done_ = n_at_barrier_ = 0;
  able_warps_ = all_warps();
  for (int w = 0; w < n_warps_; ++w) {
    const int n_lanes = std::min(kWarp, n_threads_ - w * kWarp);
    Warp& warp = warps_[w];
    warp.exists = warp.fresh = ~uint32_t{0} >> (kWarp - n_lanes);
    warp.ready = warp.at_barrier = warp.waiting = warp.done = 0;
  }
  for (unsigned t = 0; t < static_cast<unsigned>(n_threads_); ++t)
    index_[t] = {t % d.x, t / d.x % d.y, t / d.x / d.y};
  std::fill(has_waited_, has_waited_ + n_threads_, !launch.overlaps);
  blockIdx = block;
  blockDim = d;
  gridDim = launch.grid;
  current_ = backwards ? 0 : n_threads_ - 1;  // the ring goes on after it
}

void Block::run(const Launch& launch, uint3 block) {
  start_block(launch, block);
  current_ = pick();
  fiber_ = &free_fiber();
  Fiber::switch_to(caller_, *fiber_);
}

int Block::pick() {
  if (able_warps_ == 0) return -1;
  int w = current_ / kWarp, last = current_ % kWarp;
  if ((able_warps_ >> w & 1) == 0) {
    w = next_in_ring(able_warps_, w);
    last = backwards ? 0 : kWarp - 1;
  }
  Warp& warp = warps_[w];
  const int lane = next_in_ring(warp.fresh | warp.ready, last);
  const uint32_t bit = uint32_t{1} << lane;
  starts_ = (warp.fresh & bit) != 0;
  warp.fresh &= ~bit;
  warp.ready &= ~bit;
  if ((warp.fresh | warp.ready) == 0) able_warps_ &= ~(uint32_t{1} << w);
  return w * kWarp + lane;
}

Fiber& Block::free_fiber() {
  if (free_.empty()) {
    const int number = static_cast<int>(fibers_.size());
    fibers_.push_back(std::make_unique<Fiber>(number, [] { running->work(); }));
    free_.push_back(fibers_.back().get());
  }
  Fiber* fiber = free_.back();
  free_.pop_back();
  return *fiber;
}

void Block::work() {
  for (;;) {
    stand_at(current_);
    launch_->body();
    if (!has_waited()) fail("the thread ends without having waited for the launch ahead");
    end_async_copies();
    ++n_done_;
    warps_[current_ / kWarp].done |= uint32_t{1} << current_ % kWarp;
    const int next = pick();
    if (next < 0 && n_done_ < n_threads_) deadlock();
    if (next >= 0) current_ = next;
    if (next >= 0 && starts_) continue;  // on this very stack
    Fiber& self = *fiber_;
    free_.push_back(&self);
    fiber_ = next >= 0 ? suspended_[next] : &caller_;
    Fiber::switch_to(self, *fiber_);
  }
}

void Block::suspend() {
  const int me = current_;
  Fiber& self = *fiber_;
  suspended_[me] = &self;
  const int next = pick();
  if (next < 0) deadlock();
  current_ = next;
  if (next != me) {
    fiber_ = starts_ ? &free_fiber() : suspended_[next];
    Fiber::switch_to(self, *fiber_);
  }
  stand_at(me);
}

void Block::barrier() {
  Warp& warp = warps_[current_ / kWarp];
  warp.at_barrier |= uint32_t{1} << current_ % kWarp;
  if (++n_at_barrier_ < n_threads_) return suspend();
  n_at_barrier_ = 0;
  races::block_barrier();
  for (int w = 0; w < n_warps_; ++w) warps_[w].ready = std::exchange(warps_[w].at_barrier, 0);
  able_warps_ = all_warps();
  warp.ready &= ~(uint32_t{1} << current_ % kWarp);  // goes on at once
  if (warp.ready == 0) able_warps_ &= ~(uint32_t{1} << current_ / kWarp);
}

bool Block::all_here(const Warp& warp, int lane) const {
  const uint32_t mask = warp.masks[lane], others = warp.waiting & mask & ~(uint32_t{1} << lane);
  bool same = true;
  for (uint32_t left = others; left != 0; left &= left - 1) {
    const int other = std::countr_zero(left);
    if (warp.masks[other] == mask && warp.together[other] == warp.together[lane]) {
      if ((warp.waiting & mask) != mask) return false;  // the others were compared with this one
      continue;
    }
    if ((warp.masks[other] >> lane & 1) != 0) {
      fail(fmt::format("lane {} is at {} with mask {:#x} while lane {} waits at {} with mask {:#x}", lane,
                       warp.names[lane], mask, other, warp.names[other], warp.masks[other]));
    }
    same = false;  // it waits without this lane, and may come later
  }
  return same && (warp.waiting & mask) == mask;
}

void Block::meet(uint32_t mask, const char* name, void* operand, Together together) {
  const int lane = current_ % kWarp;
  const uint32_t bit = uint32_t{1} << lane;
  Warp& warp = warps_[current_ / kWarp];
  if ((mask & bit) == 0)
    fail(fmt::format("{} with mask {:#x} is called by lane {}, which is not in it", name, mask, lane));
  mask &= warp.exists;  // a block's last warp may be short
  warp.operands[lane] = operand;
  warp.masks[lane] = mask;
  warp.names[lane] = name;
  warp.together[lane] = together;
  warp.waiting |= bit;
  if (!all_here(warp, lane)) return suspend();
  together(warp.operands, mask);
  warp.waiting &= ~mask;
  warp.ready |= mask & ~bit;
  if (warp.ready != 0) able_warps_ |= uint32_t{1} << current_ / kWarp;
}

void Block::deadlock() const {
  int n_waiting = 0;
  const char* name = "";
  for (int w = 0; w < n_warps_; ++w) {
    n_waiting += std::popcount(warps_[w].waiting);
    if (warps_[w].waiting != 0) name = warps_[w].names[std::countr_zero(warps_[w].waiting)];
  }
  fail(fmt::format(
      "threads wait for others that never come: of {} threads {} are at __syncthreads, {} at a warp "
      "operation{}{}, {} have returned",
      n_threads_, n_at_barrier_, n_waiting, n_waiting > 0 ? " such as " : "", name, n_done_));
}

std::string Block::where() const {
  const uint3 b = blockIdx, t = threadIdx;
  return fmt::format("{}, in block ({}, {}, {}), thread ({}, {}, {})", describe(*launch_), b.x, b.y, b.z, t.x,
                     t.y, t.z);
}

/// Fresh contents for every block: what an earlier one left must not help.
void poison_shared([[maybe_unused]] size_t bytes) {
#ifdef __SANITIZE_ADDRESS__
  ASAN_UNPOISON_MEMORY_REGION(dynamic_shared_memory, kMaxSharedBytes);
  ASAN_POISON_MEMORY_REGION(dynamic_shared_memory + bytes, kMaxSharedBytes - bytes);
#else
  std::memset(dynamic_shared_memory + bytes, kPoison, std::min(kCheckedBytes, kMaxSharedBytes - bytes));
#endif
  std::memset(dynamic_shared_memory, kPoison, bytes);
}

/// Stops the program if the block wrote beyond its dynamic shared memory.
void check_shared([[maybe_unused]] const Launch& launch) {
#ifndef __SANITIZE_ADDRESS__
  const size_t end = std::min(launch.shared_bytes + kCheckedBytes, kMaxSharedBytes);
  for (size_t i = launch.shared_bytes; i < end; ++i) {
    if (dynamic_shared_memory[i] == kPoison) continue;
    fail(fmt::format("the block wrote to byte {} of {} bytes of dynamic shared memory", i,
                     launch.shared_bytes));
  }
#endif
}

}  // namespace

void for_each_block(uint3 grid, const std::function<void(uint3, int64_t)>& run) {
  const int64_t n_blocks = int64_t{grid.x} * grid.y * grid.z;
  for (int64_t i = 0; i < n_blocks; ++i) {
    const int64_t b = backwards ? n_blocks - 1 - i : i;
    run({static_cast<unsigned>(b % grid.x), static_cast<unsigned>(b / grid.x % grid.y),
         static_cast<unsigned>(b / grid.x / grid.y)}, b);
  }
}

void run_blocks(const Launch& launch) {
  if (running != nullptr) fail("a kernel launches a kernel");
  thread_local Block block;  // keeps its fibers
  running = &block;
  races::begin_launch();
  for_each_block(launch.grid, [&](uint3 index, int64_t number) {
    poison_shared(launch.shared_bytes);
    races::begin_block(number);
    block.run(launch, index);
    check_shared(launch);
  });
  running = nullptr;
}

void run_backwards(bool on) { backwards = on; }
bool runs_backwards() { return backwards; }

bool in_kernel() { return running != nullptr; }
int running_thread() { return running->current(); }

void wait_for_launch_ahead() { running->has_waited() = true; }
bool has_waited_for_launch_ahead() { return running->has_waited(); }

void block_barrier() {
  if (running == nullptr) fail("__syncthreads outside a kernel");
  running->barrier();
}

void warp_together(uint32_t mask, const char* name, void* operand, Together together) {
  if (running == nullptr) fail(fmt::format("{} outside a kernel", name));
  running->meet(mask, name, operand, together);
}

void fail(const std::string& sentence) {
  const std::string where = running != nullptr ? running->where() + ": " : "";
  std::fprintf(stderr, "emulated device: %s%s\n", where.c_str(), sentence.c_str());
  std::abort();
}

std::string describe(const Launch& launch) {
  const uint3 g = launch.grid, b = launch.block;
  return fmt::format("{} of grid ({}, {}, {}), block ({}, {}, {})", function_name(launch.kernel), g.x, g.y,
                     g.z, b.x, b.y, b.z);
}

}  // namespace emulated
