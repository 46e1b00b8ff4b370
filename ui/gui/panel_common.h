// What panels share: cached views, linked hover, empty states, numbers with their origin.
#pragma once

#include <imgui.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "ui/gui/panels.h"
#include "ui/view/batch_track.h"
#include "ui/view/marginals_grid.h"
#include "ui/view/summary.h"
#include "ui/view/theta_plot.h"
#include "ui/view/timeline.h"
#include "ui/view/transcript.h"
#include "ui/view/tree_layout.h"

namespace draftscope {

struct RoundViews {
  TreeLayout layout;
  ThetaPlot theta;
  MarginalsGrid marginals;
};
struct RunViews {
  Timeline timeline;
  Transcript transcript;
  Summary summary;
  BatchTrack batch;
};

/// Index of the shown round; -1 when there is none.
int64_t shown_round(const PanelContext& context);
/// Shows `round` (clamped to what is there); the newest one does not turn following on.
void show_round(PanelContext& context, int64_t round);
/// How the tree is laid out; part of what the cache depends on.
struct TreeOptions {
  bool top_down = false;  // in force: as asked, else where the panel is higher than wide
  std::optional<bool> asked_top_down;
  bool candidates = true;
  bool whole = false;                   // every node has its box, however small that makes them
  int32_t width_em = 0, height_em = 0;  // otherwise: the room in which the path should be readable
  int32_t max_candidates = LayoutOptions{}.max_candidates;  // fewer in a short panel
  bool operator==(const TreeOptions&) const = default;
};
TreeOptions& tree_options(PanelContext& context);

/// Views of the shown round, which must exist.
const RoundViews& round_views(PanelContext& context);
const RunViews& run_views(PanelContext& context);

/// Writes a linked hover value while the pointer is over this window, and clears it once when it leaves, so
/// that panels do not erase each other's.
void publish_hover(std::optional<int32_t>& slot, bool over, std::optional<int32_t> value);

/// A sentence in the middle of the window, wrapped.
void draw_empty(const std::string& sentence);
/// "label value origin" on one line, the origin dim. Pass an empty origin for identities.
void draw_figure(const char* label, const std::string& value, const std::string& origin);
/// Small dim words, e.g. an origin.
void dim_text(std::string_view words);
/// Tooltip about a node: its verdict and its facts.
void node_tooltip(const RoundRecord& record, int32_t node);
/// A "?" button whose tooltip holds what a short panel has no room for.
void help_mark(const std::function<void()>& draw_help);
/// True when the panel is too short for legends and sentences: the picture needs the room.
bool short_panel(float least_em);
/// Makes the widgets of a header flat while it lives, where the panel is too short for more.
class FlatHeader {
 public:
  FlatHeader();
  ~FlatHeader();
  FlatHeader(const FlatHeader&) = delete;
  FlatHeader& operator=(const FlatHeader&) = delete;

 private:
  bool pushed_;
};
/// ImGui's, with a border that shows where an empty one is.
bool checkbox(const char* label, bool* on);
/// A widget of `width` pixels with its label: beside it where both fit, else above, so that neither is cut.
/// `draw` gets no label; returns what it does.
bool labelled(const char* label, float width, const std::function<bool()>& draw);
/// What is left of this line beside the last item, pixels.
float room_beside();
/// SameLine when `width` pixels fit beside the last item, else a new line.
void flow(float width);
/// Width of a button or checkbox with this label.
float button_width(const char* label);

/// Lines over the area of a rectangle, aligned with the screen so that neighbours join.
enum class Hatch : uint8_t { kNone, kDiagonal, kHorizontal, kVertical };
void hatch_rect(ImDrawList* list, ImVec2 min, ImVec2 max, Hatch hatch, ImU32 colour);

inline float em() { return ImGui::GetFontSize(); }

}  // namespace draftscope
