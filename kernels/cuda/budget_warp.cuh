// Growth of one warp under a budget rule; what engine/speculate/budget.cpp and, for several texts, shared_budget.cpp do on
// the host. Numbers of nodes count those below the roots of all trees.
#pragma once

#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>

#include "kernels/cuda/frontier.cuh"
#include "kernels/cuda/round.h"

namespace draftscope::cuda {

/// What growth came to.
struct Grown {
  int32_t n_grown = 0, n_chosen = 0;
  RoundStop stop = RoundStop::kNone;
};

/// The smallest bucket with room for n_rows.
__device__ inline int32_t bucket_of(const RoundParams& params, int32_t n_rows) {
  int32_t i = 0;
  while (i + 1 < params.n_buckets && params.bucket_rows[i] < n_rows) ++i;
  return params.bucket_rows[i];
}

/// The most nodes that cost no more rows than n nodes once the pass is padded; at most `last`.
__device__ inline int32_t filled(const RoundParams& params, int32_t n_roots, int32_t n, int32_t last) {
  const int32_t multiple = params.fill_rows, asked = n + n_roots;
  const int32_t rows = multiple > 0 ? (asked - 1 + multiple) / multiple * multiple : bucket_of(params, asked);
  return min(rows - n_roots, last);
}

/// The bound of engine/speculate/budget_bound.h, checked by a warp. What is beaten once stays beaten, since later nodes
/// are less likely and the best throughput only rises; so each size is checked until it falls and never again.
class WarpBound {
 public:
  __device__ WarpBound(const double* cost_s, int32_t last, int32_t lane) : cost_s_(cost_s), last_(last), lane_(lane) {}

  /// True when no m in (n, last] can exceed best_theta.
  __device__ bool nothing_beats(double best_theta, int32_t n, double expected, double next_q) {
    constexpr double kMargin = 1 + 1e-12;
    for (; first_ <= last_; first_ += kWarp) {
      const int32_t m = first_ + lane_;
      bool alive = false;
      if (m > n && m <= last_) {
        const double bound = product(expected + product(static_cast<double>(m - n), next_q), kMargin);
        alive = bound - product(best_theta, cost_s_[m]) > 0;
      }
      if (__any_sync(kAllLanes, alive)) return false;
    }
    return true;
  }

