// A round that lives in device memory: growth, decision, choice, acceptance and record as launches on a stream. One text
// has it to itself, or several share it: their trees grow in one order, under one budget, and are verified in one pass.
//
// Order of a round: draft_rows, the drafter's passes and its head into `marginals`; grow; begin_verify, the target's pass
// over `verify` and its head into `answer`; accept; keep_rows of rows_to_keep, and gather_rows of the features by kept_row;
// finish. The host learns the size of the verify pass from one mapped word after grow, and reads the rest from a ring
// (round_ring.h) one round late.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda/ops.h"
#include "kernels/cuda/round_ring.h"
#include "kernels/cuda/rows_view.h"
#include "kernels/shared/round_types.h"

namespace draftscope::cuda {

constexpr int32_t kMaxTreeDepth = kMaxExtraKeys;  // a node's ancestors and itself are its extra keys

/// Where the round stands. The host sets seq before the first one; kernels keep it.
struct RoundState {
  int64_t seq = 0;                    // of the current round
  int32_t n_grown = 0, n_chosen = 0;  // nodes of all trees below their roots that are kept; those that are verified
  int32_t bucket = 0;                 // rows of the verify pass, padding included
  RoundStop stop = RoundStop::kNone;  // of a growth in one order
  int32_t n_arrived = 0;              // see arrives_last
  int64_t mark_ns[kMarks] = {};       // device clock, by Mark
};

/// Where one of its texts stands. The host sets the first group before the first round; kernels keep it.
struct TextRound {
  int32_t context_len = 0;                      // tokens in the target's cache
  int32_t root_token = 0;
  int32_t drafter_len = 0;                      // tokens in the drafter's cache
  int32_t n_new = 0;  // tokens whose features the drafter has not taken in: rows of the last accepted path
  int32_t target_first = 0, drafter_first = 0;  // cache rows of its first token
  TextDraws draws;

  // Of the current round.
  int32_t first_row = 0;              // of its tree in the pass
  int32_t n_grown = 0, n_chosen = 0;  // nodes below its root that are kept; those that are verified
  int32_t first_new = 0;              // cache row of its root
  RoundStop stop = RoundStop::kNone;
  int32_t n_kept = 0;                 // nodes of the accepted path, root included
  int32_t bonus = 0;
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

/// Trees one after another, each as DraftTree: nodes in pop order, parents counted in their own tree. The nodes that are
/// verified are rows of the pass by their place here; those that are not come last, and of several texts they are dropped.
struct TreeArrays {
  int32_t *token = nullptr, *parent = nullptr, *depth = nullptr, *rank = nullptr;  // (max_nodes + max_texts,)
  double* path_log_q = nullptr;                                                  // (max_nodes + max_texts,)
  int32_t* text = nullptr;                                                       // (max_nodes + max_texts,) of a node
};

/// Seconds on a grid of contexts, by nodes below one root: RoundCost of each context of a CostModel.
struct CostArrays {
  int32_t n_nodes = 0;                                // cost_nodes of the limits
  int32_t* context = nullptr;                         // (max_contexts,) strictly ascending
  double* draft_s = nullptr;                          // (max_contexts,)
  double *verify_s = nullptr, *faithful_s = nullptr;  // (max_contexts, n_nodes + 1)
};

/// Everything that the round's kernels read and write; device memory but for the ring and the word.
struct RoundView {
  int32_t n_texts = 1;  // in this round
  int32_t max_texts = 1, max_nodes = 0, n_depths = 0;
  const RoundParams* params = nullptr;
  RoundState* state = nullptr;
  TextRound* texts = nullptr;  // (max_texts,)
  CostArrays cost;
  TopKView marginals;  // (max_texts * n_depths, k) the drafter's token and log q, rows sorted descending
  TreeArrays tree;
  RowsArrays verify;   // (largest bucket,)
  TopKView answer;     // (largest bucket, k) the target's, rows sorted descending
  int32_t* choice = nullptr;      // (max_nodes + max_texts,)
  float* choice_log_p = nullptr;  // (max_nodes + max_texts,)
  int32_t* kept = nullptr;        // (max_texts, n_depths + 1) accepted paths, each then zeros
  int32_t* kept_row = nullptr;    // the same as rows of the pass
  uint64_t* grown_word = nullptr; // mapped host memory: grown_word_of
  RingView ring;
};

/// What keep_rows moves after the choice of paths.
inline KeptRows rows_to_keep(const RoundView& round) {
  constexpr int32_t kStride = sizeof(TextRound) / sizeof(int32_t);
  return {&round.texts->first_new, &round.texts->n_kept, kStride, round.kept, round.n_depths + 1, round.n_texts};
}

/// The rows of the drafter's passes, text after text.
struct DraftRows {
  RowsArrays context;           // n_depths + 1 of a text: the new features, positions and cache rows after those taken in
  RowsArrays block;             // as many: the root, then masks; sees the whole context and itself
  RowsArrays windowed;          // the same blocks for layers that see only the last `window` keys
  int32_t window = 0;           // 0: no such layers
  int32_t mask_token = 0;
};

/// Begins a round with a drafter: fills `rows`, with padding beyond a text's n_new context rows.
void draft_rows(const RoundView& round, const DraftRows& rows, LaunchStream stream);
/// Grows the trees from the marginals, decides how much of them is verified, tells the host, and fills the verify rows up
/// to the bucket. Node for node and bit for bit TreeGrower's trees; decisions are choose_tree's, or of several texts
/// choose_trees', except that the device's exp may differ from the host's in the last bit, so sizes whose theta agree to
/// 1e-15 or so may change places. Several texts: kRoot, kChain, kExact and kExactFill.
void grow(const RoundView& round, LaunchStream stream);
/// The verify pass begins now. Before the target's pass.
void begin_verify(const RoundView& round, LaunchStream stream);
/// The target's choice after each of the first n_rows rows (those in use), and the accepted paths. n_rows: the bucket.
void accept(const RoundView& round, int32_t n_rows, LaunchStream stream);
/// Publishes the round in the ring and moves the states on to the next. After keep_rows and gather_rows.
void finish(const RoundView& round, LaunchStream stream);

}  // namespace draftscope::cuda
