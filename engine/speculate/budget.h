// Budget rules at work: growing a round's candidates and choosing among them.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/record/round.h"
#include "engine/speculate/decide.h"

namespace draftscope {

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

/// Fills everything of a decision that follows from the tree and the cost; leaves chosen and stop.
void fill_curves(const DraftTree& tree, const RoundCost& cost, BudgetDecision& decision);
/// The same from the candidates' expected tokens.
void fill_curves(std::vector<double> expected_tokens, const RoundCost& cost, BudgetDecision& decision);

/// Grows the candidates on to rule.max_nodes and fills every curve of the decision; for viewers, outside
/// the timed stages. chosen, stop and the verified prefix stay as they are. A chain (kDflash) stays a chain.
void complete_curves(const Marginals& q, const RoundCost& cost, const BudgetRule& rule, Choice& choice);

/// Every candidate of a policy in its own order, at most rule.max_nodes: best-first on what it believes, the chain,
/// the spine first, or eight ranks a depth. The tree of n nodes is a prefix of it.
DraftTree every_candidate(const Marginals& q, int32_t root_token, const BudgetRule& rule);

/// The marginals that a policy believes; kept in `room` where they are not q itself. Always the same number of ranks,
/// so that a recording, which keeps at least those, decides as the live round did.
const Marginals& believed(const Marginals& q, const BudgetRule& rule, Marginals& room);
/// The factor that it puts on children of nodes off the most likely chain.
double off_spine_of(const BudgetRule& rule);

/// (n_nodes + 1,) 1 + Phi(n) for every prefix of the tree, summed in pop order.
std::vector<double> expected_tokens_of(const DraftTree& tree);

}  // namespace draftscope
