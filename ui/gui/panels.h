// Panels: one function per panel; records in, pixels out, commands by the queue.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/record/command.h"
#include "engine/record/lab_report.h"
#include "ui/gui/cost_state.h"
#include "ui/selection.h"
#include "ui/store.h"

namespace draftscope {

struct ViewCache;  // the views of the shown round and of the run, computed once per change
std::shared_ptr<ViewCache> make_view_cache();

/// Everything a panel may touch. `send` hands a Command to the engine (a no-op on recordings).
/// Keep one for as long as its store lives: the views are cached in it.
struct PanelContext {
  const RecordStore& store;
  Selection& selection;
  std::function<void(Command)> send;
  bool live = false;  // false: a recording, controls that need an engine are disabled
  /// Decides the recorded text again under `cost`, and beside it under `other` (side B); never waits. Empty where
  /// there is no lab; a no-op unless the recording is dense. Both must pass validate.
  std::function<void(const CostModel& cost, const std::optional<CostModel>& other)> ask_lab;
  CostTools cost_tools;                       // presets, knees and files; empty members: the panel does without
  std::function<void(std::string)> notice;    // one sentence for the status bar; may be empty
  /// Hands a correction to the engine that decodes, and to its controls; empty: no engine is at hand.
  std::function<void(SetCorrectionCommand)> use_correction;
  std::shared_ptr<ViewCache> cache = make_view_cache();

  /// The round being shown; nullptr when there is none yet.
  const RoundRecord* shown() const;
};

/// What the controls panel edits between frames; lives with the window.
struct ControlState {
  StartCommand start;
  double rounds_per_s = 0;
  bool paused = false;
  std::string correction;  // where the engine's correction comes from; empty: it has none
};

// Each draws inside the current window (the dockspace made it).
void draw_tree_panel(PanelContext& context);
void draw_throughput_panel(PanelContext& context);
void draw_marginals_panel(PanelContext& context);
void draw_transcript_panel(PanelContext& context);
void draw_timeline_panel(PanelContext& context);
void draw_batch_panel(PanelContext& context);
void draw_cost_panel(PanelContext& context, CostEditState& state);
void draw_controls_panel(PanelContext& context, ControlState& state);

/// One step of the cost panel's history back or on; nothing happens at its ends.
void undo_cost_edit(CostEditState& state);
void redo_cost_edit(CostEditState& state);
/// Offers every curve of the file as a preset and takes the first. A file that cannot be used gets one sentence in the
/// panel and in the status bar, and the curve stays.
void import_cost(PanelContext& context, CostEditState& state, const std::string& path);

}  // namespace draftscope
