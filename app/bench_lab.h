// Bench lab: the same prompts decided again by every policy under other cost models, from one dense decoding each.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "app/bench_run.h"
#include "engine/lab/answer.h"
#include "engine/speculate/cost.h"

namespace draftscope {

/// A cost model to simulate under.
struct LabCost {
  std::string title;
  CostModel model;
  std::vector<std::string> notes;
};

/// `own`, a staircase over it, and the published curves and probes that ship with the program.
Result<std::vector<LabCost>> bench_costs(const CostModel& own);

class BenchLab {
 public:
  /// Requires validate of every model and at least one policy, plain decoding first.
  BenchLab(std::vector<LabCost> costs, std::vector<BenchPolicy> policies);

  /// Decodes the prompt plainly with the drafter asked at every position, then simulates. False, and nothing is added, when
  /// interrupted() says so.
  Result<bool> add(const Pair& pair, const std::vector<int32_t>& prompt, SessionOptions base);
  /// One section per cost model, in their order.
  std::vector<ReportSection> finish() &&;

 private:
  struct Model {
    CostTable table;
    ReportSection section;
    ExpectedMargin margin;
    double exact_theta = 0, caddtree_theta = 0;  // sums over positions
  };
  void simulate_all(const PreparedTexts& texts, Model& model) const;
  void expect_all(const PreparedTexts& texts, Model& model) const;

  std::vector<BenchPolicy> policies_;
  std::vector<Model> models_;
  std::shared_ptr<const Correction> correction_;
  int32_t max_nodes_ = 1;
  int64_t context_sum_ = 0, n_positions_ = 0;
};

}  // namespace draftscope
