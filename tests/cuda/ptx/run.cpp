#include "run.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "warp.h"

namespace emulated::ptx {
namespace {

/// Lanes that stand at the same instruction.
struct Group {
  uint32_t at = 0, lanes = 0;
  bool waits = false;  // for others to come there
};

/// A warp and where its lanes stand. The group that is furthest behind goes on, so that groups meet again where their
/// ways do.
class RunningWarp : public Warp {
 public:
  void begin_block(int index, uint3 block);
  /// Until all lanes stand at a barrier of the block (true) or have ended.
  bool run();

 private:
  void fill(const Constant& constant, uint3 block);
  size_t next_group();
  void go_on(size_t index);
  bool meets(const Step& step) const;
  void end_lanes(uint32_t which, const Step& step);
  [[noreturn]] void never_meet() const;

  std::vector<Group> groups_;
  bool at_barrier_ = false;
};

template <class Value>
void fill_row(Warp& warp, uint32_t row, int bytes, const Value& value) {
  for (int lane = 0; lane < kLanes; ++lane) {
    const uint64_t bits = value(lane);
    std::memcpy(warp.registers.data() + row + lane * bytes, &bits, static_cast<size_t>(bytes));
  }
}

unsigned on_axis(uint3 of, uint64_t axis) { return axis == 0 ? of.x : axis == 1 ? of.y : of.z; }

void RunningWarp::fill(const Constant& constant, uint3 block) {
  const uint3 size = launch->block;
  const auto value = [&](int lane) -> uint64_t {
    const unsigned thread = static_cast<unsigned>(number * kLanes + lane);
    switch (constant.is) {
      case Constant::Is::kNumber:
        return constant.number;
      case Constant::Is::kThread:
        return on_axis({thread % size.x, thread / size.x % size.y, thread / size.x / size.y}, constant.number);
      case Constant::Is::kBlock:
        return on_axis(block, constant.number);
      case Constant::Is::kBlockSize:
        return on_axis(size, constant.number);
      case Constant::Is::kGridSize:
        return on_axis(launch->grid, constant.number);
      case Constant::Is::kLane:
        return static_cast<uint64_t>(lane);
    }
    return 0;
  };
  if (constant.bytes == 0) {
    predicate(constant.row) = constant.number != 0 ? ~uint32_t{0} : 0;
  } else {
    fill_row(*this, constant.row, constant.bytes, value);
  }
}

void RunningWarp::begin_block(int index, uint3 block) {
  number = index;
  const int n_threads = static_cast<int>(launch->block.x * launch->block.y * launch->block.z);
  const int n_lanes = std::min(kLanes, n_threads - index * kLanes);
  exist = ~uint32_t{0} >> (kLanes - n_lanes);
  ended = 0;
  waited = launch->overlaps ? 0 : ~uint32_t{0};
  registers.resize(std::max(registers.size(), program->warp_bytes));
  for (const Constant& constant : program->constants) fill(constant, block);
  std::fill(n_batches, n_batches + kLanes, 0);
  at_barrier_ = false;
  groups_.assign(1, {0, exist, false});
}

/// The group to go on; those that stand where it does become one with it. groups_.size(): none can.
size_t RunningWarp::next_group() {
  size_t first = groups_.size();
  for (size_t i = 0; i < groups_.size(); ++i) {
    if (!groups_[i].waits && (first == groups_.size() || groups_[i].at < groups_[first].at)) first = i;
  }
  if (first == groups_.size()) return first;
  for (size_t i = groups_.size(); i-- > 0;) {
    if (i == first || groups_[i].at != groups_[first].at) continue;
    groups_[first].lanes |= groups_[i].lanes;
    groups_.erase(groups_.begin() + static_cast<ptrdiff_t>(i));
    if (i < first) --first;
  }
  return first;
}

bool RunningWarp::run() {
  if (at_barrier_) ++groups_[0].at, groups_[0].waits = false;
  at_barrier_ = false;
  while (!groups_.empty()) {
    const size_t index = next_group();
    if (index == groups_.size()) never_meet();
    go_on(index);
    if (at_barrier_) return true;
  }
  return false;
}

bool RunningWarp::meets(const Step& step) const {
  const uint32_t here = exist & ~ended;
  if (step.flow != Flow::kMeet) return lanes == here;
  const auto* masks = reinterpret_cast<const uint32_t*>(registers.data() + step.mask);
  uint32_t wanted = 0;
  for (uint32_t left = lanes; left != 0; left &= left - 1) wanted |= masks[std::countr_zero(left)];
  return (wanted & here & ~lanes) == 0;
}

void RunningWarp::end_lanes(uint32_t which, const Step& step) {
  for (uint32_t left = which; left != 0; left &= left - 1) {
    const int lane = std::countr_zero(left);
    if ((waited >> lane & 1) == 0) fail(step, lane, "the thread ends without having waited for the launch ahead");
    if (!copies[lane].empty()) fail(step, lane, "the thread ends with copies that it has not waited for");
  }
  ended |= which;
}

/// Until the group waits, splits, ends, or comes to where another stands.
void RunningWarp::go_on(size_t index) {
  Group& group = groups_[index];
  uint32_t limit = ~uint32_t{0};
  for (const Group& other : groups_) {
    if (other.at > group.at) limit = std::min(limit, other.at);
  }
  do {
    const Step& step = program->steps[group.at];
    lanes = group.lanes;
    if (traffic != nullptr) ++traffic->instructions;
    if (step.guard != Step::kNone) {
      const uint32_t holds = predicate(step.guard);
      lanes &= step.negated ? ~holds : holds;
    }
    if (lanes == 0) {
      ++group.at;
      continue;
    }
    switch (step.flow) {
      case Flow::kOn:
        step.run(*this, step);
        ++group.at;
        break;
      case Flow::kBranch: {
        const uint32_t others = group.lanes & ~lanes;
        const uint32_t next = group.at + 1;
        group = {step.target, lanes, false};
        if (others != 0) groups_.push_back({next, others, false});
        if (groups_.size() > 1) return;
        break;
      }
      case Flow::kExit:
        end_lanes(lanes, step);
        group.lanes &= ~lanes;
        ++group.at;
        if (group.lanes == 0) groups_.erase(groups_.begin() + static_cast<ptrdiff_t>(index));
        for (Group& other : groups_) other.waits = false;  // they may have waited for these
        return;
      case Flow::kMeet:
      case Flow::kAligned:
      case Flow::kBarrier:
        if (!meets(step)) {
          group.waits = true;
          return;
        }
        if (step.flow == Flow::kBarrier) {
          at_barrier_ = true;
          return;
        }
        step.run(*this, step);
        ++group.at;
        break;
    }
  } while (group.at < limit);
}

void RunningWarp::never_meet() const {
  const Group& group = groups_[0];
  fail(program->steps[group.at], std::countr_zero(group.lanes),
       fmt::format("lanes {:#x} wait here for others of the warp that never come", group.lanes));
}

/// The warps of a block, in turns from barrier to barrier.
class Block {
 public:
  void begin(const Launch& launch, const Program& program, std::span<const std::byte> parameters) {
    const auto n_threads = launch.block.x * launch.block.y * launch.block.z;
    n_warps_ = (n_threads + kLanes - 1) / kLanes;
    warps_.resize(std::max(warps_.size(), n_warps_));
    memory_.begin(launch, program, parameters);
    Traffic* const traffic = begin_traffic(program.name);
    for (RunningWarp& warp : warps_) {
      warp.launch = &launch, warp.program = &program, warp.memory = &memory_, warp.traffic = traffic;
    }
  }

