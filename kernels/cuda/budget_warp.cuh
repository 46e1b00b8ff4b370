// Growth of one warp under a budget rule; what engine/speculate/budget.cpp does on the host.
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

/// The largest tree that costs no more rows than one of n nodes once the pass is padded; at most `last` nodes.
__device__ inline int32_t filled(const RoundParams& params, int32_t n, int32_t last) {
  const int32_t multiple = params.fill_rows;
  const int32_t rows = multiple > 0 ? (n + multiple) / multiple * multiple : bucket_of(params, n + 1);
  return min(rows - 1, last);
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

/// Pops until the tree has `last` nodes below the root, or nothing is left; returns how many it has.
__device__ inline int32_t grow_to(Frontier& frontier, int32_t n, int32_t last) {
  for (; n < last; ++n) {
    const Frontier::Candidate next = frontier.next();
    if (!next.exists()) break;
    frontier.pop(next, n + 1);
  }
  return n;
}

__device__ inline Grown grow_fixed(Frontier& frontier, int32_t asked, int32_t max_nodes) {
  const int32_t n = grow_to(frontier, 0, min(asked, max_nodes));
  if (n == asked) return {n, n, RoundStop::kFixedBudget};
  return {n, n, n == max_nodes ? RoundStop::kNodeLimit : RoundStop::kHeapEmpty};
}

/// The most likely chain; lane 0 writes it, since every node needs the one before.
__device__ inline Grown grow_chain(const GrowingTree& tree, int32_t max_nodes, int32_t lane) {
  const int32_t last = tree.n_ranks == 0 ? 0 : min(tree.n_depths, max_nodes);
  int32_t n = 0;
  double path = 0;
  for (; n < last; ++n) {
    const float log_q = tree.log_q[n * tree.n_ranks];
    if (!std::isfinite(log_q)) break;
    path += static_cast<double>(log_q);
    if (lane != 0) continue;
    tree.node[n + 1] = {static_cast<uint16_t>(n), static_cast<uint16_t>(n + 1), 0};
    tree.path_log_q[n + 1] = path;
  }
  if (n == tree.n_depths) return {n, n, RoundStop::kFixedBudget};
  return {n, n, n == max_nodes ? RoundStop::kNodeLimit : RoundStop::kHeapEmpty};
}

/// CaDDTree: pops while theta rises. cost_s (max_nodes + 1,): draft and C_v(n).
__device__ inline Grown grow_while_theta_rises(Frontier& frontier, const double* cost_s, int32_t max_nodes) {
  double phi = 0, theta = 1 / cost_s[0];
  for (int32_t n = 0; n < max_nodes; ++n) {
    const Frontier::Candidate next = frontier.next();
    if (!next.exists()) return {n, n, RoundStop::kHeapEmpty};
    phi += std::exp(next.log_q());
    const double next_theta = (1 + phi) / cost_s[n + 1];
    if (next_theta <= theta) return {n, n, RoundStop::kThetaFell};
    theta = next_theta;
    frontier.pop(next, n + 1);
  }
  return {max_nodes, max_nodes, RoundStop::kNodeLimit};
}

/// Pops until no larger tree can win; the winner is the smallest argmax so far. cost_s (max_nodes + 1,): the whole round.
__device__ inline Grown grow_until_proved(Frontier& frontier, const double* cost_s, int32_t max_nodes, int32_t lane) {
  WarpBound bound(cost_s, max_nodes, lane);
  double phi = 0, best_theta = 1 / cost_s[0];
  int32_t best = 0;
  for (int32_t n = 0; n < max_nodes; ++n) {
    const Frontier::Candidate next = frontier.next();
    if (!next.exists()) return {n, best, RoundStop::kHeapEmpty};
    const double next_q = std::exp(next.log_q());
    if (bound.nothing_beats(best_theta, n, 1 + phi, next_q)) return {n, best, RoundStop::kBoundProved};
    frontier.pop(next, n + 1);
    phi += next_q;
    const double theta = (1 + phi) / cost_s[n + 1];
    if (theta > best_theta) {
      best_theta = theta;
      best = n + 1;
    }
  }
  return {max_nodes, best, RoundStop::kNodeLimit};
}

/// Grows `tree`, whose root is set, by the round's rule.
__device__ inline Grown grow_by_rule(const GrowingTree& tree, const RoundParams& params, const double* cost_s,
                                     int32_t lane) {
  const int32_t max_nodes = params.max_nodes;
  if (params.rule == GrowRule::kRoot) return {0, 0, RoundStop::kFixedBudget};
  if (params.rule == GrowRule::kChain) return grow_chain(tree, max_nodes, lane);
  Frontier frontier(tree, lane);
  if (params.rule == GrowRule::kFixed) return grow_fixed(frontier, params.budget, max_nodes);
  if (params.rule == GrowRule::kThetaFalls) return grow_while_theta_rises(frontier, cost_s, max_nodes);
  Grown grown = grow_until_proved(frontier, cost_s, max_nodes, lane);
  if (params.rule == GrowRule::kExactFill) {
    grown.n_grown = grow_to(frontier, grown.n_grown, filled(params, grown.n_grown, max_nodes));
    grown.n_chosen = filled(params, grown.n_chosen, grown.n_grown);
  }
  return grown;
}

}  // namespace draftscope::cuda
