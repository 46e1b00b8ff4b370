// A round that lives in device memory: growth, decision, choice, acceptance and record as launches on a stream.
//
// Order of a round: draft_rows, the drafter's passes and its head into `marginals`; grow; the target's pass over
// `verify` and its head into `answer`; accept; keep_rows from &state->context_len by kept and &state->n_kept, and
// gather_rows of the features by kept; finish. The host learns the size of the verify pass from one mapped word after
// grow, and reads the rest from a ring (round_ring.h) one round late.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda/ops.h"
#include "kernels/cuda/round_ring.h"
#include "kernels/cuda/rows_view.h"
#include "kernels/shared/round_types.h"

namespace draftscope::cuda {

constexpr int32_t kMaxTreeDepth = kMaxExtraKeys;  // a node's ancestors and itself are its extra keys

/// Where the generation stands. The host sets the first five before the first round; kernels keep them.
struct RoundState {
  int64_t seq = 0;          // of the current round
  int32_t context_len = 0;  // tokens in the target's cache
  int32_t root_token = 0;
  int32_t drafter_len = 0;  // tokens in the drafter's cache
  int32_t n_new = 0;        // tokens whose features the drafter has not taken in: rows of the last accepted path
  int32_t n_grown = 0, n_chosen = 0;  // candidates below the root; those that are verified
  int32_t bucket = 0;                 // rows of the verify pass, padding included
  RoundStop stop = RoundStop::kNone;
  int32_t n_kept = 0;  // nodes of the accepted path, root included
  int32_t bonus = 0;
  int64_t stage_end_ns[kRoundStages + 1] = {};  // [0]: when the round began
};

/// RowsView's arrays where kernels fill them; extra_bits null: no row has extra keys.
struct RowsArrays {
  int32_t *token = nullptr, *position = nullptr, *cache_row = nullptr, *first_key = nullptr, *n_contiguous = nullptr;
  uint32_t* extra_bits = nullptr;
  int32_t n_rows = 0;

  /// Five arrays of n numbers one after another.
  static RowsArrays at(int32_t* numbers, int32_t n) {
    return {numbers, numbers + n, numbers + 2 * n, numbers + 3 * n, numbers + 4 * n, nullptr, n};
  }
  /// The first `rows` of them as a pass reads them.
  RowsView view(int32_t rows) const {
    const int32_t words = extra_bits == nullptr ? 0 : (rows + 31) / 32;
    return {rows, words, token, position, cache_row, first_key, n_contiguous, extra_bits};
  }
};

/// Nodes in pop order, as DraftTree.
struct TreeArrays {
  int32_t *token = nullptr, *parent = nullptr, *depth = nullptr, *rank = nullptr;  // (max_nodes + 1,)
  double* path_log_q = nullptr;                                                  // (max_nodes + 1,)
};

/// Seconds on a grid of contexts, by nodes below the root: RoundCost of each context of a CostModel.
struct CostArrays {
  int32_t* context = nullptr;                         // (max_contexts,) strictly ascending
  double* draft_s = nullptr;                          // (max_contexts,)
  double *verify_s = nullptr, *faithful_s = nullptr;  // (max_contexts, max_nodes + 1)
};

/// Everything that the round's kernels read and write; device memory but for the ring and the word.
struct RoundView {
  int32_t max_nodes = 0, n_depths = 0;
  const RoundParams* params = nullptr;
  RoundState* state = nullptr;
  CostArrays cost;
  TopKView marginals;  // (n_depths, k) the drafter's token and log q, rows sorted descending
  TreeArrays tree;
  RowsArrays verify;   // (largest bucket,)
  TopKView answer;     // (largest bucket, k) the target's, rows sorted descending
  int32_t* choice = nullptr;      // (max_nodes + 1,)
  float* choice_log_p = nullptr;  // (max_nodes + 1,)
  int32_t* kept = nullptr;        // (n_depths + 1,) the accepted path, then zeros
  uint64_t* grown_word = nullptr; // mapped host memory: grown_word_of
  RingView ring;
};

/// The rows of the drafter's passes.
struct DraftRows {
  RowsArrays context;           // (n_depths + 1,) the new features: positions and cache rows after those taken in
  RowsArrays block;             // (block size,) the root, then masks; sees the whole context and itself
  RowsArrays windowed;          // the same block for layers that see only the last `window` keys; n_rows 0: none
  int32_t window = 0;
  int32_t mask_token = 0;
};

/// Begins a round with a drafter: fills `rows`, with padding beyond the state's n_new context rows.
void draft_rows(const RoundView& round, const DraftRows& rows, LaunchStream stream);
/// Grows the tree from the marginals, decides how much of it is verified, tells the host, and fills the verify rows up
/// to the bucket. Node for node and bit for bit TreeGrower's tree; decisions are choose_tree's, except that the device's
/// exp may differ from the host's in the last bit, so sizes whose theta agree to 1e-15 or so may change places.
void grow(const RoundView& round, LaunchStream stream);
/// The target's choice after each of the first n_rows rows (those in use), and the accepted path. n_rows: the bucket.
void accept(const RoundView& round, int32_t n_rows, LaunchStream stream);
/// Publishes the round in the ring and moves the state on to the next. After keep_rows and gather_rows.
void finish(const RoundView& round, LaunchStream stream);

/// Lets `grow` use the shared memory it needs for these sizes; once, outside of capture.
void allow_grow(const RoundView& round);

}  // namespace draftscope::cuda
