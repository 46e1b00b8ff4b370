// The verify pass from its first moment on: the target's choice after every verified row, and the paths through the trees that those choices spell.
#include <climits>

#include "kernels/cuda/frontier.cuh"
#include "kernels/cuda/round.h"
#include "kernels/cuda/round_clock.cuh"
#include "kernels/shared/choose_rank.h"
#include "kernels/shared/philox.h"

namespace draftscope::cuda {

extern __shared__ uint4 dynamic_shared[];

namespace {

constexpr int32_t kChooseWarps = 4;
constexpr int32_t kAcceptThreads = 256;

size_t mass_bytes(const RoundView& round) {
  return sizeof(double) * kChooseWarps * static_cast<size_t>(round.answer.k);
}

__global__ void __launch_bounds__(kWarp) begin_verify_kernel(RoundView round) {
  follow();
  if (threadIdx.x == 0) set_mark(*round.state, Mark::kVerifyBegan);
}

// A warp takes one row: its lanes temper the ranks, and lane 0 adds them up in the order that the host adds them.
__global__ void __launch_bounds__(kChooseWarps* kWarp) choose_kernel(RoundView round) {
  follow();
  RoundState& state = *round.state;
  const int32_t warp = static_cast<int32_t>(threadIdx.x) / kWarp, lane = static_cast<int32_t>(threadIdx.x) % kWarp;
  const int32_t row = static_cast<int32_t>(blockIdx.x) * kChooseWarps + warp, k = round.answer.k;
  if (row == 0 && lane == 0) set_mark(state, Mark::kVerified);
  if (row >= state.n_chosen + round.n_texts) return;
  const TextRound& text = round.texts[round.tree.text[row]];
  const TextDraws& draws = text.draws;
  const int32_t n_ranks = min(draws.n_ranks, k);
  double* mass = reinterpret_cast<double*>(dynamic_shared) + static_cast<int64_t>(warp) * k;
  const float* log_p = round.answer.log_p + static_cast<int64_t>(row) * k;
  if (draws.temperature > 0) {
    for (int32_t i = lane; i < n_ranks; i += kWarp) mass[i] = rank_mass(log_p[i], log_p[0], draws.temperature);
  }
  __syncwarp();
  if (lane != 0) return;
  int32_t rank = 0;
  if (draws.temperature > 0) {
    const int64_t position = int64_t{text.context_len} + round.tree.depth[row] + 1;
    rank = rank_of_draw(mass, n_ranks, draws.top_p, philox_uniform(draws.seed, position));
  }
  round.choice[row] = round.answer.token[static_cast<int64_t>(row) * k + rank];
  round.choice_log_p[row] = log_p[rank];
}

// follower (n_chosen + 1,): the first child of a node whose token is the target's choice after it; INT_MAX: none.
__device__ void find_followers(const RoundView& round, const TextRound& text, int32_t* follower) {
  for (int32_t node = static_cast<int32_t>(threadIdx.x) + 1; node <= text.n_chosen; node += kAcceptThreads) {
    const int32_t parent = round.tree.parent[text.first_row + node];
    if (round.tree.token[text.first_row + node] == round.choice[text.first_row + parent]) {
      atomicMin(&follower[parent], node);
    }
  }
}

// A block walks one text's tree.
__global__ void __launch_bounds__(kAcceptThreads) accept_kernel(RoundView round) {
  __shared__ int32_t follower[kMaxTreeNodes + 1];
  follow();
  const int32_t thread = static_cast<int32_t>(threadIdx.x), t = static_cast<int32_t>(blockIdx.x);
  TextRound& text = round.texts[t];
  int32_t* kept = round.kept + t * (round.n_depths + 1);
  int32_t* kept_row = round.kept_row + t * (round.n_depths + 1);
  for (int32_t node = thread; node <= text.n_chosen; node += kAcceptThreads) follower[node] = INT_MAX;
  for (int32_t i = thread; i <= round.n_depths; i += kAcceptThreads) {
    kept[i] = 0;
    kept_row[i] = text.first_row;
  }
  __syncthreads();
  find_followers(round, text, follower);
  __syncthreads();
  if (thread != 0) return;
  int32_t tip = 0, n_kept = 1;
  for (int32_t next = follower[0]; next != INT_MAX; next = follower[tip]) {
    tip = next;
    kept[n_kept] = tip;
    kept_row[n_kept++] = text.first_row + tip;
  }
  text.n_kept = n_kept;
  text.bonus = round.choice[text.first_row + tip];
  if (t == 0) set_mark(*round.state, Mark::kAccepted);
}

}  // namespace

void begin_verify(const RoundView& round, LaunchStream stream) {
  launch(begin_verify_kernel, dim3(1), dim3(kWarp), 0, stream, round);
}

void accept(const RoundView& round, int32_t n_rows, LaunchStream stream) {
  const uint32_t n_blocks = static_cast<uint32_t>((n_rows + kChooseWarps - 1) / kChooseWarps);
  launch(choose_kernel, dim3(n_blocks), dim3(kChooseWarps * kWarp), mass_bytes(round), stream, round);
  launch(accept_kernel, dim3(round.n_texts), dim3(kAcceptThreads), 0, stream, round);
}

}  // namespace draftscope::cuda
