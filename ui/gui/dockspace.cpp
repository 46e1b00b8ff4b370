#include "ui/gui/dockspace.h"

#include <imgui_internal.h>

#include <algorithm>
#include <cstdio>
#include <initializer_list>

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
    {"batch", "Batch", "How do the requests in flight share one budget, and what is left for each as more come?"},
    {"policies", "Policies", "How fast would every policy have made this text under this cost?"},
    {"budgets", "Budget track",
     "How many nodes would every policy have verified where, and how far did that get?"},
    {"regret", "Regret", "What did a policy lose against hindsight, and for what reason?"},
    {"calibration", "Calibration", "Does the target agree as often as the drafter says?"},
    {"sweep", "Sweep", "Which fixed tree is best at which context and launch floor?"},
}};

namespace {

constexpr const char* kSettingsName = "Draftscope";
constexpr const char* kDockspace = "draftscope dockspace";

// The least room for a layout, ems of the work area.
constexpr ImVec2 kFullRoom = {96, 50}, kMediumRoom = {64, 36}, kSmallRoom = {42, 22};

// Shares of the window, chosen at 1600 x 900.
constexpr float kLeftShare = 0.20f;        // controls, cost
constexpr float kRightShare = 0.34f;       // of what the left column leaves: throughput, marginals
constexpr float kTimelineShare = 0.27f;    // of the centre column
constexpr float kTranscriptShare = 0.28f;  // of what the timeline leaves
constexpr float kThroughputShare = 0.47f;  // of the right column
constexpr float kControlsShare = 0.50f;    // of the left column

// Of the lab.
constexpr float kLabLeftShare = 0.25f;        // cost, calibration
constexpr float kLabRightShare = 0.40f;       // of what the left column leaves: regret, sweep
constexpr float kLabTranscriptShare = 0.15f;  // of the centre column
constexpr float kLabTrackShare = 0.37f;       // of what the transcript leaves
constexpr float kLabCostShare = 0.52f;        // of the left column
constexpr float kLabRegretShare = 0.55f;      // of the right column
constexpr float kLabLowerShare = 0.44f;       // of the smaller layouts: budget track, regret

// Of the smaller layouts.
constexpr float kControls_em = 17;          // width of the left column: the longest label and its widget
constexpr float kMediumLowerShare = 0.36f;  // transcript, timeline
constexpr float kMediumRightShare = 0.42f;  // throughput, marginals; of what the left column leaves
constexpr float kSmallLowerShare = 0.42f;

DockLayout& current_layout() {
  ImGuiSettingsHandler* handler = ImGui::FindSettingsHandler(kSettingsName);
  IM_ASSERT(handler != nullptr && "register_dock_layout was not called");
  return *static_cast<DockLayout*>(handler->UserData);
}

/// Docks the panels as tabs of one node; the first is in front.
void dock(std::initializer_list<PanelIndex> panels, ImGuiID node) {
  short order = 0;
  for (const PanelIndex panel : panels) {
    ImGui::DockBuilderDockWindow(kPanels[panel].title, node);
    const ImGuiID id = ImHashStr(kPanels[panel].title);
    if (ImGuiWindow* window = ImGui::FindWindowByID(id)) {
      window->DockOrder = order++;
    } else if (ImGuiWindowSettings* settings = ImGui::FindWindowSettingsByID(id)) {
      settings->DockOrder = order++;
    }
  }
  ImGuiDockNode* dock_node = ImGui::DockBuilderGetNode(node);
  dock_node->SelectedTabId = ImHashStr("#TAB", 0, ImHashStr(kPanels[*panels.begin()].title));
  // The tab's own button closes the panel; a second one at the end of the bar says nothing new.
  dock_node->SetLocalFlags(dock_node->LocalFlags | ImGuiDockNodeFlags_NoCloseButton);
}

ImGuiID split(ImGuiID& rest, ImGuiDir side, float share) {
  return ImGui::DockBuilderSplitNode(rest, side, share, nullptr, &rest);
}

void build_full(ImGuiID centre) {
  ImGuiID left = split(centre, ImGuiDir_Left, kLeftShare);
  ImGuiID right = split(centre, ImGuiDir_Right, kRightShare);
  dock({kBatch, kTimeline, kBudgets}, split(centre, ImGuiDir_Down, kTimelineShare));
  dock({kTranscript}, split(centre, ImGuiDir_Down, kTranscriptShare));
  dock({kTree, kPolicies}, centre);
  dock({kThroughput, kRegret}, split(right, ImGuiDir_Up, kThroughputShare));
  dock({kMarginals, kSweep}, right);
  dock({kControls}, split(left, ImGuiDir_Up, kControlsShare));
  dock({kCost, kCalibration}, left);
}

/// Tree and curves side by side; below them the text and the times; at the left one tab of two.
void build_medium(ImGuiID centre, float width_em) {
  dock({kControls, kCost, kCalibration}, split(centre, ImGuiDir_Left, kControls_em / width_em));
  ImGuiID lower = split(centre, ImGuiDir_Down, kMediumLowerShare);
  dock({kThroughput, kMarginals, kRegret, kSweep}, split(centre, ImGuiDir_Right, kMediumRightShare));
  dock({kTree, kPolicies}, centre);
  dock({kTranscript}, split(lower, ImGuiDir_Left, 0.5f));
  dock({kBatch, kTimeline, kBudgets}, lower);
}

/// Three nodes with tabs.
void build_small(ImGuiID centre, float width_em) {
  dock({kControls, kCost}, split(centre, ImGuiDir_Left, kControls_em / width_em));
  dock({kBatch, kTranscript, kTimeline, kBudgets}, split(centre, ImGuiDir_Down, kSmallLowerShare));
  dock({kTree, kThroughput, kMarginals, kPolicies, kRegret, kCalibration, kSweep}, centre);
}

void build_rounds(ImGuiID centre, LayoutSize size, float width_em) {
  switch (size) {
    case LayoutSize::kTiny:
      return dock({kTree, kThroughput, kMarginals, kTranscript, kTimeline, kBatch, kControls, kCost, kPolicies,
                   kBudgets, kRegret, kCalibration, kSweep},
                  centre);
    case LayoutSize::kSmall:
      return build_small(centre, width_em);
    case LayoutSize::kMedium:
      return build_medium(centre, width_em);
    case LayoutSize::kFull:
      return build_full(centre);
  }
}

/// The curve and the table first; what they mean around them.
void build_lab_full(ImGuiID centre) {
  ImGuiID left = split(centre, ImGuiDir_Left, kLabLeftShare);
  ImGuiID right = split(centre, ImGuiDir_Right, kLabRightShare);
  dock({kTranscript, kTimeline, kBatch, kMarginals, kTree, kThroughput, kControls},
       split(centre, ImGuiDir_Down, kLabTranscriptShare));
  dock({kBudgets}, split(centre, ImGuiDir_Down, kLabTrackShare));
  dock({kPolicies}, centre);
  dock({kCost}, split(left, ImGuiDir_Up, kLabCostShare));
  dock({kCalibration}, left);
  dock({kRegret}, split(right, ImGuiDir_Up, kLabRegretShare));
  dock({kSweep}, right);
}

void build_lab(ImGuiID centre, LayoutSize size, float width_em) {
  switch (size) {
    case LayoutSize::kTiny:
      return dock({kPolicies, kCost, kBudgets, kRegret, kCalibration, kSweep, kTranscript, kTimeline, kBatch,
                   kMarginals, kTree, kThroughput, kControls},
                  centre);
    case LayoutSize::kSmall:
      dock({kCost, kControls}, split(centre, ImGuiDir_Left, kControls_em / width_em));
      dock({kBudgets, kTranscript, kTimeline, kBatch}, split(centre, ImGuiDir_Down, kLabLowerShare));
      return dock({kPolicies, kRegret, kCalibration, kSweep, kMarginals, kTree, kThroughput}, centre);
    case LayoutSize::kMedium: {
      ImGuiID left = split(centre, ImGuiDir_Left, 1.3f * kControls_em / width_em);
      ImGuiID lower = split(centre, ImGuiDir_Down, kLabLowerShare);
      dock({kRegret, kSweep}, split(lower, ImGuiDir_Right, 0.5f));
      dock({kBudgets, kTranscript, kTimeline, kBatch, kMarginals, kTree, kThroughput}, lower);
      dock({kCalibration}, split(left, ImGuiDir_Down, kLabLowerShare));
      dock({kCost, kControls}, left);
      return dock({kPolicies}, centre);
    }
    case LayoutSize::kFull:
      return build_lab_full(centre);
  }
}

/// Ems between menu and status bar. A strip that comes and goes below the menu does not count: panels keep their places.
ImVec2 room_em() {
  const ImVec2 size = ImGui::GetMainViewport()->Size;
  const float unit = ImGui::GetFontSize();
  return {size.x / unit, (size.y - 2 * ImGui::GetFrameHeight()) / unit};
}

void build_default_layout(ImGuiID dockspace, PanelSet set, DockLayout& layout) {
  ImGui::DockBuilderRemoveNode(dockspace);
  ImGui::DockBuilderAddNode(dockspace, ImGuiDockNodeFlags_DockSpace);
  ImGui::DockBuilderSetNodeSize(dockspace, ImGui::GetMainViewport()->WorkSize);
  layout = {set, layout_size(room_em()), true, {}};
  const auto build = set == PanelSet::kLab ? build_lab : build_rounds;
  build(dockspace, layout.size, room_em().x);
  ImGui::DockBuilderFinish(dockspace);
}

/// The splitter of `node`, or of one below it, is being dragged.
bool splitter_held(const ImGuiDockNode* node, ImGuiID host) {
  if (node == nullptr || !node->IsSplitNode()) return false;
  const ImGuiID splitter = ImHashStr("##Splitter", 0, ImHashData(&node->ID, sizeof(node->ID), host));
  if (ImGui::GetActiveID() == splitter) return true;
  return splitter_held(node->ChildNodes[0], host) || splitter_held(node->ChildNodes[1], host);
}

/// The person moved a panel or the border between two since the layout was built.
bool rearranged(const ImGuiDockNode* root, DockLayout& layout) {
  if (root->HostWindow != nullptr && splitter_held(root, root->HostWindow->ID)) return true;
  for (size_t i = 0; i < kPanels.size(); ++i) {
    const ImGuiWindow* window = ImGui::FindWindowByName(kPanels[i].title);
    if (window == nullptr) continue;
    if (layout.nodes[i] == 0) layout.nodes[i] = window->DockId;
    if (window->DockId != layout.nodes[i]) return true;
  }
  return false;
}

void read_setting(ImGuiContext*, ImGuiSettingsHandler* handler, void*, const char* line) {
  DockLayout& layout = *static_cast<DockLayout*>(handler->UserData);
  int value = 0;
  if (std::sscanf(line, "Default=%d", &value) == 1 && value >= 0 &&
      value <= static_cast<int>(LayoutSize::kFull)) {
    layout.size = static_cast<LayoutSize>(value);
    layout.by_default = true;
  }
  if (std::sscanf(line, "Lab=%d", &value) == 1) layout.set = value == 1 ? PanelSet::kLab : PanelSet::kRounds;
}

void write_settings(ImGuiContext*, ImGuiSettingsHandler* handler, ImGuiTextBuffer* out) {
  const DockLayout& layout = *static_cast<DockLayout*>(handler->UserData);
  if (!layout.by_default) return;
  out->appendf("[%s][Layout]\nDefault=%d\nLab=%d\n\n", handler->TypeName, static_cast<int>(layout.size),
               layout.set == PanelSet::kLab ? 1 : 0);
}

}  // namespace

