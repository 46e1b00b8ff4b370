// A kernel ready to run: each instruction as a function over the lanes of a warp, its operands as rows of values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace emulated::ptx {

constexpr int kLanes = 32;

class Warp;
struct Step;
using Run = void (*)(Warp& warp, const Step& step);

/// What an instruction does to the order of things.
enum class Flow : uint8_t {
  kOn,       // to the next
  kBranch,   // to the target
  kExit,     // the thread has ended
  kMeet,     // once the lanes of a mask are here
  kAligned,  // once all lanes of the warp are here
  kBarrier,  // that, and all threads of the block go on together
};

/// One instruction. Rows are given by their place in the warp's memory: 32 values of a register or of a constant; a
/// predicate is one word, a bit for each lane.
struct Step {
  static constexpr int kMaxRows = 14;
  static constexpr uint32_t kNone = ~uint32_t{0};

  Run run = nullptr;
  Flow flow = Flow::kOn;
  bool negated = false, wide_address = false;
  uint32_t guard = kNone;  // predicate
  uint32_t target = 0;     // of a branch
  uint32_t mask = kNone;   // row of lane masks, of kMeet
  uint32_t rows[kMaxRows] = {};
  int64_t number = 0;  // bytes beyond an address, or batches
  int line = 0;
};

/// A row whose values are known before the block runs.
struct Constant {
  enum class Is {
    kNumber,
    kThread,     // of the thread in its block
    kBlock,      // of the block in the grid
    kBlockSize,  // threads of a block
    kGridSize,   // blocks of the grid
    kLane,
  };
  Is is = Is::kNumber;
  uint32_t row = 0;
  int bytes = 4;        // of a value; 0: a predicate
  uint64_t number = 0;  // kNumber: its bits; of what has axes: x, y or z as 0, 1, 2
};

struct Program {
  std::string name, file;
  std::vector<Step> steps;
  std::vector<Constant> constants;
  size_t warp_bytes = 0, parameter_bytes = 0;
  size_t static_shared_bytes = 0;  // dynamic shared memory begins behind it
};

}  // namespace emulated::ptx
