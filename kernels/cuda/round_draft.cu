// The rows of the drafter's two passes: features it has not taken in, and the block that it fills.
#include "kernels/cuda/launch.h"
#include "kernels/cuda/round.h"
#include "kernels/cuda/round_clock.cuh"
#include "kernels/cuda/verify_rows.cuh"

namespace draftscope::cuda {
namespace {

constexpr int32_t kThreads = 128;

__device__ void context_row(const RowsArrays& rows, int32_t r, int32_t at) {
  rows.token[r] = 0;  // features come instead
  rows.position[r] = at;
  rows.cache_row[r] = at;
  rows.first_key[r] = 0;
  rows.n_contiguous[r] = at + 1;
}

// The block follows a context of `begin` tokens, is seen whole by each of its rows, and each sees at most the keys of
// `window` (0: all) up to its own place.
__device__ void block_row(const RowsArrays& rows, int32_t r, int32_t begin, int32_t window, int32_t token) {
  const int32_t end = begin + rows.n_rows;
  const int32_t first = window == 0 ? 0 : max(0, begin + r - window + 1);
  rows.token[r] = token;
  rows.position[r] = begin + r;
  rows.cache_row[r] = begin + r;
  rows.first_key[r] = first;
  rows.n_contiguous[r] = end - first;
}

__global__ void __launch_bounds__(kThreads) draft_rows_kernel(RoundView round, DraftRows rows) {
  follow();
  RoundState& state = *round.state;
  const int32_t thread = static_cast<int32_t>(threadIdx.x), begin = state.drafter_len + state.n_new;
  if (thread == 0) set_mark(state, Mark::kBegin);
  for (int32_t r = thread; r < rows.context.n_rows; r += kThreads) {
    if (r < state.n_new) {
      context_row(rows.context, r, state.drafter_len + r);
    } else {
      pad_row(rows.context, r);
    }
  }
  for (int32_t r = thread; r < rows.block.n_rows; r += kThreads) {
    block_row(rows.block, r, begin, 0, r == 0 ? state.root_token : rows.mask_token);
  }
  for (int32_t r = thread; r < rows.windowed.n_rows; r += kThreads) {
    block_row(rows.windowed, r, begin, rows.window, r == 0 ? state.root_token : rows.mask_token);
  }
}

}  // namespace

void draft_rows(const RoundView& round, const DraftRows& rows, LaunchStream stream) {
  launch(draft_rows_kernel, dim3(1), dim3(kThreads), 0, stream, round, rows);
}

}  // namespace draftscope::cuda
