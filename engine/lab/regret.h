// Regret: what a policy lost against hindsight in every round, split by reason into four parts that sum exactly.
//
// theta(n) is (1 + accepted) / true seconds of a round that verifies n candidates at a position: what really would
// have come of it. Four budgets lead from the policy to hindsight, and each step is one part:
//
//   search       theta(exact best under the assumed cost)         - theta(what the policy did)
//   cost         theta(exact best under the true cost)            - theta(exact best under the assumed cost)
//   calibration  theta(the same with corrected probabilities)     - theta(exact best under the true cost)
//   luck         theta(best budget in hindsight)                  - theta(the same with corrected probabilities)
//
// A part may be negative in one round: a wrong budget can be lucky. Only luck cannot. The candidates are best-first
// ones, of the drafter's own probabilities for search and cost and of corrected ones for calibration; hindsight looks
// at both. What a policy does otherwise (a chain, a spine, CAST's eight ranks, a corrected tree, plain decoding without
// a drafter pass) is therefore part of `search`, and a policy can beat this hindsight with candidates of its own.
#pragma once

#include "engine/lab/simulate.h"
#include "engine/record/lab_report.h"

namespace draftscope {

/// What every policy of one text is measured with. Borrows everything.
struct RegretFrame {
  const PreparedText& best_first;  // TreeOrder::kBestFirst, no correction
  const PreparedText& corrected;   // the same with the correction on trial; best_first itself: none
  const CostTable& assumed;        // what the policies decide by
  const CostTable& truth;          // what passes really cost
  int32_t max_nodes = 0;           // of the policies' rule; at most that of both texts
};

/// One entry per round of `run`, which is simulate(..., frame.assumed, rule) on the same text, in its order. Tokens
/// per second; search + cost + calibration + luck == oracle - realised up to rounding. Some 10 us a round of 256
/// candidates.
LabRegret regret(const SimulatedRun& run, const RegretFrame& frame);

}  // namespace draftscope