  void run(uint3 block) {
    memory_.poison();
    for (size_t w = 0; w < n_warps_; ++w) warps_[w].begin_block(static_cast<int>(w), block);
    size_t n_at_barrier = n_warps_;
    while (n_at_barrier > 0) {
      n_at_barrier = 0;
      for (size_t w = 0; w < n_warps_; ++w) n_at_barrier += warps_[runs_backwards() ? n_warps_ - 1 - w : w].run();
      if (n_at_barrier != 0 && n_at_barrier != n_warps_) {
        warps_[0].fail({}, 0,
                       fmt::format("{} of {} warps wait at a barrier, the others have ended", n_at_barrier, n_warps_));
      }
    }
  }

 private:
  BlockMemory memory_;
  std::vector<RunningWarp> warps_;  // kept, with their registers, for launches to come
  size_t n_warps_ = 0;
};

}  // namespace

void Warp::fail(const Step& step, int lane, const std::string& sentence) const {
  emulated::fail(fmt::format("{}: warp {}, lane {}, {} line {}: {}", program->name, number, lane, program->file,
                             step.line, sentence));
}

void run_blocks(const Launch& launch, const Program& program, std::span<const std::byte> parameters) {
  if (parameters.size() != program.parameter_bytes) {
    fail(fmt::format("{} has {} bytes of parameters, the host gives {}", program.name, program.parameter_bytes,
                     parameters.size()));
  }
  static Block block;  // launches follow each other
  block.begin(launch, program, parameters);
  for_each_block(launch.grid, [](uint3 index, int64_t) { block.run(index); });
}

}  // namespace emulated::ptx
