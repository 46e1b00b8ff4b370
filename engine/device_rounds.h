// What sessions and batches tell a backend's round loop (kernels/round_loop.h), and what they read from its records.
#pragma once

#include "engine/pair_memory.h"
#include "engine/record/round.h"
#include "engine/speculate/budget.h"
#include "engine/speculate/cost.h"
#include "engine/text_state.h"
#include "kernels/round_loop.h"

namespace draftscope {

/// How large the rounds of a loop get.
struct LoopSizes {
  int32_t n_texts = 1;    // that share a round, at most
  int32_t n_nodes = 0;    // of all trees of a round, at most
  int32_t n_ranks = 0;    // of a draft
  int32_t n_answers = 1;  // ranks of the target's answer, at most
  int32_t block_size = 0; // of the drafter; 0: no drafter follows the text

  bool operator==(const LoopSizes&) const = default;
};

/// Whether the pair's backend has rounds of its own and can decide this method's there; otherwise the host decides.
bool device_can_decide(const Pair& pair, Method method, const LoopSizes& sizes);

/// Both point into `memory` and `pair`, which must outlive the loop.
RoundLoopSetup loop_setup(const Pair& pair, PairMemory& memory, const LoopSizes& sizes, const CostModel& cost);
/// max_nodes: see RoundParams.
RoundParams loop_params(const BudgetRule& rule, int32_t max_nodes, const LoopSizes& sizes, const CostModel& cost);
CostGrid loop_costs(const CostTable& cost, const RoundLimits& limits);
RoundLimits loop_limits(const LoopSizes& sizes, const CostModel& cost);

TextDraws draws_of(const TextState& text);

DraftTree tree_of(const RoundImage& image);
Marginals marginals_of(const RoundImage& image);
/// away_ns: how long the caller kept the record before this one. The grow stage lasts until the verify pass begins, less what
/// the device waited for the caller: all of the host's own part is in it.
StageTimes stages_of(const RoundImage& image, int64_t away_ns);

}  // namespace draftscope
