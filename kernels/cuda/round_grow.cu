// Growth of a draft tree and the decision how much of it to verify: one block, of which one warp pops.
#include <cmath>

#include "kernels/cuda/budget_warp.cuh"
#include "kernels/cuda/round.h"
#include "kernels/cuda/round_clock.cuh"
#include "kernels/cuda/verify_rows.cuh"
#include "kernels/shared/cost_row.h"

namespace draftscope::cuda {

extern __shared__ uint4 dynamic_shared[];

namespace {

constexpr int32_t kThreads = 256;

int32_t ranks_at_most(const RoundView& round) { return min(round.marginals.k, round.max_nodes); }

size_t shared_bytes(const RoundView& round) {
  const size_t n_nodes = static_cast<size_t>(round.max_nodes) + 1;
  return sizeof(uint64_t) * kMaxTreeNodes + 2 * sizeof(double) * n_nodes + sizeof(Link) * (kMaxTreeNodes + n_nodes) +
         sizeof(float) * static_cast<size_t>(round.n_depths) * static_cast<size_t>(ranks_at_most(round));
}

struct GrowMemory {
  GrowingTree tree;
  double* cost_s;  // (max_nodes + 1,) what the rule looks at
  float* log_q;    // tree.log_q, to be filled
};

__device__ GrowMemory place(const RoundView& round, const RoundParams& params, char* memory) {
  const int32_t n_nodes = round.max_nodes + 1;
  GrowMemory placed;
  GrowingTree& tree = placed.tree;
  const auto take = [&memory](size_t n_bytes) {
    char* taken = memory;
    memory += n_bytes;
    return taken;
  };
  tree.key = reinterpret_cast<uint64_t*>(take(sizeof(uint64_t) * kMaxTreeNodes));
  tree.path_log_q = reinterpret_cast<double*>(take(sizeof(double) * n_nodes));
  placed.cost_s = reinterpret_cast<double*>(take(sizeof(double) * n_nodes));
  tree.slot = reinterpret_cast<Link*>(take(sizeof(Link) * kMaxTreeNodes));
  tree.node = reinterpret_cast<Link*>(take(sizeof(Link) * n_nodes));
  placed.log_q = reinterpret_cast<float*>(memory);
  tree.log_q = placed.log_q;
  tree.n_depths = round.n_depths;
  // A node of rank r has r siblings before it, so deeper ranks never join.
  tree.n_ranks = min(round.marginals.k, params.max_nodes);
  if (params.n_ranks > 0) tree.n_ranks = min(tree.n_ranks, params.n_ranks);
  return placed;
}

// Seconds by tree size at this context, as CostTable::at and RoundCost::total_s give them.
__device__ void load_costs(const RoundView& round, const RoundParams& params, int32_t context_len, double* cost_s) {
  const bool is_faithful = params.rule == GrowRule::kThetaFalls;
  if (!is_faithful && params.rule != GrowRule::kExact && params.rule != GrowRule::kExactFill) return;
  const CostRow at = cost_row(round.cost.context, params.n_contexts, context_len);
  const double draft_s = at.blend(round.cost.draft_s[at.low], round.cost.draft_s[at.high]);
  const double base_s = is_faithful ? draft_s : draft_s + params.overhead_s;
  const double* table = is_faithful ? round.cost.faithful_s : round.cost.verify_s;
  const double* low = table + static_cast<int64_t>(at.low) * (round.max_nodes + 1);
  const double* high = table + static_cast<int64_t>(at.high) * (round.max_nodes + 1);
  for (int32_t n = static_cast<int32_t>(threadIdx.x); n <= params.max_nodes; n += kThreads) {
    cost_s[n] = base_s + at.blend(low[n], high[n]);
  }
}

__device__ void load(const RoundView& round, const RoundParams& params, int32_t context_len, const GrowMemory& memory) {
  const GrowingTree& tree = memory.tree;
  const int32_t thread = static_cast<int32_t>(threadIdx.x);
  if (params.rule != GrowRule::kRoot) {
    for (int32_t i = thread; i < tree.n_depths * tree.n_ranks; i += kThreads) {
      const int32_t row = i / tree.n_ranks;
      memory.log_q[i] = round.marginals.log_p[row * round.marginals.k + i - row * tree.n_ranks];
    }
  }
  for (int32_t i = thread; i < kMaxTreeNodes; i += kThreads) tree.key[i] = 0;
  load_costs(round, params, context_len, memory.cost_s);
  if (thread == 0) {
    tree.node[0] = {kNoParent, 0, 0};
    tree.path_log_q[0] = 0;
  }
}

// Lane 0 makes the decision known: to the kernels that follow and, as soon as it is made, to the host.
__device__ void announce(const RoundView& round, const RoundParams& params, RoundState& state, const Grown& grown) {
  state.n_grown = grown.n_grown;
  state.n_chosen = grown.n_chosen;
  state.stop = grown.stop;
  state.bucket = bucket_of(params, grown.n_chosen + 1);
  *static_cast<volatile uint64_t*>(round.grown_word) = grown_word_of(state.seq, {grown.n_chosen + 1, state.bucket});
}

__device__ int32_t token_of(const RoundView& round, const RoundState& state, const Link* tree, int32_t node) {
  if (node == 0) return state.root_token;
  return round.marginals.token[(tree[node].depth - 1) * round.marginals.k + tree[node].rank];
}

__device__ void write_tree(const RoundView& round, const RoundState& state, const GrowingTree& tree) {
  for (int32_t node = static_cast<int32_t>(threadIdx.x); node <= state.n_grown; node += kThreads) {
    const Link link = tree.node[node];
    round.tree.token[node] = token_of(round, state, tree.node, node);
    round.tree.parent[node] = node == 0 ? -1 : link.parent;
    round.tree.depth[node] = link.depth;
    round.tree.rank[node] = link.rank;
    round.tree.path_log_q[node] = tree.path_log_q[node];
  }
}

__device__ void write_rows(const RoundView& round, const RoundState& state, const Link* tree) {
  const int32_t words = (state.bucket + 31) / 32;
  for (int32_t row = static_cast<int32_t>(threadIdx.x); row < state.bucket; row += kThreads) {
    for (int32_t word = 0; word < words; ++word) round.verify.extra_bits[row * words + word] = 0;
    if (row <= state.n_chosen) {
      node_row(round.verify, row, token_of(round, state, tree, row), tree, state.context_len, words);
    } else {
      pad_row(round.verify, row);
    }
  }
}

__global__ void __launch_bounds__(kThreads) grow_kernel(RoundView round) {
  follow();
  const RoundParams& params = *round.params;
  RoundState& state = *round.state;
  const int32_t thread = static_cast<int32_t>(threadIdx.x);
  const GrowMemory memory = place(round, params, reinterpret_cast<char*>(dynamic_shared));
  if (thread == 0) set_mark(state, Mark::kDrafted);
  load(round, params, state.context_len, memory);
  __syncthreads();
  if (thread < kWarp) {
    const Grown grown = grow_by_rule(memory.tree, params, memory.cost_s, thread);
    if (thread == 0) announce(round, params, state, grown);
  }
  __syncthreads();
  write_tree(round, state, memory.tree);
  write_rows(round, state, memory.tree.node);
  if (thread == 0) set_mark(state, Mark::kGrown);
}

}  // namespace

void allow_grow(const RoundView& round) { allow_shared(grow_kernel, shared_bytes(round)); }

void grow(const RoundView& round, LaunchStream stream) {
  launch(grow_kernel, dim3(1), dim3(kThreads), shared_bytes(round), stream, round);
}

}  // namespace draftscope::cuda
