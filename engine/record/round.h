// The shared language of engine and ui: everything that one decoding round produced, as plain data.
//
// Glossary. A round drafts, verifies and accepts once. The root is the last committed token (node 0);
// it is not yet in the target's KV cache, so every pass verifies it too. depth counts from the root;
// rank counts from the drafter's most likely token at a depth; the budget is the number of nodes below
// the root; the path is the accepted chain of nodes; the bonus is the target's token after the path.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/record/cost_model.h"
#include "engine/record/token_text.h"

namespace draftscope {

/// Where a number comes from; every group of numbers names it and every view shows it.
enum class Provenance : uint8_t { kMeasured, kPredicted, kDerived, kImported, kIllustrative };

/// How a round picks its tree; policies.h says what each one is.
enum class Method : uint8_t {
  kPlain, kDflash, kDdtree, kCaddtree, kExact, kSpine, kBastion, kCast, kExactFill, kCalibrated, kOracle
};

/// Drafter's top ranks at every depth; rows sorted by descending log_q.
struct Marginals {
  int32_t n_depths = 0;
  int32_t n_ranks = 0;
  std::vector<int32_t> token;  // (n_depths, n_ranks)
  std::vector<float> log_q;    // (n_depths, n_ranks) natural log, normalised over the whole vocabulary

  int32_t token_at(int32_t depth_row, int32_t rank) const { return token[depth_row * n_ranks + rank]; }
  float log_q_at(int32_t depth_row, int32_t rank) const { return log_q[depth_row * n_ranks + rank]; }
};

/// Nodes in pop order. Node 0 is the root: the last committed token, depth 0, parent -1, rank 0.
/// parent[i] < i for i > 0, so one forward sweep meets every parent before its children; any prefix
/// of the arrays is a tree again.
struct DraftTree {
  std::vector<int32_t> token, parent, depth, rank;  // (n_nodes + 1,)
  std::vector<double> path_log_q;                   // (n_nodes + 1,) sum of log q from the root; 0 at the root

  int32_t size() const { return static_cast<int32_t>(token.size()); }  // root included
};

/// Why a budget rule stopped where it did.
enum class StopReason : uint8_t { kNone, kThetaFell, kNodeLimit, kHeapEmpty, kBoundProved, kFixedBudget };

/// Every candidate budget of a round. Index n is the number of nodes below the root: a pass over a tree
/// of n nodes verifies n + 1 rows.
struct BudgetDecision {
  int32_t chosen = 0;         // nodes verified this round
  int32_t faithful_stop = 0;  // CaDDTree: convex curve, C_v(n), first theta that does not rise
  int32_t global_best = 0;    // exact argmax of theta_tokens_per_s over all n
  int32_t runner_up = 0;      // best n outside the constant-cost interval of global_best; == global_best if none
  StopReason stop = StopReason::kNone;
  std::vector<double> expected_tokens;     // (n_candidates,) 1 + Phi(n), bonus included
  std::vector<double> cost_s;              // (n_candidates,) predicted seconds of the whole round
  std::vector<double> theta_tokens_per_s;  // (n_candidates,) expected_tokens / cost_s
  Provenance provenance = Provenance::kDerived;
};

/// Target's answer for each verified row of the tree (root first).
struct Verdict {
  std::vector<int32_t> choice;     // (n_verified,) token the target puts after each node
  std::vector<float> choice_log_p; // (n_verified,) natural log, before temperature; NaN when unknown
};

/// The accepted path and what follows it. path[0] == 0 (the root) always.
struct Accepted {
  std::vector<int32_t> path;  // node indices, root first; tokens committed = path.size()
  int32_t bonus = -1;         // the target's token after the path; the next round's root
};

/// Wall time of the engine thread per phase, nanoseconds; device work included.
struct StageTimes {
  int64_t draft_ns = 0, grow_ns = 0, verify_ns = 0, accept_ns = 0, commit_ns = 0;
  Provenance provenance = Provenance::kMeasured;

