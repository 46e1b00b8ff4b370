// The candidates of a growing tree, kept by one warp.
//
// They live in 32 groups of 32 slots in shared memory, and lane g remembers the best of group g. The next pop is a warp
// maximum over the lanes; afterwards one more warp maximum, over the 32 slots of the group it came from, restores the
// lane's knowledge. A popped candidate's next sibling takes its slot and its first child the next free one, so growth to
// n nodes needs n slots.
#pragma once

#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>

#include "kernels/cuda/launch.h"
#include "kernels/shared/frontier.h"

namespace draftscope::cuda {

constexpr uint32_t kAllLanes = 0xFFFFFFFFu;

/// The tree and its frontier while they grow; all arrays in shared memory.
struct GrowingTree {
  Link* node = nullptr;          // (max_nodes + 1,)
  double* path_log_q = nullptr;  // (max_nodes + 1,)
  uint64_t* key = nullptr;       // (kMaxTreeNodes,) ordered_key of a candidate's path log q; 0: no candidate
  Link* slot = nullptr;          // (kMaxTreeNodes,)
  const float* log_q = nullptr;  // (n_depths, n_ranks)
  int32_t n_depths = 0, n_ranks = 0;
};

class Frontier {
 public:
  struct Candidate {
    uint64_t key = 0;  // 0: none
    int32_t slot = 0;

    __device__ bool exists() const { return key != 0; }
    __device__ double log_q() const { return from_ordered_key(key); }
  };

  /// The root's first child. All of tree.key is 0; node 0 and its path are set. Called by the whole warp, as all below.
  __device__ Frontier(const GrowingTree& tree, int32_t lane) : tree_(tree), lane_(lane) {
    const Link first{0, 1, 0};
    const uint64_t key = key_of(first, 0.0);
    if (lane_ == 0) store(0, key, first);
    __syncwarp();
    if (lane_ == 0) best_ = {key, 0};
    n_slots_ = 1;
  }

  /// The candidate that the next pop adds, the same on every lane.
  __device__ Candidate next() const { return best_of_warp(best_); }

  /// Makes `next`, which exists, node `index` of the tree, and its sibling and child candidates.
  __device__ void pop(Candidate next, int32_t index) {
    const Link popped = tree_.slot[next.slot];
    const double path = next.log_q();
    const Link sibling{popped.parent, popped.depth, static_cast<uint16_t>(popped.rank + 1)};
    const Link child{static_cast<uint16_t>(index), static_cast<uint16_t>(popped.depth + 1), 0};
    const uint64_t sibling_key = key_of(sibling, tree_.path_log_q[popped.parent]);
    // Without a slot left this was the last pop: every pop takes at most one.
    const uint64_t child_key = n_slots_ < kMaxTreeNodes ? key_of(child, path) : 0;
    __syncwarp();  // every lane has read the slot
    if (lane_ == 0) {
      tree_.node[index] = popped;
      tree_.path_log_q[index] = path;
      store(next.slot, sibling_key, sibling);
      if (child_key != 0) store(n_slots_, child_key, child);
    }
    __syncwarp();

    const int32_t group = next.slot / kWarp, at = group * kWarp + lane_;
    const Candidate refreshed = best_of_warp({tree_.key[at], at});
    if (lane_ == group) best_ = refreshed;
    if (child_key == 0) return;
    if (lane_ == n_slots_ / kWarp && lane_ != group) improve({child_key, n_slots_}, child);
    ++n_slots_;
  }

 private:
  /// 0 where the drafter ranks no such token, or gives it no probability.
  __device__ uint64_t key_of(Link link, double parent_path) const {
    if (link.depth > tree_.n_depths || link.rank >= tree_.n_ranks) return 0;
    const float log_q = tree_.log_q[(link.depth - 1) * tree_.n_ranks + link.rank];
    return std::isfinite(log_q) ? ordered_key(parent_path + static_cast<double>(log_q)) : 0;
  }

  __device__ void store(int32_t slot, uint64_t key, Link link) const {
    tree_.key[slot] = key;
    tree_.slot[slot] = link;
  }

  __device__ void improve(Candidate candidate, Link link) {
    const bool before = candidate.key > best_.key ||
                        (candidate.key == best_.key && rank_path_before(link, tree_.slot[best_.slot], tree_.node));
    if (before) best_ = candidate;
  }

  /// The first of the lanes' candidates.
  __device__ Candidate best_of_warp(Candidate mine) const {
    const uint32_t high = static_cast<uint32_t>(mine.key >> 32);
    const uint32_t best_high = __reduce_max_sync(kAllLanes, high);
    const uint32_t low = high == best_high ? static_cast<uint32_t>(mine.key) : 0;
    const uint32_t best_low = __reduce_max_sync(kAllLanes, low);
    const uint64_t best_key = static_cast<uint64_t>(best_high) << 32 | best_low;
    uint32_t tied = __ballot_sync(kAllLanes, mine.key == best_key);
    int32_t best = __shfl_sync(kAllLanes, mine.slot, __ffs(tied) - 1);
    if (best_key == 0) return {0, best};
    for (tied &= tied - 1; tied != 0; tied &= tied - 1) {
      const int32_t other = __shfl_sync(kAllLanes, mine.slot, __ffs(tied) - 1);
      if (rank_path_before(tree_.slot[other], tree_.slot[best], tree_.node)) best = other;
    }
    return {best_key, best};
  }

  GrowingTree tree_;
  int32_t lane_;
  Candidate best_;       // of group `lane`
  int32_t n_slots_ = 0;  // ever used
};

}  // namespace draftscope::cuda
