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
}};

namespace {

constexpr const char* kSettingsName = "Draftscope";

// The least room for a layout, ems of the work area.
constexpr ImVec2 kFullRoom = {96, 50}, kMediumRoom = {64, 36}, kSmallRoom = {42, 22};

// Shares of the window, chosen at 1600 x 900.
constexpr float kLeftShare = 0.20f;        // controls, cost
constexpr float kRightShare = 0.34f;       // of what the left column leaves: throughput, marginals
constexpr float kTimelineShare = 0.27f;    // of the centre column
constexpr float kTranscriptShare = 0.28f;  // of what the timeline leaves
constexpr float kThroughputShare = 0.47f;  // of the right column
constexpr float kControlsShare = 0.50f;    // of the left column

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
  dock({kTimeline}, split(centre, ImGuiDir_Down, kTimelineShare));
  dock({kTranscript}, split(centre, ImGuiDir_Down, kTranscriptShare));
  dock({kTree}, centre);
  dock({kThroughput}, split(right, ImGuiDir_Up, kThroughputShare));
  dock({kMarginals}, right);
  dock({kControls}, split(left, ImGuiDir_Up, kControlsShare));
  dock({kCost}, left);
}

/// Tree and curves side by side; below them the text and the times; at the left one tab of two.
void build_medium(ImGuiID centre, float width_em) {
  dock({kControls, kCost}, split(centre, ImGuiDir_Left, kControls_em / width_em));
  ImGuiID lower = split(centre, ImGuiDir_Down, kMediumLowerShare);
  dock({kThroughput, kMarginals}, split(centre, ImGuiDir_Right, kMediumRightShare));
  dock({kTree}, centre);
  dock({kTranscript}, split(lower, ImGuiDir_Left, 0.5f));
  dock({kTimeline}, lower);
}

/// Three nodes with tabs.
void build_small(ImGuiID centre, float width_em) {
  dock({kControls, kCost}, split(centre, ImGuiDir_Left, kControls_em / width_em));
  dock({kTranscript, kTimeline}, split(centre, ImGuiDir_Down, kSmallLowerShare));
  dock({kTree, kThroughput, kMarginals}, centre);
}

void build_default_layout(ImGuiID dockspace, ImVec2 size, DockLayout& layout) {
  ImGui::DockBuilderRemoveNode(dockspace);
  ImGui::DockBuilderAddNode(dockspace, ImGuiDockNodeFlags_DockSpace);
  ImGui::DockBuilderSetNodeSize(dockspace, size);
  const float unit = ImGui::GetFontSize();
  const ImVec2 size_em = {size.x / unit, size.y / unit};
  layout = {layout_size(size_em), true, {}};
  switch (layout.size) {
    case LayoutSize::kTiny:
      dock({kTree, kThroughput, kMarginals, kTranscript, kTimeline, kControls, kCost}, dockspace);
      break;
    case LayoutSize::kSmall:
      build_small(dockspace, size_em.x);
      break;
    case LayoutSize::kMedium:
      build_medium(dockspace, size_em.x);
      break;
    case LayoutSize::kFull:
      build_full(dockspace);
      break;
  }
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
  int size = 0;
  const bool ours = std::sscanf(line, "Default=%d", &size) == 1;
  if (!ours || size < 0 || size > static_cast<int>(LayoutSize::kFull)) return;
  *static_cast<DockLayout*>(handler->UserData) = {static_cast<LayoutSize>(size), true, {}};
}

void write_settings(ImGuiContext*, ImGuiSettingsHandler* handler, ImGuiTextBuffer* out) {
  const DockLayout& layout = *static_cast<DockLayout*>(handler->UserData);
  if (!layout.by_default) return;
  out->appendf("[%s][Layout]\nDefault=%d\n\n", handler->TypeName, static_cast<int>(layout.size));
}

}  // namespace

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

void draw_dockspace(bool reset) {
  const ImGuiViewport* viewport = ImGui::GetMainViewport();
  const ImGuiID dockspace = ImGui::GetID("draftscope dockspace");
  DockLayout& layout = current_layout();
  const ImGuiDockNode* root = ImGui::DockBuilderGetNode(dockspace);
  const float unit = ImGui::GetFontSize();
  const ImVec2 room = {viewport->WorkSize.x / unit, viewport->WorkSize.y / unit};
  if (root != nullptr && layout.by_default) layout.by_default = !rearranged(root, layout);
  if (reset || root == nullptr || (layout.by_default && layout.size != layout_size(room)))
    build_default_layout(dockspace, viewport->WorkSize, layout);
  ImGui::DockSpaceOverViewport(dockspace, viewport, ImGuiDockNodeFlags_NoWindowMenuButton);
}

}  // namespace draftscope
