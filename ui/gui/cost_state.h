// What the cost panel keeps between frames, and what the program lends it: presets, knees, files.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/record/cost_preset.h"
#include "ui/view/cost_edit.h"
#include "ui/view/edit_history.h"

namespace draftscope {

/// Everything about cost curves that needs more than records. Each may be empty: the panel then does without.
struct CostTools {
  /// Curves to start from, given the one that the session began with.
  std::function<std::vector<CostPreset>(const CostModel& session)> presets;
  /// Where and why a curve steps or bends at one of its contexts.
  std::function<std::vector<CostKnee>(const CostModel& cost, int32_t context_row)> knees;
  /// Every valid curve of a file, at least one; one sentence about what is wrong with it otherwise.
  std::function<Result<std::vector<CostModel>>(const std::string& path)> load_costs;
  std::function<Status(const std::string& path, const CostModel& cost)> save_cost;
};

/// A modal dialog that asks for a path.
struct PathDialog {
  bool open = false;  // asked for, not yet shown
  std::string path;
};

struct CostEditState {
  EditHistory<CostEdit> history;
  int64_t session = -1;
  CostModel in_force;  // the session's curve, or the last one sent to it
  int32_t context_row = 0;
  int32_t shape = 0;  // index into kCostShapes
  int32_t tile = 16;  // rows per step of the staircase
  std::vector<CostPreset> presets, imported;
  std::string problem;           // one sentence about the last thing that could not be done
  std::optional<bool> advanced;  // whether the second block of controls shows; unset: as the room allows
  PathDialog import_file, export_file{false, "cost.json"};
  bool refit = true;                    // the plot shows all of the curve in the next frame
  double whole_rows = 0, whole_ms = 0;  // what it showed then
  bool zoomed = false;                  // it shows something else
  uint64_t asked_version = 0;           // of the history, when the lab was last asked

  // Knees of history.now() at context_row.
  std::vector<CostKnee> knees;
  std::optional<std::pair<uint64_t, int32_t>> knees_of;  // version, context row

  const CostModel& edited() const { return history.now().cost; }
  bool dirty() const { return !same_cost(edited(), in_force); }
};

}  // namespace draftscope
