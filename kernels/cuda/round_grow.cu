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

size_t log_q_bytes(const RoundView& round) {
  return sizeof(float) * static_cast<size_t>(round.max_texts) * static_cast<size_t>(round.n_depths) *
         static_cast<size_t>(ranks_at_most(round));
}
size_t tree_bytes(const RoundView& round) {
  const size_t n_nodes = static_cast<size_t>(round.max_nodes) + static_cast<size_t>(round.max_texts);
  return sizeof(uint64_t) * kMaxTreeNodes + 2 * sizeof(double) * n_nodes + sizeof(Link) * (kMaxTreeNodes + n_nodes) +
         sizeof(uint16_t) * (n_nodes + n_nodes % 2);
}
// Drafts of many texts stay where the head left them: two of their numbers are read per pop.
bool stages_log_q(const RoundView& round) { return tree_bytes(round) + log_q_bytes(round) <= most_shared_bytes(); }
size_t shared_bytes(const RoundView& round) {
  return tree_bytes(round) + (stages_log_q(round) ? log_q_bytes(round) : 0);
}

struct GrowMemory {
  GrowingTrees trees;
  double* cost_s;   // (max_nodes + 1,) what the rule looks at
  uint16_t* place;  // (n_roots + max_nodes,) of each node in its own tree
  float* log_q;     // trees.log_q, to be filled; null: the marginals themselves
};

__device__ GrowMemory memory_at(char* memory, const RoundView& round, const RoundParams& params, bool stages) {
  const int32_t n_nodes = round.max_nodes + round.max_texts;
  GrowMemory placed;
  GrowingTrees& trees = placed.trees;
  const auto take = [&memory](size_t n_bytes) {
    char* taken = memory;
    memory += n_bytes;
    return taken;
  };
  trees.key = reinterpret_cast<uint64_t*>(take(sizeof(uint64_t) * kMaxTreeNodes));
  trees.path_log_q = reinterpret_cast<double*>(take(sizeof(double) * n_nodes));
  placed.cost_s = reinterpret_cast<double*>(take(sizeof(double) * n_nodes));
  trees.slot = reinterpret_cast<Link*>(take(sizeof(Link) * kMaxTreeNodes));
  trees.node = reinterpret_cast<Link*>(take(sizeof(Link) * n_nodes));
  placed.place = reinterpret_cast<uint16_t*>(take(sizeof(uint16_t) * (n_nodes + n_nodes % 2)));
  placed.log_q = stages ? reinterpret_cast<float*>(memory) : nullptr;
  trees.n_roots = round.n_texts;
  trees.n_depths = round.n_depths;
  // A node of rank r has r siblings before it, so deeper ranks never join.
  trees.n_ranks = min(round.marginals.k, params.max_nodes);
  if (params.n_ranks > 0) trees.n_ranks = min(trees.n_ranks, params.n_ranks);
  trees.log_q = stages ? placed.log_q : round.marginals.log_p;
  trees.row_stride = stages ? trees.n_ranks : round.marginals.k;
  return placed;
}

__device__ int32_t mean_context(const RoundView& round) {
  int64_t sum = 0;
  for (int32_t text = 0; text < round.n_texts; ++text) sum += round.texts[text].context_len;
  return static_cast<int32_t>(sum / round.n_texts);
}

// Seconds by nodes of all trees, as CostTable::at or pass_cost and then RoundCost::total_s give them.
__device__ void load_costs(const RoundView& round, const RoundParams& params, double* cost_s) {
  const bool is_faithful = params.rule == GrowRule::kThetaFalls;
  if (!is_faithful && params.rule != GrowRule::kExact && params.rule != GrowRule::kExactFill) return;
  const CostRow at = cost_row(round.cost.context, params.n_contexts, mean_context(round));
  const double* table = is_faithful ? round.cost.faithful_s : round.cost.verify_s;
  const double* low = table + static_cast<int64_t>(at.low) * (round.cost.n_nodes + 1);
  const double* high = table + static_cast<int64_t>(at.high) * (round.cost.n_nodes + 1);
  double draft_s = at.blend(round.cost.draft_s[at.low], round.cost.draft_s[at.high]), overhead_s = params.overhead_s;
  const int32_t more_roots = round.n_texts - 1, block_rows = round.n_depths + 1;
  if (more_roots > 0) {
    const int32_t one = block_rows - 1, all = round.n_texts * block_rows - 1;
    draft_s = product(draft_s, at.blend(low[all], high[all]) / at.blend(low[one], high[one]));
    overhead_s = product(overhead_s, static_cast<double>(round.n_texts));
  }
  const double base_s = is_faithful ? draft_s : draft_s + overhead_s;
  for (int32_t n = static_cast<int32_t>(threadIdx.x); n <= params.max_nodes; n += kThreads) {
    cost_s[n] = base_s + at.blend(low[n + more_roots], high[n + more_roots]);
  }
}

__device__ void load(const RoundView& round, const RoundParams& params, const GrowMemory& memory) {
  const GrowingTrees& trees = memory.trees;
  const int32_t thread = static_cast<int32_t>(threadIdx.x);
  if (params.rule != GrowRule::kRoot && memory.log_q != nullptr) {
    for (int32_t i = thread; i < trees.n_roots * trees.n_depths * trees.n_ranks; i += kThreads) {
      const int32_t row = i / trees.n_ranks;
      memory.log_q[i] = round.marginals.log_p[row * round.marginals.k + i - row * trees.n_ranks];
    }
  }
  for (int32_t i = thread; i < kMaxTreeNodes; i += kThreads) trees.key[i] = 0;
  load_costs(round, params, memory.cost_s);
  for (int32_t text = thread; text < trees.n_roots; text += kThreads) {
    trees.node[text] = {kNoParent, 0, 0, static_cast<uint16_t>(text)};
    trees.path_log_q[text] = 0;
  }
}

