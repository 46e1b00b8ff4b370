// The end of a round: its record goes to the ring, and the states move on. A block does it for one text.
#include "kernels/cuda/arrival.cuh"
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

// The first n_ranks columns of n_depths rows of k each, packed.
template <class T>
__device__ void put_ranks(char* slot, int64_t offset, const T* from, int32_t k, int32_t n_depths, int32_t n_ranks) {
  T* to = reinterpret_cast<T*>(slot + offset);
  for (int32_t i = static_cast<int32_t>(threadIdx.x); i < n_depths * n_ranks; i += kThreads) {
    const int32_t row = i / n_ranks;
    to[i] = from[row * k + i - row * n_ranks];
  }
}

__device__ void put_arrays(const RoundView& round, int32_t t, const SlotHeader& header, char* slot) {
  const SlotLayout& at = round.ring.layout;
  const int32_t n_nodes = header.n_grown + 1, n_rows = header.n_chosen + 1, k = round.marginals.k;
  const int32_t first = round.texts[t].first_row;
  const int64_t first_q = static_cast<int64_t>(t) * round.n_depths * k;
  put(slot, at.path_log_q, round.tree.path_log_q + first, n_nodes);
  put(slot, at.token, round.tree.token + first, n_nodes);
  put(slot, at.parent, round.tree.parent + first, n_nodes);
  put(slot, at.depth, round.tree.depth + first, n_nodes);
  put(slot, at.rank, round.tree.rank + first, n_nodes);
  put_ranks(slot, at.q_token, round.marginals.token + first_q, k, header.n_depths, header.n_ranks);
  put_ranks(slot, at.q_log_q, round.marginals.log_p + first_q, k, header.n_depths, header.n_ranks);
  put(slot, at.choice, round.choice + first, n_rows);
  put(slot, at.choice_log_p, round.choice_log_p + first, n_rows);
  put(slot, at.path, round.kept + t * (round.n_depths + 1), header.n_kept);
}

__device__ SlotHeader header_of(const RoundView& round, const TextRound& text, int64_t committed_ns) {
  const RoundState& state = *round.state;
  SlotHeader header;
  header.seq = state.seq;
  header.context_len = text.context_len;
  header.root_token = text.root_token;
  header.n_grown = text.n_grown;
  header.n_chosen = text.n_chosen;
  header.bucket = state.bucket;
  header.stop = text.stop;
  if (round.params->has_draft != 0) {
    header.n_depths = round.n_depths;
    header.n_ranks = min(round.marginals.k, round.ring.layout.n_ranks);
  }
  header.n_kept = text.n_kept;
  header.bonus = text.bonus;
  for (int32_t mark = 0; mark < kMarks; ++mark) header.mark_ns[mark] = state.mark_ns[mark];
  header.mark_ns[static_cast<int32_t>(Mark::kCommitted)] = committed_ns;
  return header;
}

__device__ void advance(TextRound& text) {
  text.context_len += text.n_kept;
  text.drafter_len += text.n_new;
  text.n_new = text.n_kept;
  text.root_token = text.bonus;
}

__global__ void __launch_bounds__(kThreads) finish_kernel(RoundView round) {
  __shared__ int64_t committed_ns;
  follow();
  RoundState& state = *round.state;
  const int32_t thread = static_cast<int32_t>(threadIdx.x), t = static_cast<int32_t>(blockIdx.x);
  char* slot = round.ring.slot(state.seq, t);
  volatile uint64_t* written = reinterpret_cast<volatile uint64_t*>(slot);
  if (thread == 0) {
    committed_ns = static_cast<int64_t>(now_ns());
    *written = 0;
    __threadfence_system();  // a host that still reads the old round sees this before any new byte
  }
  __syncthreads();
  const SlotHeader header = header_of(round, round.texts[t], committed_ns);
  if (thread == 0) *reinterpret_cast<SlotHeader*>(slot) = header;
  put_arrays(round, t, header, slot);
  __syncthreads();
  if (thread == 0) {
    __threadfence_system();  // a host that sees the number sees the bytes of all threads
    *written = static_cast<uint64_t>(header.seq) + 1;
    advance(round.texts[t]);
  }
  if (!arrives_last(&state.n_arrived, round.n_texts) || thread != 0) return;
  state.seq = header.seq + 1;
  // A round without a drafter has no draft_rows to say when it begins.
  state.mark_ns[static_cast<int32_t>(Mark::kBegan)] = committed_ns;
}

}  // namespace

void finish(const RoundView& round, LaunchStream stream) {
  launch(finish_kernel, dim3(round.n_texts), dim3(kThreads), 0, stream, round);
}

}  // namespace draftscope::cuda
