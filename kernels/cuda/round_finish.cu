// The end of a round: its record goes to the ring, and the state moves on.
#include "kernels/cuda/launch.h"
#include "kernels/cuda/round.h"
#include "kernels/cuda/round_clock.cuh"

namespace draftscope::cuda {
namespace {

constexpr int32_t kThreads = 256;

// The block copies n elements to `offset` bytes into the slot.
template <class T>
__device__ void put(char* slot, int64_t offset, const T* from, int32_t n) {
  T* to = reinterpret_cast<T*>(slot + offset);
  for (int32_t i = static_cast<int32_t>(threadIdx.x); i < n; i += kThreads) to[i] = from[i];
}

// The first n_ranks columns of the marginals, packed.
template <class T>
__device__ void put_ranks(char* slot, int64_t offset, const T* from, int32_t k, int32_t n_depths, int32_t n_ranks) {
  T* to = reinterpret_cast<T*>(slot + offset);
  for (int32_t i = static_cast<int32_t>(threadIdx.x); i < n_depths * n_ranks; i += kThreads) {
    const int32_t row = i / n_ranks;
    to[i] = from[row * k + i - row * n_ranks];
  }
}

__device__ void put_arrays(const RoundView& round, const SlotHeader& header, char* slot) {
  const SlotLayout& at = round.ring.layout;
  const int32_t n_nodes = header.n_grown + 1, n_rows = header.n_chosen + 1, k = round.marginals.k;
  put(slot, at.path_log_q, round.tree.path_log_q, n_nodes);
  put(slot, at.token, round.tree.token, n_nodes);
  put(slot, at.parent, round.tree.parent, n_nodes);
  put(slot, at.depth, round.tree.depth, n_nodes);
  put(slot, at.rank, round.tree.rank, n_nodes);
  put_ranks(slot, at.q_token, round.marginals.token, k, header.n_depths, header.n_ranks);
  put_ranks(slot, at.q_log_q, round.marginals.log_p, k, header.n_depths, header.n_ranks);
  put(slot, at.choice, round.choice, n_rows);
  put(slot, at.choice_log_p, round.choice_log_p, n_rows);
  put(slot, at.path, round.kept, header.n_kept);
}

__device__ SlotHeader header_of(const RoundView& round, const RoundState& state) {
  SlotHeader header;
  header.seq = state.seq;
  header.context_len = state.context_len;
  header.root_token = state.root_token;
  header.n_grown = state.n_grown;
  header.n_chosen = state.n_chosen;
  header.bucket = state.bucket;
  header.stop = state.stop;
  if (round.params->has_draft != 0) {
    header.n_depths = round.n_depths;
    header.n_ranks = min(round.marginals.k, round.ring.layout.n_ranks);
  }
  header.n_kept = state.n_kept;
  header.bonus = state.bonus;
  for (int32_t mark = 0; mark <= kRoundStages; ++mark) header.stage_end_ns[mark] = state.stage_end_ns[mark];
  return header;
}

__device__ void advance(RoundState& state) {
  state.seq += 1;
  state.context_len += state.n_kept;
  state.drafter_len += state.n_new;
  state.n_new = state.n_kept;
  state.root_token = state.bonus;
  // A round without a drafter has no draft_rows to say when it begins.
  state.stage_end_ns[static_cast<int32_t>(Mark::kBegin)] = state.stage_end_ns[static_cast<int32_t>(Mark::kCommitted)];
}

__global__ void __launch_bounds__(kThreads) finish_kernel(RoundView round) {
  follow();
  RoundState& state = *round.state;
  const int32_t thread = static_cast<int32_t>(threadIdx.x);
  char* slot = round.ring.slots + state.seq % round.ring.n_slots * round.ring.layout.n_bytes;
  volatile uint64_t* written = reinterpret_cast<volatile uint64_t*>(slot);
  if (thread == 0) {
    set_mark(state, Mark::kCommitted);
    *written = 0;
    __threadfence_system();  // a host that still reads the old round sees this before any new byte
  }
  __syncthreads();
  const SlotHeader header = header_of(round, state);
  if (thread == 0) *reinterpret_cast<SlotHeader*>(slot) = header;
  put_arrays(round, header, slot);
  __syncthreads();
  if (thread != 0) return;
  __threadfence_system();  // a host that sees the number sees the bytes of all threads
  *written = static_cast<uint64_t>(header.seq) + 1;
  advance(state);
}

}  // namespace

void finish(const RoundView& round, LaunchStream stream) {
  launch(finish_kernel, dim3(1), dim3(kThreads), 0, stream, round);
}

}  // namespace draftscope::cuda
