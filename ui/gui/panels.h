// Panels: one function per panel; records in, pixels out, commands by the queue.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/record/command.h"
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
  std::shared_ptr<ViewCache> cache = make_view_cache();

  /// The round being shown; nullptr when there is none yet.
  const RoundRecord* shown() const;
};

/// What the controls panel edits between frames; lives with the window.
struct ControlState {
  StartCommand start;
  double rounds_per_s = 0;
  bool paused = false;
};
/// What the cost panel edits: a copy of the curve in force until it is sent.
struct CostEditState {
  CostModel edited;
  bool dirty = false;
  int64_t session = -1;
  int32_t context_row = 0;
  CostModel in_force;  // the session's curve, or the last one sent to it
  int32_t shape = 0;   // index into kCostShapes
  int32_t tile = 16;   // rows per step of the staircase
};

// Each draws inside the current window (the dockspace made it).
void draw_tree_panel(PanelContext& context);
void draw_throughput_panel(PanelContext& context);
void draw_marginals_panel(PanelContext& context);
void draw_transcript_panel(PanelContext& context);
void draw_timeline_panel(PanelContext& context);
void draw_cost_panel(PanelContext& context, CostEditState& state);
void draw_controls_panel(PanelContext& context, ControlState& state);

}  // namespace draftscope
