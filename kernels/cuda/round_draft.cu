// The rows of the drafter's two passes: features it has not taken in, and the blocks that it fills.
#include "kernels/cuda/launch.h"
#include "kernels/cuda/round.h"
#include "kernels/cuda/round_clock.cuh"
#include "kernels/cuda/verify_rows.cuh"

namespace draftscope::cuda {
namespace {

constexpr int32_t kThreads = 128;

// Position `at` of a text whose first token is cached at row `first`.
__device__ void context_row(const RowsArrays& rows, int32_t r, int32_t first, int32_t at) {
  rows.token[r] = 0;  // features come instead
  rows.position[r] = at;
  rows.cache_row[r] = first + at;
  rows.first_key[r] = first;
  rows.n_contiguous[r] = at + 1;
}

// Where a text's block stands: after `begin` tokens of a text whose first is cached at row `first`.
struct BlockPlace {
  int32_t first, begin, n_rows;
};

// Slot i of the block, which is row r of the pass. It is seen whole by each of its rows, and each sees at most the keys
// of `window` (0: all) up to its own place.
__device__ void block_row(const RowsArrays& rows, int32_t r, int32_t i, const BlockPlace& block, int32_t window,
                          int32_t token) {
  const int32_t end = block.begin + block.n_rows;
  const int32_t first = window == 0 ? 0 : max(0, block.begin + i - window + 1);
  rows.token[r] = token;
  rows.position[r] = block.begin + i;
  rows.cache_row[r] = block.first + block.begin + i;
  rows.first_key[r] = block.first + first;
  rows.n_contiguous[r] = end - first;
}

// A block writes one text's rows.
__global__ void __launch_bounds__(kThreads) draft_rows_kernel(RoundView round, DraftRows rows) {
  follow();
  const int32_t t = static_cast<int32_t>(blockIdx.x), n_rows = round.n_depths + 1;
  const TextRound& text = round.texts[t];
  if (t == 0 && threadIdx.x == 0) set_mark(*round.state, Mark::kBegan);
  const BlockPlace block{text.drafter_first, text.drafter_len + text.n_new, n_rows};
  for (int32_t i = static_cast<int32_t>(threadIdx.x); i < n_rows; i += kThreads) {
    const int32_t r = t * n_rows + i, token = i == 0 ? text.root_token : rows.mask_token;
    if (i < text.n_new) {
      context_row(rows.context, r, text.drafter_first, text.drafter_len + i);
    } else {
      pad_row(rows.context, r);
    }
    block_row(rows.block, r, i, block, 0, token);
    if (rows.window > 0) block_row(rows.windowed, r, i, block, rows.window, token);
  }
}

}  // namespace

void draft_rows(const RoundView& round, const DraftRows& rows, LaunchStream stream) {
  launch(draft_rows_kernel, dim3(round.n_texts), dim3(kThreads), 0, stream, round, rows);
}

}  // namespace draftscope::cuda
