#include "ui/gui/dockspace.h"

#include <imgui.h>
#include <imgui_internal.h>

namespace draftscope {

const std::array<PanelName, kNPanels> kPanels = {{
    {"tree", "Draft tree", "Which tokens were drafted this round, which were verified, which were accepted?"},
    {"throughput", "Throughput",
     "How many tokens per second does every budget promise, and why was this one chosen?"},
    {"marginals", "Marginals", "Which tokens does the drafter believe in at every depth?"},
    {"transcript", "Transcript", "What was written, and which tokens came from the draft?"},
    {"timeline", "Timeline", "Where did the time of every round go?"},
    {"cost", "Cost model", "What does a round cost here, and what would change if it cost something else?"},
    {"controls", "Controls", "What should be decoded, how, and how fast?"},
}};

namespace {

// Shares of the window, chosen at 1600 x 900.
constexpr float kLeftShare = 0.20f;        // controls, cost
constexpr float kRightShare = 0.34f;       // of what the left column leaves: throughput, marginals
constexpr float kTimelineShare = 0.27f;    // of the centre column
constexpr float kTranscriptShare = 0.28f;  // of what the timeline leaves
constexpr float kThroughputShare = 0.47f;  // of the right column
constexpr float kControlsShare = 0.50f;    // of the left column

void dock(PanelIndex panel, ImGuiID node) {
  ImGui::DockBuilderDockWindow(kPanels[panel].title, node);
  // The tab's own button closes the panel; a second one at the end of the bar says nothing new.
  ImGuiDockNode* dock_node = ImGui::DockBuilderGetNode(node);
  dock_node->SetLocalFlags(dock_node->LocalFlags | ImGuiDockNodeFlags_NoCloseButton);
}

void build_default_layout(ImGuiID dockspace, ImVec2 size) {
  ImGui::DockBuilderRemoveNode(dockspace);
  ImGui::DockBuilderAddNode(dockspace, ImGuiDockNodeFlags_DockSpace);
  ImGui::DockBuilderSetNodeSize(dockspace, size);
  ImGuiID centre = dockspace;
  ImGuiID left = ImGui::DockBuilderSplitNode(centre, ImGuiDir_Left, kLeftShare, nullptr, &centre);
  ImGuiID right = ImGui::DockBuilderSplitNode(centre, ImGuiDir_Right, kRightShare, nullptr, &centre);
  const ImGuiID timeline =
      ImGui::DockBuilderSplitNode(centre, ImGuiDir_Down, kTimelineShare, nullptr, &centre);
  const ImGuiID transcript =
      ImGui::DockBuilderSplitNode(centre, ImGuiDir_Down, kTranscriptShare, nullptr, &centre);
  const ImGuiID throughput =
      ImGui::DockBuilderSplitNode(right, ImGuiDir_Up, kThroughputShare, nullptr, &right);
  const ImGuiID controls = ImGui::DockBuilderSplitNode(left, ImGuiDir_Up, kControlsShare, nullptr, &left);
  dock(kTree, centre);
  dock(kTimeline, timeline);
  dock(kTranscript, transcript);
  dock(kThroughput, throughput);
  dock(kMarginals, right);
  dock(kControls, controls);
  dock(kCost, left);
  ImGui::DockBuilderFinish(dockspace);
}

}  // namespace

void draw_dockspace(bool reset) {
  const ImGuiViewport* viewport = ImGui::GetMainViewport();
  const ImGuiID dockspace = ImGui::GetID("draftscope dockspace");
  if (reset || ImGui::DockBuilderGetNode(dockspace) == nullptr)
    build_default_layout(dockspace, viewport->WorkSize);
  ImGui::DockSpaceOverViewport(dockspace, viewport, ImGuiDockNodeFlags_NoWindowMenuButton);
}

}  // namespace draftscope