std::array<bool, kNPanels> panels_of(PanelSet set, bool batch) {
  std::array<bool, kNPanels> open{};
  for (int i = 0; i < kNPanels; ++i)
    open[static_cast<size_t>(i)] = (i >= kPolicies) == (set == PanelSet::kLab);
  if (set == PanelSet::kLab) open[kCost] = open[kTranscript] = true;
  if (!batch) open[kBatch] = false;
  return open;
}

LayoutSize layout_size(ImVec2 size_em) {
  const auto fits = [&](ImVec2 least) { return size_em.x >= least.x && size_em.y >= least.y; };
  return fits(kFullRoom)     ? LayoutSize::kFull
         : fits(kMediumRoom) ? LayoutSize::kMedium
         : fits(kSmallRoom)  ? LayoutSize::kSmall
                             : LayoutSize::kTiny;
}

void register_dock_layout(DockLayout& layout) {
  ImGuiSettingsHandler handler;
  handler.TypeName = kSettingsName;
  handler.TypeHash = ImHashStr(kSettingsName);
  handler.UserData = &layout;
  handler.ReadOpenFn = [](ImGuiContext*, ImGuiSettingsHandler* self, const char*) { return self->UserData; };
  handler.ReadLineFn = read_setting;
  handler.WriteAllFn = write_settings;
  ImGui::AddSettingsHandler(&handler);
}

bool default_layout_in_force() {
  return ImGui::DockBuilderGetNode(ImGui::GetID(kDockspace)) == nullptr || current_layout().by_default;
}

bool draw_dockspace(PanelSet set, bool reset) {
  const ImGuiViewport* viewport = ImGui::GetMainViewport();
  const ImGuiID dockspace = ImGui::GetID(kDockspace);
  DockLayout& layout = current_layout();
  const ImGuiDockNode* root = ImGui::DockBuilderGetNode(dockspace);
  if (root != nullptr && layout.by_default) layout.by_default = !rearranged(root, layout);
  const bool suits = layout.size == layout_size(room_em()) && layout.set == set;
  const bool build = reset || root == nullptr || (layout.by_default && !suits);
  if (build) build_default_layout(dockspace, set, layout);
  ImGui::DockSpaceOverViewport(dockspace, viewport, ImGuiDockNodeFlags_NoWindowMenuButton);
  return build;
}

}  // namespace draftscope
