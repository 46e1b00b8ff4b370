// Shared budget: one pass verifies the trees of several requests, and every request's next node competes for its rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/record/round.h"
#include "engine/speculate/budget.h"

namespace draftscope {

/// One request as it enters a pass.
struct RequestDraft {
  const Marginals* q = nullptr;
  int32_t root_token = 0;
};

struct SharedChoice {
  std::vector<DraftTree> tree;  // (n_requests,) what each verifies: a prefix of its own best-first tree
  BudgetDecision decision;      // index n: nodes of all requests together; such a pass verifies n + n_requests rows
};

/// Methods whose budget is one for all requests of a pass; the others decide for each request as if it were alone.
bool shares_budget(Method method);

/// Seconds of a round of n_requests texts by n = nodes of all of them together, 0..max_nodes: the curve at `context`
/// (the mean of the texts) read n_requests - 1 rows further on. Derived, not measured: a drafter pass of n_requests
/// blocks costs what one of block_rows rows does, times what the target's own curve says of so many more rows;
/// host work comes once per request. block_rows 0: nothing is drafted; a text alone takes its plain step, several the
/// curve's pass of as many rows.
RoundCost pass_cost(const CostTable& cost, int32_t context, int32_t n_requests, int32_t block_rows, int32_t max_nodes);

/// Grows all trees from one best-first order over all requests (equal probabilities: the smaller request index first,
/// then as TreeGrower) and takes the smallest argmax over every total n of (n_requests + Phi(n)) / cost, proved by
/// BudgetBound; node probabilities do not increase in the common order either, so the proof holds as for one tree.
/// kExactFill goes on to the edge of the bucket of the whole pass.
/// rule.max_nodes caps the sum; requires shares_budget(rule.method), a request and costs of max_nodes + 1 candidates.
SharedChoice choose_trees(std::span<const RequestDraft> requests, const RoundCost& cost, const BudgetRule& rule);

/// What one request's record says of a pass: the curves are the whole pass's over n = nodes of this request, the others
/// as they are, so that its argmax and chosen agree wherever the budget is shared.
struct OthersInPass {
  int32_t n_nodes = 0;   // below all other roots
  double expected = 0;   // tokens of all other requests
};
/// `verified`: the request's tree. `whole`: candidates as far as rule.max_nodes and the costs reach. Leaves stop.
Choice choice_beside(const RequestDraft& request, DraftTree verified, const OthersInPass& others, const RoundCost& cost,
                     const BudgetRule& rule, bool whole);

}  // namespace draftscope
