// What is ordered before what in a launch, for races.cpp.
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

namespace emulated::races {

/// When in a launch something happened: `phase` barriers of the block before it, and in this phase `clock` barriers of the
/// thread's warp.
struct Moment {
  uint64_t block : 24 = 0, thread : 10 = 0, phase : 15 = 0, clock : 15 = 0;
};

/// Follows the launch's blocks, which run one after the other.
class Order {
 public:
  void begin_launch();
  void begin_block(int64_t number);
  void block_barrier();
  void warp_barrier(uint32_t lanes);
  void fence();
  void atomic(const void* p);

  /// Of the running thread.
  Moment now();
  /// Whether all that the running thread does from now on is ordered after `before`, which has been.
  bool is_after(const Moment& before);

 private:
  /// A warp's barriers within a phase, as one lane knows them.
  struct Lane {
    uint64_t turn = 0;
    uint32_t clock = 0, seen[32] = {};  // lane l's accesses at clocks below seen[l] came before
  };
  /// Of a block: all accesses in phases below `phase`, and in that phase the thread's.
  struct Share {
    uint64_t block, phase, thread;
    bool covers(const Moment& m) const {
      return m.block == block && (m.phase < phase || (m.phase == phase && m.thread == thread));
    }
  };
  using Shares = std::vector<Share>;
  /// What a thread has to do with other blocks.
  struct Dealings {
    Shares offered;  // by its next atomic operation: what came before its last fence
    Shares taken;    // from atomic operations; known after a fence
    Shares known;
  };

  Lane& lane(int thread);

  uint64_t block_ = 0, phase_ = 0;  // where the block that runs is
  uint64_t turn_ = 0;  // counts phases of all blocks
  std::vector<Lane> lanes_ = std::vector<Lane>(1024);
  std::map<int, Dealings> dealings_;
  Shares known_;  // to the whole block
  std::unordered_map<const void*, Shares> released_;  // of the launch, by the address of the operation
};

}  // namespace emulated::races
