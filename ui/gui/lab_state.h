// What the lab's panels edit and show. Names no graphics library, so that app/ may include it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "engine/record/lab_report.h"
#include "ui/view/budget_track.h"
#include "ui/view/lab_table.h"
#include "ui/view/regret_stack.h"
#include "ui/view/reliability_plot.h"
#include "ui/view/sweep_map.h"

namespace draftscope {

/// Who answers the lab's questions; both empty where nobody does.
struct LabLink {
  std::function<void(const LabQuestion&)> ask;               // takes the question and returns at once
  std::function<std::shared_ptr<const LabReport>()> report;  // the latest answer; null: none yet
};

/// What the panels show, made once per answer and setting.
struct LabViews {
  LabTable table;
  BudgetTrack track;
  RegretStack regret;
  ReliabilityPlot reliability;
  SweepMap sweep;
};

/// What the controls edit between frames; lives with the window.
struct LabState {
  LabLink link;
  LabQuestion question;                     // the latest one; number 0: none was asked yet
  std::shared_ptr<const LabReport> report;  // the latest answer; null: none yet
  int64_t session = -1;                     // that the question is about
  int32_t floor = 0, curve = 0;             // indices into the sweep's floors and the calibration's curves
  bool all_policies = false;                // in the budget track
  std::shared_ptr<const LabReport> viewed;  // what `views` was made from, and with which settings
  int32_t viewed_floor = 0;
  bool viewed_all = false;
  LabViews views;

  /// Asks `question` under the next number.
  void ask();
  /// An answer is still on its way, or growing.
  bool busy() const;
};

}  // namespace draftscope
