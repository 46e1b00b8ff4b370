// LabReport: what the budget lab says about one recorded generation, as plain data for the views. Every number in it
// is derived: from the dense trace and from the cost model of the question.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/record/correction.h"
#include "engine/record/cost_model.h"
#include "engine/record/round.h"

namespace draftscope {

/// What a front end wants to know. Answers carry `number`, so that a late answer is told from the latest one.
struct LabQuestion {
  int64_t number = 0;
  CostModel cost;                       // decides and times
  std::optional<CostModel> other_cost;  // side B: the same policies under another curve
  std::optional<CostModel> true_cost;   // what passes really cost, for the regret; empty: `cost`
  int32_t budget = 64;                  // ddtree and spine
  int32_t bucket_rows = 32;             // bastion and exact-fill
  Method regret_of = Method::kCaddtree;
};

struct LabRound {
  int32_t position = 0, context_len = 0, chosen = 0, accepted = 0;
  double expected_tokens = 1, predicted_s = 0;
};

/// A whole generation under one policy.
struct LabPolicy {
  Method method = Method::kPlain;
  int32_t budget = 0;                   // 0 where the policy takes none
  double tokens_per_s = 0, tokens_per_round = 0, nodes_per_round = 0, seconds = 0;
  double expected_tokens_per_s = 0;     // what the policy believed
  std::vector<LabRound> rounds;
};

/// Tokens per second lost against hindsight, one entry per round of LabQuestion::regret_of.
/// search + cost + calibration + luck == oracle - realised.
struct LabRegret {
  Method method = Method::kPlain;
  std::vector<int32_t> position;
  std::vector<double> search, cost, calibration, luck, oracle, realised;
};

struct ReliabilityBin {
  double stated = 0;                    // mean probability that the drafter gave
  double observed = 0, low = 0, high = 0;  // share accepted and its 95 % interval
  int64_t n = 0;                        // children of accepted nodes; others were never observed
  double n_independent = 0;             // independent ones that are worth as much; the interval is theirs
};

struct ReliabilityCurve {
  std::string label;                    // "all", "depth 3", "rank 1", "spine", "sibling", "off the spine"
  std::vector<ReliabilityBin> bins;     // ascending in stated; empty bins left out
  double error = 0;                     // expected calibration error: mean of |observed - stated|, weighted by n
  int64_t n = 0;
};

/// One correction: fitted on half of the text, judged on the other half.
struct CorrectionScore {
  std::string label;
  double error_before = 0, error_after = 0;
  double parameter = 0;                 // temperature or factor; the number of steps for an isotonic map
};

struct LabCalibration {
  std::vector<ReliabilityCurve> curves;
  std::vector<CorrectionScore> scores;
  std::optional<Correction> correction; // fitted on half of the text; what the calibrated policy decides by
  int32_t block_tokens = 0;             // tokens of text that the intervals take for one group
};

/// Throughput of a fixed tree by budget, context and launch floor. NaN: not computed yet.
struct LabSweep {
  std::vector<int32_t> budget, context;
  std::vector<double> floor_s;
  std::vector<double> tokens_per_s;     // (n_floors, n_contexts, n_budgets)
  int64_t n_done = 0;

  size_t index(size_t floor, size_t at_context, size_t at_budget) const {
    return (floor * context.size() + at_context) * budget.size() + at_budget;
  }
};

struct LabReport {
  int64_t question = 0;
  int64_t session = 0;
  int32_t n_tokens = 0;
  double solve_s = 0;                   // measured: deciding the text again under every policy
  std::string problem;                  // one sentence when the text cannot be used; the rest is empty then
  CostModel cost;
  std::vector<LabPolicy> policies;      // in the order of policies(), oracle last
  LabPolicy best_fixed;                 // the best of the fixed trees on this text; budget 0: not computed yet
  std::optional<CostModel> other_cost;
  std::vector<LabPolicy> other_policies;
  LabRegret regret;
  LabCalibration calibration;
  LabSweep sweep;
};

}  // namespace draftscope
