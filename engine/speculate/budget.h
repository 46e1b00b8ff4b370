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
  DraftTree tree;  // candidates in pop order; verify the first decision.chosen + 1 nodes
  BudgetDecision decision;
};

/// Grows and decides. kPlain never calls this (no drafter pass); kDflash is the chain; kDdtree a fixed
/// budget; kCaddtree stops by its own rule (arXiv 2606.01813: theta(n) = (1 + Phi(n)) / (draft + C_v(n)) on
/// RoundCost::faithful_s, first n after which theta does not rise); kExact takes the smallest argmax over
/// every n of expected_tokens / cost, proved by BudgetBound.
/// `cost`: seconds of a round by nodes at this context, both arrays at least max_nodes + 1 long.
/// The decision's curves cover n = 0..tree.size() - 1, as far as this rule had to look; its faithful_stop,
/// global_best and runner_up are over those candidates until complete_curves sees the rest.
Choice choose_tree(const Marginals& q, int32_t root_token, const RoundCost& cost, const BudgetRule& rule);

/// Grows the candidates on to rule.max_nodes and fills every curve of the decision; for viewers, outside
/// the timed stages. chosen, stop and the verified prefix stay as they are. A chain (kDflash) stays a chain.
void complete_curves(const Marginals& q, const RoundCost& cost, const BudgetRule& rule, Choice& choice);

/// CaDDTree's stop over the candidates of `expected_tokens`: the last n before theta on faithful_s stops
/// rising for the first time; the last candidate when it never does.
int32_t faithful_stop(std::span<const double> expected_tokens, const RoundCost& cost);

}  // namespace draftscope
