// Panels: one function per panel; records in, pixels out, commands by the queue.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/record/command.h"
#include "engine/record/lab_report.h"
#include "ui/gui/cost_state.h"
#include "ui/measuring.h"
#include "ui/selection.h"
#include "ui/store.h"

namespace draftscope {

enum class Action : uint8_t;
struct ViewCache;  // the views of the shown round and of the run, computed once per change
std::shared_ptr<ViewCache> make_view_cache();

/// Everything a panel may touch. `send` hands a Command to the engine (a no-op on recordings).
/// Keep one for as long as its store lives: the views are cached in it.
struct PanelContext {
  const RecordStore& store;
  Selection& selection;
  std::function<void(Command)> send;
  bool live = false;  // false: a recording, controls that need an engine are disabled
  Measuring measuring;     // what rounds cost, before the engine decodes for the first time
  /// Decides the recorded text again under `cost`, and beside it under `other` (side B); never waits. Empty where
  /// there is no lab; a no-op unless the recording is dense. Both must pass validate.
  std::function<void(const CostModel& cost, const std::optional<CostModel>& other)> ask_lab;
  CostTools cost_tools;                       // presets, knees and files; empty members: the panel does without
  std::function<void(std::string)> notice;    // one sentence for the status bar; may be empty
  /// Hands a correction to the engine that decodes, and to its controls; empty: no engine is at hand.
  std::function<void(SetCorrectionCommand)> use_correction;
  std::function<void(Action)> perform;  // what a key or a menu entry would do
  std::shared_ptr<ViewCache> cache = make_view_cache();

  /// An engine decodes, or waits between two rounds.
  bool decoding() const { return live && store.info() && !store.end(); }

  /// The round being shown; nullptr when there is none yet.
  const RoundRecord* shown() const;
};

/// What the controls panel edits between frames; lives with the window.
struct ControlState {
  StartCommand start;
  int32_t max_nodes = 256;  // no budget is larger
  double rounds_per_s = 0;  // of the engine (0: as fast as possible), or of a recording that plays
  bool paused = false;      // the engine was asked to wait between rounds
  bool playing = false;     // a recording's rounds pass by themselves
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

/// Why Run, or Pause, Step and Stop, cannot be pressed now: one sentence; nullptr when they can.
const char* why_no_run(const PanelContext& context, const ControlState& state);
const char* why_no_pause(const PanelContext& context);

/// One step of the cost panel's history back or on; nothing happens at its ends.
void undo_cost_edit(CostEditState& state);
void redo_cost_edit(CostEditState& state);
/// Offers every curve of the file as a preset and takes the first. A file that cannot be used gets one sentence in the
/// panel and in the status bar, and the curve stays.
void import_cost(PanelContext& context, CostEditState& state, const std::string& path);

}  // namespace draftscope
