// The candidates of a growing tree, kept by one warp.
//
// They live in 32 groups of 32 slots in shared memory, and lane g remembers the best of group g. After a pop one warp
// maximum, over the 32 slots of the group it came from, restores the lane's knowledge, and another, over the lanes,
// finds the next pop; as long as there is one group, the first is enough. A popped candidate's next sibling takes its
// slot and its first child the next free one, so growth of r trees to n nodes needs n + r - 1 slots.
#pragma once

#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>

#include "kernels/cuda/launch.h"
#include "kernels/shared/frontier.h"

namespace draftscope::cuda {

constexpr uint32_t kAllLanes = 0xFFFFFFFFu;

/// Trees and their frontier while they grow in one order; all arrays but log_q in shared memory.
struct GrowingTrees {
  Link* node = nullptr;          // (n_roots + max_nodes,) the roots, then nodes as they are popped
  double* path_log_q = nullptr;  // (n_roots + max_nodes,)
  uint64_t* key = nullptr;       // (kMaxTreeNodes,) ordered_key of a candidate's path log q; 0: no candidate
  Link* slot = nullptr;          // (kMaxTreeNodes,)
  const float* log_q = nullptr;  // (n_roots * n_depths, row_stride)
  int32_t n_roots = 1, n_depths = 0, n_ranks = 0, row_stride = 0;

  /// Rank `rank` at `depth` of a text; finite where the drafter gives it any probability.
  __device__ float log_q_at(int32_t text, int32_t depth, int32_t rank) const {
    return log_q[(text * n_depths + depth - 1) * row_stride + rank];
  }
};

class Frontier {
 public:
  struct Candidate {
    uint64_t key = 0;  // 0: none
    int32_t slot = 0;

    __device__ bool exists() const { return key != 0; }
    __device__ double log_q() const { return from_ordered_key(key); }
  };

  /// The roots' first children. All of tree.key is 0; roots and their paths are set. Called by the whole warp, as all below.
  __device__ Frontier(const GrowingTrees& tree, int32_t lane) : tree_(tree), lane_(lane) {
    for (int32_t text = 0; text < tree_.n_roots; ++text) {
      const Link first = first_of(text);
      const uint64_t key = key_of(first, 0.0);
      if (lane_ == 0) store(text, key, first);
      // Of equal ones the earlier text's stays: it is there already.
      if (lane_ == text / kWarp && key > best_.key) best_ = {key, text};
    }
    __syncwarp();
    n_slots_ = tree_.n_roots;
    next_ = best_of_warp(best_);
  }

  /// The candidate that the next pop adds, the same on every lane.
  __device__ Candidate next() const { return next_; }
  /// Nodes below the roots so far.
  __device__ int32_t n_nodes() const { return n_nodes_; }

  /// Makes the next candidate, which exists, its tree's next node, and its sibling and child candidates.
  __device__ void pop() {
    const int32_t index = tree_.n_roots + n_nodes_++;
    const Link popped = tree_.slot[next_.slot];
    const double path = next_.log_q();
    const Link sibling{popped.parent, popped.depth, static_cast<uint16_t>(popped.rank + 1), popped.text};
    const Link child{static_cast<uint16_t>(index), static_cast<uint16_t>(popped.depth + 1), 0,
                     popped.text};
    const uint64_t sibling_key = key_of(sibling, tree_.path_log_q[popped.parent]);
    // Without a slot left this was the last pop: every pop takes at most one.
    const uint64_t child_key = n_slots_ < kMaxTreeNodes ? key_of(child, path) : 0;
    __syncwarp();  // every lane has read the slot
    if (lane_ == 0) {
      tree_.node[index] = popped;
      tree_.path_log_q[index] = path;
      store(next_.slot, sibling_key, sibling);
      if (child_key != 0) store(n_slots_, child_key, child);
    }
    __syncwarp();

    const int32_t group = next_.slot / kWarp, at = group * kWarp + lane_;
    next_ = best_of_warp({tree_.key[at], at});
    if (lane_ == group) best_ = next_;
    if (child_key != 0) {
      if (lane_ == n_slots_ / kWarp && lane_ != group) improve({child_key, n_slots_}, child);
      ++n_slots_;
    }
    if (n_slots_ > kWarp) next_ = best_of_warp(best_);
  }

 private:
  /// The first candidate of a text; its root is the node of that number.
  __device__ static Link first_of(int32_t text) {
    return {static_cast<uint16_t>(text), 1, 0, static_cast<uint16_t>(text)};
  }

  /// 0 where the drafter ranks no such token, or gives it no probability.
  __device__ uint64_t key_of(Link link, double parent_path) const {
    if (link.depth > tree_.n_depths || link.rank >= tree_.n_ranks) return 0;
    const float log_q = tree_.log_q_at(link.text, link.depth, link.rank);
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

  GrowingTrees tree_;
  int32_t lane_;
  Candidate best_;       // of group `lane`
  Candidate next_;       // of all
  int32_t n_slots_ = 0;  // ever used
  int32_t n_nodes_ = 0;
};

}  // namespace draftscope::cuda
