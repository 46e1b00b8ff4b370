// Budget rules: how many nodes of the best-first order to verify.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/record/round.h"
#include "engine/speculate/cost.h"

namespace draftscope {

/// How a round picks its tree.
struct BudgetRule {
  Method method = Method::kExact;
  int32_t budget = 64;      // kDdtree: nodes
  int32_t max_nodes = 256;  // cap for every tree
};

struct Choice {
  DraftTree tree;           // candidates in pop order; verify the first decision.chosen + 1 nodes
  BudgetDecision decision;
};

/// Grows and decides. kPlain never calls this (no drafter pass); kDflash is the chain; kDdtree a fixed
/// budget; kCaddtree stops by its own rule (algorithms: convex fit, C_v(n), first non-improvement);
/// kExact takes argmax over every n of expected_tokens / cost, proved by the concavity bound.
/// `cost`: seconds of a round by nodes at this context, see RoundCost.
Choice choose_tree(const Marginals& q, int32_t root_token, const RoundCost& cost, const BudgetRule& rule);

/// Grows the candidates on to rule.max_nodes and fills every curve of the decision; for viewers, outside
/// the timed stages. chosen, stop and the verified prefix stay as they are.
void complete_curves(const Marginals& q, const RoundCost& cost, const BudgetRule& rule, Choice& choice);

}  // namespace draftscope
