// The sweep as a heat map: tokens per second of a fixed tree by budget and context, at one launch floor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/record/lab_report.h"

namespace draftscope {

struct SweepMap {
  std::vector<std::string> budget, context;  // (n_budgets,), (n_contexts,) labels
  std::vector<double> tokens_per_s;          // (n_contexts, n_budgets); NaN: not computed yet
  std::vector<int32_t> best;                 // (n_contexts,) budget index; -1 while a context is not complete
  double low = 0, high = 0;                  // of the cells that are there; equal when there are none
  std::string headline;                      // where the best budget moves
  std::string progress;                      // empty when every cell is there
  std::string empty_reason;

  double at(size_t at_context, size_t at_budget) const {
    return tokens_per_s[at_context * budget.size() + at_budget];
  }
  /// 0 to 1 between low and high.
  double shade(double value) const { return high > low ? (value - low) / (high - low) : 0.5; }
};

SweepMap sweep_map(const LabSweep& sweep, size_t floor);

/// "0 ms", "8.5 ms", ...: what is added to every verify pass.
std::vector<std::string> floor_labels(const LabSweep& sweep);

/// "24 nodes at context 1024: 318 tokens/s, the best of its context". Empty outside.
std::string cell_line(const SweepMap& map, size_t at_context, size_t at_budget);

}  // namespace draftscope
