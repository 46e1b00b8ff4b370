// Answers of the budget lab: one question about one dense text, decided again under every policy. Pure;
// app/lab.h runs it beside the window.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "engine/lab/dense.h"
#include "engine/lab/prepared.h"
#include "engine/lab/simulate.h"
#include "engine/record/lab_report.h"
#include "engine/speculate/correction.h"
#include "engine/speculate/cost.h"

namespace draftscope {

/// A text and all that questions about it share, made once.
struct PreparedTexts {
  DenseText text;
  std::array<PreparedText, 4> by_order;  // index: TreeOrder, uncorrected
  std::shared_ptr<const Correction> correction;
  PreparedText corrected;  // best first, with `correction`
};

/// `correction`: what Method::kCalibrated applies; null: none.
PreparedTexts prepare_all(DenseText text, std::shared_ptr<const Correction> correction = nullptr);

/// The prepared text that `method` decides on.
const PreparedText& prepared_for(const PreparedTexts& texts, Method method);

/// One policy over the text, with the question's budget and bucket. Requires that `cost` is valid.
SimulatedRun simulate_policy(const PreparedTexts& texts, const LabQuestion& question, Method method,
                             const CostTable& cost);

/// Every policy under question.cost and, where there is one, under question.other_cost; the rest of the
/// report is for best_fixed and whoever measures regret, calibration, sweep and the time that answers take. Budgets are cut at the
/// text's max_nodes. Some milliseconds for 512 tokens. Requires validate of every cost model of the question.
LabReport answer(const PreparedTexts& texts, const LabQuestion& question);

/// The fixed tree of the best of some twenty budgets on this text, chosen with hindsight: what an adaptive
/// policy has to beat. Requires validate(cost).
LabPolicy best_fixed(const PreparedTexts& texts, const CostModel& cost);

}  // namespace draftscope