// Lane 0 makes the decision known: to the kernels that follow and, as soon as it is made, to the host.
__device__ void announce(const RoundView& round, const RoundParams& params, RoundState& state, const Grown& grown) {
  state.n_grown = round.n_texts == 1 ? grown.n_grown : grown.n_chosen;
  state.n_chosen = grown.n_chosen;
  state.stop = grown.stop;
  const int32_t n_rows = grown.n_chosen + round.n_texts;
  state.bucket = bucket_of(params, n_rows);
  *static_cast<volatile uint64_t*>(round.grown_word) = grown_word_of(state.seq, {n_rows, state.bucket});
}

__device__ uint16_t place_in_tree(const GrowingTrees& trees, int32_t node) {
  if (trees.n_roots == 1) return static_cast<uint16_t>(node);
  if (node < trees.n_roots) return 0;
  uint16_t place = 1;
  for (int32_t i = trees.n_roots; i < node; ++i) place += trees.node[i].text == trees.node[node].text;
  return place;
}

// Which of the pass's rows are whose. Every thread counts for itself: a list of a thousand nodes at most, in shared memory.
__device__ void share_rows(const RoundView& round, const RoundParams& params, const RoundState& state,
                           const GrowMemory& memory) {
  const GrowingTrees& trees = memory.trees;
  for (int32_t node = static_cast<int32_t>(threadIdx.x); node < trees.n_roots + state.n_grown; node += kThreads) {
    memory.place[node] = place_in_tree(trees, node);
  }
  for (int32_t t = static_cast<int32_t>(threadIdx.x); t < trees.n_roots; t += kThreads) {
    int32_t n_before = 0, n_own = 0;
    for (int32_t i = trees.n_roots; i < trees.n_roots + state.n_chosen; ++i) {
      n_before += trees.node[i].text < t;
      n_own += trees.node[i].text == t;
    }
    TextRound& text = round.texts[t];
    text.first_row = t + n_before;
    text.n_chosen = n_own;
    text.n_grown = trees.n_roots == 1 ? state.n_grown : n_own;
    text.first_new = text.target_first + text.context_len;
    text.stop = params.rule == GrowRule::kChain ? chain_stop(n_own, round.n_depths, params.max_nodes) : state.stop;
  }
}

__device__ void write_node(const RoundView& round, const RoundState& state, const GrowMemory& memory, int32_t node) {
  const Link link = memory.trees.node[node];
  const TextRound& text = round.texts[link.text];
  const int32_t row = text.first_row + memory.place[node], q_row = link.text * round.n_depths + link.depth - 1;
  const int32_t token = link.depth == 0 ? text.root_token : round.marginals.token[q_row * round.marginals.k + link.rank];
  round.tree.token[row] = token;
  round.tree.parent[row] = link.depth == 0 ? -1 : memory.place[link.parent];
  round.tree.depth[row] = link.depth;
  round.tree.rank[row] = link.rank;
  round.tree.path_log_q[row] = memory.trees.path_log_q[node];
  round.tree.text[row] = link.text;
  if (node >= round.n_texts + state.n_chosen) return;
  node_row(round.verify, text, node, token, memory.trees.node, memory.place, (state.bucket + 31) / 32);
}

__device__ void write_padding(const RoundView& round, const RoundState& state) {
  const int32_t words = (state.bucket + 31) / 32, first = round.n_texts + state.n_chosen;
  for (int32_t row = first + static_cast<int32_t>(threadIdx.x); row < state.bucket; row += kThreads) {
    for (int32_t word = 0; word < words; ++word) round.verify.extra_bits[row * words + word] = 0;
    pad_row(round.verify, row);
  }
}

__global__ void __launch_bounds__(kThreads) grow_kernel(RoundView round, bool stages) {
  follow();
  const RoundParams& params = *round.params;
  RoundState& state = *round.state;
  const int32_t thread = static_cast<int32_t>(threadIdx.x);
  const GrowMemory memory = memory_at(reinterpret_cast<char*>(dynamic_shared), round, params, stages);
  if (thread == 0) {
    set_mark(state, Mark::kDrafted);
    // A loop's first round begins here when it has no draft_rows.
    int64_t& began_ns = state.mark_ns[static_cast<int32_t>(Mark::kBegan)];
    if (began_ns == 0) began_ns = state.mark_ns[static_cast<int32_t>(Mark::kDrafted)];
  }
  load(round, params, memory);
  __syncthreads();
  if (thread < kWarp) {
    const Grown grown = grow_by_rule(memory.trees, params, memory.cost_s, thread);
    if (thread == 0) announce(round, params, state, grown);
  }
  __syncthreads();
  share_rows(round, params, state, memory);
  __syncthreads();
  for (int32_t node = thread; node < round.n_texts + state.n_grown; node += kThreads) {
    write_node(round, state, memory, node);
  }
  write_padding(round, state);
  if (thread == 0) set_mark(state, Mark::kGrown);
}

}  // namespace

// All of a block's shared memory is asked for below: the kernel may have none of its own.
void grow(const RoundView& round, LaunchStream stream) {
  [[maybe_unused]] static const bool is_allowed = (allow_shared(grow_kernel, most_shared_bytes()), true);
  launch(grow_kernel, dim3(1), dim3(kThreads), shared_bytes(round), stream, round, stages_log_q(round));
}

}  // namespace draftscope::cuda
