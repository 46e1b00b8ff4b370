// Budget decisions: how many of its candidates each policy verifies, from their expected tokens and the cost alone.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "engine/record/round.h"
#include "engine/speculate/correction.h"
#include "engine/speculate/cost.h"

namespace draftscope {

/// How a round picks its tree.
struct BudgetRule {
  Method method = Method::kExact;
  int32_t budget = 64;       // kDdtree, kSpine: nodes
  int32_t max_nodes = 256;   // cap for every tree
  int32_t bucket_rows = 32;  // kBastion, kExactFill: rows of a pass come in multiples of this
  int32_t width = 0;         // kCast: nodes of every tree; 0: cast_width of the first draft, set by the caller
  std::shared_ptr<const Correction> correction = nullptr;  // kCalibrated; null: none
};

/// Nodes that `rule` verifies when it sees every candidate: the decision of choose_tree without the growing.
/// expected_tokens (n_candidates + 1,): 1 + Phi(n) in the policy's own order. Not for kPlain and kOracle.
int32_t decide(std::span<const double> expected_tokens, const RoundCost& cost, const BudgetRule& rule);

/// CAST's static width (arXiv 2610.00321): the largest of 15, 31, 47, 63, 95 and 127 nodes whose next node brings at
/// least slope * (g + 1) / latency tokens; slope: least squares of verify_s over 16 to 128 rows; 15 when none does.
/// expected_tokens (n_candidates + 1,) of the drafts it is calibrated on.
int32_t cast_width(std::span<const double> expected_tokens, const RoundCost& cost);

/// The smallest n of the largest expected_tokens / cost.
int32_t exact_best(std::span<const double> expected_tokens, const RoundCost& cost);

/// The last of the rows that a pass of n nodes is padded to anyway, in nodes; at most `last`.
int32_t fill_bucket(int32_t n, int32_t bucket_rows, int32_t last);

/// Tokens per second that CaDDTree believes a tree of n nodes gives.
double faithful_theta(double expected_tokens, const RoundCost& cost, size_t n);

/// CaDDTree's stop over the candidates of `expected_tokens`: the last n before theta on faithful_s stops
/// rising for the first time; the last candidate when it never does.
int32_t faithful_stop(std::span<const double> expected_tokens, const RoundCost& cost);

}  // namespace draftscope
