// Dockspace: where the panels sit.
#pragma once

#include <imgui.h>

#include <array>
#include <cstdint>

namespace draftscope {

/// One panel: what the command line calls it, what its tab says, what it answers.
struct PanelName {
  const char* name;      // "tree"
  const char* title;     // "Draft tree"; also its Dear ImGui window name
  const char* question;  // the question that it answers, one sentence
};

inline constexpr int kNPanels = 13;
enum PanelIndex {
  // of a decoding
  kTree,
  kThroughput,
  kMarginals,
  kTranscript,
  kTimeline,
  kCost,
  kControls,
  kBatch,  // open where several requests were decoded together
  // of the lab
  kPolicies,
  kBudgets,
  kRegret,
  kCalibration,
  kSweep
};
extern const std::array<PanelName, kNPanels> kPanels;  // in PanelIndex order

/// What the window is used for: to look at rounds as they were decoded, or to ask what else could have been.
enum class PanelSet : uint8_t { kRounds, kLab };
/// The panels that are open in a set until the person opens or closes some; `batch`: of a recording of several requests.
std::array<bool, kNPanels> panels_of(PanelSet set, bool batch = false);

/// Default layouts, from the least room to the most. A tab hides what there is no room for.
enum class LayoutSize : uint8_t { kTiny, kSmall, kMedium, kFull };
/// The layout for a work area of `size_em`, in units of the font size.
LayoutSize layout_size(ImVec2 size_em);

/// Which default layout is in force, and whether the person has rearranged it since. Kept in the settings
/// file beside Dear ImGui's own entries.
struct DockLayout {
  PanelSet set = PanelSet::kRounds;
  LayoutSize size = LayoutSize::kFull;
  bool by_default = false;                // false: the person's own, or none yet
  std::array<ImGuiID, kNPanels> nodes{};  // of each panel; 0 until they have settled
};

/// Lets the current context load, save and use `layout`, which must outlive it. Call once per context.
void register_dock_layout(DockLayout& layout);

/// Fills the main viewport's work area with a dockspace. Lays the panels out when they have no layout yet
/// (no settings file), when `reset` is set, and when a default layout no longer suits the room or the set;
/// panels that the person rearranged stay. Call once per frame, before the panels' windows. True when it laid
/// them out.
bool draw_dockspace(PanelSet set, bool reset);
/// No panel was rearranged since a default layout was built, or none was built yet.
bool default_layout_in_force();

}  // namespace draftscope
