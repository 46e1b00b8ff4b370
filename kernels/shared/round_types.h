// A round that lives in device memory, as plain values: what the host may set, and what comes back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace draftscope {

constexpr int32_t kMaxBuckets = 64;

/// How growth is stopped; the engine's policies map onto these.
enum class GrowRule : int32_t {
  kRoot,        // no tree: plain decoding
  kChain,       // rank 0 at every depth
  kFixed,       // `budget` best nodes
  kThetaFalls,  // CaDDTree's stop on its own curve (arXiv 2606.01813); the node that does not raise theta stays out
  kExact,       // smallest argmax of expected tokens over cost among all sizes, proved by BudgetBound's inequality
  kExactFill,   // the same, then more nodes up to the last of the rows that the pass is padded to anyway
};

/// What the host may change between rounds.
struct RoundParams {
  GrowRule rule = GrowRule::kRoot;
  int32_t budget = 0;     // kFixed
  int32_t max_nodes = 0;  // of all texts together, of each for kChain; at most the buffers' max_nodes
  int32_t n_ranks = 0;    // ranks that growth looks at; 0: all
  int32_t fill_rows = 0;  // kExactFill: rows of a pass come in multiples of this; 0: in the buckets below
  int32_t has_draft = 0;  // whether the round's record carries marginals
  int32_t n_contexts = 0; // of the cost table; >= 1 for rules that look at costs
  double overhead_s = 0;
  int32_t n_buckets = 0;
  int32_t bucket_rows[kMaxBuckets] = {};  // ascending rows of the verify passes; the last one has room for any
};

/// How one text's tokens are drawn.
struct TextDraws {
  float temperature = 0;  // 0: greedy
  float top_p = 1;
  int32_t n_ranks = 1;    // of the target's answer that a draw looks at
  uint64_t seed = 0;
};

/// Largest sizes of the rounds of a loop.
struct RoundLimits {
  int32_t max_texts = 1;      // that share a round
  int32_t max_nodes = 256;    // of all trees of a round, roots excluded; max_nodes + max_texts - 1 <= kMaxTreeNodes
  int32_t n_depths = 15;      // rows of the marginals; at most kMaxTreeDepth
  int32_t n_ranks = 256;      // of the marginals
  int32_t max_rows = 257;     // largest bucket; max_nodes + max_texts at least
  int32_t answer_ranks = 1;   // of the target's head
  int32_t max_contexts = 32;  // of the cost table
  int32_t ring_slots = 8;
  int32_t ring_ranks = 16;    // of the marginals that a record keeps
};

/// RoundCost at every context of a cost model.
struct CostGrid {
  std::vector<int32_t> context;               // (n_contexts,) strictly ascending
  std::vector<double> draft_s;                // (n_contexts,)
  std::vector<double> verify_s, faithful_s;   // (n_contexts, cost_nodes of the limits + 1) by nodes below one root
};
/// Nodes below one root in a pass of as many rows as the largest of a loop has: of all trees, or of several blocks.
inline int32_t cost_nodes(const RoundLimits& limits) {
  const int32_t tree_rows = limits.max_nodes + limits.max_texts, block_rows = limits.max_texts * (limits.n_depths + 1);
  return limits.max_texts == 1 ? limits.max_nodes : std::max(tree_rows, block_rows) - 1;
}

/// Moments of a round. Between kGrown and kVerifyBegan the host learns the size of the verify pass and launches it.
enum class Mark : int32_t { kBegan, kDrafted, kGrown, kVerifyBegan, kVerified, kAccepted, kCommitted };
constexpr int32_t kMarks = 7;

/// Why growth stopped; the engine's StopReason, value for value.
enum class RoundStop : int32_t { kNone, kThetaFell, kNodeLimit, kHeapEmpty, kBoundProved, kFixedBudget };

/// The fixed part of a slot, at its start: one text's round.
struct SlotHeader {
  uint64_t written = 0;  // seq + 1 of the round inside, stored last; 0 while a kernel writes
  int64_t seq = 0;
  int32_t context_len = 0, root_token = 0;  // before the round
  int32_t n_grown = 0, n_chosen = 0;  // of this text's tree
  int32_t bucket = 0;                 // of the pass
  RoundStop stop = RoundStop::kNone;
  int32_t n_depths = 0, n_ranks = 0;  // of the marginals inside
  int32_t n_kept = 0, bonus = 0;
  int64_t mark_ns[kMarks] = {};       // device clock, by Mark

  int64_t at(Mark mark) const { return mark_ns[static_cast<int32_t>(mark)]; }
};

/// One text's round as it left the device; sizes as in RoundRecord.
struct RoundImage {
  SlotHeader header;
  std::vector<int32_t> token, parent, depth, rank;  // (n_grown + 1,)
  std::vector<double> path_log_q;                   // (n_grown + 1,)
  std::vector<int32_t> q_token;                     // (n_depths, n_ranks) the first ranks
  std::vector<float> q_log_q;                       // (n_depths, n_ranks)
  std::vector<int32_t> choice;                      // (n_chosen + 1,)
  std::vector<float> choice_log_p;                  // (n_chosen + 1,)
  std::vector<int32_t> path;                        // (n_kept,)
};

}  // namespace draftscope
