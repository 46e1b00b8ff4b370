// Sweep: the throughput of fixed trees over a whole text, by budget, context and launch floor.
#pragma once

#include <cstdint>
#include <map>

#include "engine/lab/prepared.h"
#include "engine/record/cost_curves.h"
#include "engine/record/lab_report.h"

namespace draftscope {

/// An empty sweep: budgets 0, 1, 2, 3, 4, 6, 8, 12, ... up to max_nodes, the model's contexts, and launch floors of
/// 0, 1/8, 1/4, 1/2, 1, 2 and 4 times the model's cheapest pass, added to every verify pass. No cell is filled.
/// Requires validate(model).
LabSweep sweep_axes(const CostModel& model, int32_t max_nodes);

/// Fills a sweep in steps. The text's rounds under a budget depend on no cost, so they are cut once per budget.
class Sweep {
 public:
  /// best_first: TreeOrder::kBestFirst; borrowed. Requires validate(model).
  Sweep(const PreparedText& best_first, const CostModel& model);

  /// Fills the next max_cells cells of `sweep` in the order of its array, or those that are left; n_done counts them.
  /// A cell is what simulate gives for kDdtree with that budget if every round were at that context. Budgets beyond
  /// the text's max_nodes stand for max_nodes; a text without tokens gives 0.
  void fill(LabSweep& sweep, int64_t max_cells);

 private:
  /// How many rounds verify how many nodes: all the budget's number but where candidates run out.
  using Cut = std::map<int32_t, int64_t>;
  const Cut& cut(int32_t budget);
  double seconds(const Cut& cut, int32_t context, double floor_s) const;

  const PreparedText& text_;
  CostCurves verify_;
  CostCurves before_;  // drafter and overhead, at any x
  std::map<int32_t, Cut> cut_of_budget_;
};

}  // namespace draftscope
