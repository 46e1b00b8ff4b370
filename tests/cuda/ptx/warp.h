// What an instruction sees: the registers of its warp, the lanes that carry it out, and the block's memory.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "program.h"
#include "tests/cuda/emulated/block.h"
#include "traffic.h"

namespace emulated::ptx {

/// Shared addresses begin here, behind what a real chip keeps for itself.
constexpr uint32_t kFirstShared = 1024;

enum class Space { kGlobal, kShared, kParameter, kGeneric };

/// The memory of the running block, and what its launch may reach.
class BlockMemory {
 public:
  void begin(const Launch& launch, const Program& program, std::span<const std::byte> parameters);
  /// Fresh contents for every block.
  void poison();

  /// Where `bytes` bytes lie that a lane reads or writes; stops the program if there is no such memory or the address
  /// is not a multiple of `bytes`.
  std::byte* find(const Warp& warp, const Step& step, int lane, Space space, uint64_t address, size_t bytes);
  std::byte* shared() const { return shared_; }

 private:
  struct Range {
    const std::byte* begin;
    size_t n;
  };
  std::byte* shared_ = nullptr;
  size_t shared_bytes_ = 0;
  std::vector<std::byte> parameters_;
  std::vector<Range> ranges_;  // of device memory, in use by this launch, the last one found first
};

/// A copy to shared memory that a lane has begun and not waited for.
struct LateCopy {
  std::byte* to;
  const std::byte* from;  // null: zeros
  int batch;
};

class Warp {
 public:
  template <class T>
  T* row(uint32_t place) {
    return reinterpret_cast<T*>(registers.data() + place);
  }
  uint32_t& predicate(uint32_t place) { return *row<uint32_t>(place); }
  /// Of the running lanes; the others keep theirs.
  void set_predicate(uint32_t place, uint32_t bits) {
    uint32_t& to = predicate(place);
    to = (to & ~lanes) | (bits & lanes);
  }

  uint32_t lanes = 0;                         // that carry out the running instruction
  uint32_t exist = 0, ended = 0, waited = 0;  // in all; at their end; for the launch ahead
  int number = 0;                             // in its block
  std::vector<std::byte> registers;           // of the program, at least
  std::vector<LateCopy> copies[kLanes];
  int n_batches[kLanes] = {};  // closed
  const Launch* launch = nullptr;
  const Program* program = nullptr;
  BlockMemory* memory = nullptr;
  Traffic* traffic = nullptr;  // null: not counted

  [[noreturn]] void fail(const Step& step, int lane, const std::string& sentence) const;
};

/// body(lane) for each lane of the mask.
template <class Body>
inline void for_lanes(uint32_t mask, const Body& body) {
  if (mask == ~uint32_t{0}) {
#pragma GCC ivdep
    for (int lane = 0; lane < kLanes; ++lane) body(lane);
  } else {
    for (; mask != 0; mask &= mask - 1) body(std::countr_zero(mask));
  }
}

}  // namespace emulated::ptx
