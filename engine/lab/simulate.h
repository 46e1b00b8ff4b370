// Simulation: a whole generation decided again by any policy under any cost model, without a model.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/lab/prepared.h"
#include "engine/speculate/budget.h"
#include "engine/speculate/cost.h"

namespace draftscope {

struct SimulatedRound {
  int32_t position = 0;         // index into DenseText::at
  int32_t context_len = 0;
  int32_t chosen = 0;           // nodes below the root
  int32_t accepted = 0;         // nodes accepted, cut at the end of the text; it commits one token more
  double expected_tokens = 1;   // 1 + Phi(chosen), before anything was verified
  double predicted_s = 0;       // by the cost model
};

struct SimulatedRun {
  Method method = Method::kPlain;
  std::vector<SimulatedRound> rounds;
  int64_t n_tokens = 0;
  double seconds = 0;

  double tokens_per_s() const { return seconds > 0 ? static_cast<double>(n_tokens) / seconds : 0; }
  double tokens_per_round() const;
  double nodes_per_round() const;
  /// Mean over rounds of expected tokens per predicted second: what the policy believed it would get.
  double expected_tokens_per_s() const;
};

/// The candidate order of a policy.
TreeOrder order_of(Method method);

/// Decides every round of the text by `rule`. `text` was prepared in order_of(rule.method) and with rule.correction.
/// kOracle knows the text and takes the budgets that reach its end soonest: no best-first policy is faster. Equal to a live run, round for round, for every other policy.
/// Requires rule.max_nodes <= text.max_nodes.
SimulatedRun simulate(const PreparedText& text, const CostTable& cost, const BudgetRule& rule);

}  // namespace draftscope