 private:
  const double* cost_s_;  // (last + 1,)
  int32_t last_, lane_;
  int32_t first_ = 0;     // every m below it is beaten or passed
};

/// Pops until there are `last` nodes below the roots, or nothing is left; returns how many there are.
__device__ inline int32_t grow_to(Frontier& frontier, int32_t last) {
  while (frontier.n_nodes() < last && frontier.next().exists()) frontier.pop();
  return frontier.n_nodes();
}

__device__ inline Grown grow_fixed(Frontier& frontier, int32_t asked, int32_t max_nodes) {
  const int32_t n = grow_to(frontier, min(asked, max_nodes));
  if (n == asked) return {n, n, RoundStop::kFixedBudget};
  return {n, n, n == max_nodes ? RoundStop::kNodeLimit : RoundStop::kHeapEmpty};
}

/// The most likely chain of a text, after n nodes of others; returns its length. Lane 0 writes it, since every node needs
/// the one before.
__device__ inline int32_t grow_chain_of(const GrowingTrees& tree, int32_t text, int32_t n, int32_t max_nodes, int32_t lane) {
  const int32_t last = tree.n_ranks == 0 ? 0 : min(tree.n_depths, max_nodes);
  int32_t parent = text, length = 0;
  double path = 0;
  for (; length < last; ++length) {
    const float log_q = tree.log_q_at(text, length + 1, 0);
    if (!std::isfinite(log_q)) break;
    path += static_cast<double>(log_q);
    const int32_t index = tree.n_roots + n + length;
    if (lane == 0) {
      tree.node[index] = {static_cast<uint16_t>(parent), static_cast<uint16_t>(length + 1), 0, static_cast<uint16_t>(text)};
      tree.path_log_q[index] = path;
    }
    parent = index;
  }
  return length;
}

/// The most likely chains. Each ends for its own reason: chain_stop.
__device__ inline Grown grow_chains(const GrowingTrees& tree, int32_t max_nodes, int32_t lane) {
  int32_t n = 0;
  for (int32_t text = 0; text < tree.n_roots; ++text) n += grow_chain_of(tree, text, n, max_nodes, lane);
  return {n, n, RoundStop::kNone};
}

__device__ inline RoundStop chain_stop(int32_t length, int32_t n_depths, int32_t max_nodes) {
  if (length == n_depths) return RoundStop::kFixedBudget;
  return length == max_nodes ? RoundStop::kNodeLimit : RoundStop::kHeapEmpty;
}

/// Nodes popped together, so that their probabilities and throughputs are worked out side by side. A rule that stops
/// among them leaves the rest of them out.
constexpr int32_t kStride = 16;

/// What lane i knows of the i-th of the nodes after the n-th.
struct Stride {
  bool is_used = false;
  double next_q = 0;           // the node's probability
  double expected_before = 1;  // tokens that the trees expect without it
  double expected = 1;         // and with it
};

/// Nodes n + 1 .. grown; phi, the sum of the probabilities so far, goes on in pop order.
__device__ inline Stride take_stride(const GrowingTrees& tree, int32_t n, int32_t grown, double& phi, int32_t lane) {
  const double n_roots = tree.n_roots;
  Stride stride;
  stride.is_used = lane < grown - n;
  if (stride.is_used) stride.next_q = std::exp(tree.path_log_q[tree.n_roots + n + lane]);
#pragma unroll
  for (int32_t i = 0; i < kStride; ++i) {
    if (i == lane) stride.expected_before = n_roots + phi;
    phi += __shfl_sync(kAllLanes, stride.next_q, i);  // 0 beyond the last node
    if (i == lane) stride.expected = n_roots + phi;
  }
  return stride;
}

/// CaDDTree, of one text: pops while theta rises. cost_s (max_nodes + 1,): draft and C_v(n).
__device__ inline Grown grow_while_theta_rises(Frontier& frontier, const GrowingTrees& tree, const double* cost_s,
                                               int32_t max_nodes, int32_t lane) {
  double phi = 0, theta = 1 / cost_s[0];
  for (int32_t n = 0; n < max_nodes;) {
    const int32_t last = min(n + kStride, max_nodes), grown = grow_to(frontier, last);
    const Stride stride = take_stride(tree, n, grown, phi, lane);
    const double with = stride.is_used ? stride.expected / cost_s[n + 1 + lane] : 0;
    double without = __shfl_up_sync(kAllLanes, with, 1);
    if (lane == 0) without = theta;
    const uint32_t fell = __ballot_sync(kAllLanes, stride.is_used && with <= without);
    if (fell != 0) {
      n += __ffs(static_cast<int>(fell)) - 1;
      return {n, n, RoundStop::kThetaFell};
    }
    if (grown < last) return {grown, grown, RoundStop::kHeapEmpty};
    theta = __shfl_sync(kAllLanes, with, grown - n - 1);
    n = grown;
  }
  return {max_nodes, max_nodes, RoundStop::kNodeLimit};
}

/// A size and its throughput; the smaller of two equal ones is better.
struct Best {
  double theta = 0;
  int32_t n = 0;
};
__device__ inline Best shift_up(Best best, int32_t lanes) {
  return {__shfl_up_sync(kAllLanes, best.theta, lanes), __shfl_up_sync(kAllLanes, best.n, lanes)};
}
__device__ inline Best of_lane(Best best, int32_t lane) {
  return {__shfl_sync(kAllLanes, best.theta, lane), __shfl_sync(kAllLanes, best.n, lane)};
}

/// On every lane the best of `so_far` and of the lanes up to it, which come in ascending n.
__device__ inline Best best_up_to(Best so_far, Best mine, int32_t lane) {
  if (lane == 0 && !(mine.theta > so_far.theta)) mine = so_far;
#pragma unroll
  for (int32_t step = 1; step < kStride; step *= 2) {
    const Best earlier = shift_up(mine, step);
    if (lane >= step && !(mine.theta > earlier.theta)) mine = earlier;
  }
  return mine;
}

/// Asks, as the host does before every pop, whether any tree beyond the first n + i nodes can still win.
__device__ inline bool is_proved(WarpBound& bound, const Stride& stride, Best before, int32_t n, int32_t i) {
  return bound.nothing_beats(__shfl_sync(kAllLanes, before.theta, i), n + i,
                             __shfl_sync(kAllLanes, stride.expected_before, i),
                             __shfl_sync(kAllLanes, stride.next_q, i));
}

/// Pops until no more nodes can win; the winner is the smallest argmax so far. cost_s (max_nodes + 1,): whole rounds.
__device__ inline Grown grow_until_proved(Frontier& frontier, const GrowingTrees& tree, const double* cost_s,
                                          int32_t max_nodes, int32_t lane) {
  WarpBound bound(cost_s, max_nodes, lane);
  double phi = 0;
  Best best{tree.n_roots / cost_s[0], 0};
  for (int32_t n = 0; n < max_nodes;) {
    const int32_t last = min(n + kStride, max_nodes), grown = grow_to(frontier, last);
    const Stride stride = take_stride(tree, n, grown, phi, lane);
    const double theta = stride.is_used ? stride.expected / cost_s[n + 1 + lane] : 0;
    const Best with = best_up_to(best, {theta, n + 1 + lane}, lane);
    Best before = shift_up(with, 1);
    if (lane == 0) before = best;
    // What is beaten stays beaten: only where the last question has no rival left can an earlier one have had none.
    WarpBound ahead = bound;
    const int32_t final = grown - n - 1;
    if (grown > n && is_proved(ahead, stride, before, n, final)) {
      int32_t i = 0;
      while (i < final && !is_proved(bound, stride, before, n, i)) ++i;
      return {n + i, of_lane(before, i).n, RoundStop::kBoundProved};
    }
    bound = ahead;
    if (grown > n) best = of_lane(with, final);
    if (grown < last) return {grown, best.n, RoundStop::kHeapEmpty};
    n = grown;
  }
  return {max_nodes, best.n, RoundStop::kNodeLimit};
}

/// Grows the trees, whose roots are set, by the round's rule.
__device__ inline Grown grow_by_rule(const GrowingTrees& tree, const RoundParams& params, const double* cost_s,
                                     int32_t lane) {
  const int32_t max_nodes = params.max_nodes;
  if (params.rule == GrowRule::kRoot) return {0, 0, RoundStop::kFixedBudget};
  if (params.rule == GrowRule::kChain) return grow_chains(tree, max_nodes, lane);
  Frontier frontier(tree, lane);
  if (params.rule == GrowRule::kFixed) return grow_fixed(frontier, params.budget, max_nodes);
  if (params.rule == GrowRule::kThetaFalls) {
    return grow_while_theta_rises(frontier, tree, cost_s, max_nodes, lane);
  }
  Grown grown = grow_until_proved(frontier, tree, cost_s, max_nodes, lane);
  if (params.rule == GrowRule::kExactFill) {
    const int32_t edge = filled(params, tree.n_roots, grown.n_grown, max_nodes);
    grown.n_grown = min(edge, grow_to(frontier, edge));
    grown.n_chosen = filled(params, tree.n_roots, grown.n_chosen, grown.n_grown);
  }
  return grown;
}

}  // namespace draftscope::cuda
