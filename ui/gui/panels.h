// Panels: one function per panel; records in, pixels out, commands by the queue.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/record/command.h"
#include "ui/selection.h"
#include "ui/store.h"

namespace draftscope {

/// Everything a panel may touch. `send` hands a Command to the engine (a no-op on recordings).
struct PanelContext {
  const RecordStore& store;
  Selection& selection;
  std::function<void(Command)> send;
  bool live = false;            // false: a recording, controls that need an engine are disabled

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