  int64_t total_ns() const { return draft_ns + grow_ns + verify_ns + accept_ns + commit_ns; }
};

/// A pass that the rounds of several requests share: one drafter pass, one decision, one verify pass. Every record of the
/// pass says the same of it.
struct SharedPass {
  int64_t pass = 0;               // 0, 1, 2, ... of the batch; the rounds of one pass have the same number
  int32_t n_requests = 1;         // rounds in this pass
  int32_t n_rows = 1;             // verified for all of them, roots included
  int32_t n_tokens = 1;           // committed by all of them, measured
  double expected_tokens = 1;     // by all of them at the budgets chosen
  double theta_tokens_per_s = 0;  // expected_tokens over the pass's predicted seconds, which are derived: see pass_cost
};

/// In a shared pass the times (took, predicted, telemetry_ns) are those of the whole pass, and the decision's curves are
/// the whole pass's over the nodes of this request, the others as they were.
struct RoundRecord {
  int64_t seq = 0;          // 0, 1, 2, ...; a gap means that the live queue was full
  int64_t session = 0;      // which SessionInfo this belongs to
  int32_t context_len = 0;  // tokens in the target's KV cache before this round
  Method method = Method::kPlain;
  float temperature = 0;
  Marginals q;              // empty for plain decoding
  DraftTree tree;           // candidates in pop order; the first decision.chosen + 1 nodes were verified
  BudgetDecision decision;
  Verdict verdict;          // (decision.chosen + 1,) rows
  Accepted accepted;
  StageTimes took;          // measured
  StageTimes predicted;     // by the cost model in force
  int64_t telemetry_ns = 0; // measured: making and encoding the previous record; outside every stage
  TokenText text;
  std::string committed_utf8;  // whole characters that this round added to the output
  double cost_drift = 1;    // re-estimated over profiled verify seconds so far; 1 when nothing re-estimates
  bool drift_alarm = false; // it has stayed outside its band: the profile no longer fits
  std::optional<SharedPass> shared;  // empty: the pass was this round's alone

  int32_t n_verified_rows() const { return decision.chosen + 1; }
};

/// First frame of a stream: who decodes what with which cost model. Requests of a batch are streams of their own in one
/// sequence of frames, told apart by `session`.
struct SessionInfo {
  int64_t session = 0;
  std::string target_name, drafter_name;  // folder names
  std::string backend;                    // e.g. "cpu avx2, 2 threads"
  std::string precision;                  // "bf16" or "f32"
  std::string machine;                    // processor model
  std::string note;                       // e.g. "small demo pair"; empty otherwise
  std::string prompt_utf8;
  int32_t prompt_tokens = 0;
  int32_t block_size = 0;                 // drafter positions, slot 0 included
  int32_t max_tokens = 0;
  Method method = Method::kPlain;
  int32_t budget = 0;                     // ddtree, spine
  float temperature = 0;
  uint64_t seed = 0;
  CostModel cost;
  bool dense = false;                     // plain decoding whose every round also carries the drafter's marginals
  int32_t max_nodes = 0;                  // no tree is larger; of a dense trace: the largest one it can replay
  int32_t n_slots = 0;                    // requests that may share a pass, this one among them; 0: a session alone
};

enum class EndReason : uint8_t { kEos, kMaxTokens, kContextFull, kStopped, kError };

struct SessionEnd {
  int64_t session = 0;
  EndReason reason = EndReason::kStopped;
  std::string message;         // for kError: one sentence
  int64_t n_tokens = 0;        // generated, EOS excluded
  int64_t n_rounds = 0;
  int64_t decode_ns = 0;       // prefill excluded
  int64_t prefill_ns = 0;
  std::string output_utf8;
};

/// One frame of a stream.
using Message = std::variant<SessionInfo, RoundRecord, SessionEnd>;

const char* name(Method method);
const char* name(Provenance provenance);
const char* name(StopReason reason);
const char* name(EndReason reason);

}  // namespace draftscope
