// Dockspace: where the seven panels sit.
#pragma once

#include <array>

namespace draftscope {

/// One panel: what the command line calls it, what its tab says, what it answers.
struct PanelName {
  const char* name;      // "tree"
  const char* title;     // "Draft tree"; also its Dear ImGui window name
  const char* question;  // the question that it answers, one sentence
};

inline constexpr int kNPanels = 7;
enum PanelIndex { kTree, kThroughput, kMarginals, kTranscript, kTimeline, kCost, kControls };
extern const std::array<PanelName, kNPanels> kPanels;  // in PanelIndex order

/// Fills the main viewport's work area with a dockspace. Lays the panels out when they have no layout yet
/// (no settings file) or when `reset` is set. Call once per frame, before the panels' windows.
void draw_dockspace(bool reset);

}  // namespace draftscope
