// The draft tree of the shown round: what was drafted, verified and accepted.
#include <fmt/format.h>
#include <imgui.h>
#include <imgui_internal.h>

#include <algorithm>
#include <array>

#include "ui/gui/canvas.h"
#include "ui/gui/palette.h"
#include "ui/gui/panel_common.h"
#include "ui/gui/tree_draw.h"
#include "ui/view/node_facts.h"

namespace draftscope {
namespace {

constexpr int32_t kFewCandidates = 3;  // in a short panel: the verified nodes need the room
constexpr float kRoomy_em = 26;        // from this height on, in a panel not narrow, the legend has a line of its own
constexpr float kNarrow_em = 30;       // in less width the legend would take many lines
constexpr float kHeader_em = 5.5f, kOneLine_em = 2.2f;  // about: a tree may not change its own room

/// Whether the tree needs the room that a legend would take.
bool one_line_header() { return short_panel(kRoomy_em) || ImGui::GetWindowWidth() < kNarrow_em * em(); }

void draw_options(TreeOptions& options) {
  if (checkbox("Top-down", &options.top_down)) options.asked_top_down = options.top_down;
  flow(button_width("Candidates") + ImGui::GetFrameHeight());
  checkbox("Candidates", &options.candidates);
  ImGui::SetItemTooltip("Show the first candidates that were not verified, faint.");
}

/// Sentence, legend and footer behind one button.
void draw_help(const RoundRecord& record, const std::string& about_hidden) {
  flow(button_width("?"));
  help_mark([&] {
    ImGui::TextUnformatted(round_sentence(record).c_str());
    draw_tree_legend(true);
    dim_text(about_hidden);
  });
}

/// A view asked for on the canvas, which is drawn after the layout is made: it begins with the next frame.
void ask_for_view(std::optional<ViewMode> mode) {
  ImGui::GetStateStorage()->SetInt(ImGui::GetID("asked view"), mode ? static_cast<int>(*mode) : -1);
}

/// The view that the person asked for, in this frame or on the canvas in the last one.
std::optional<ViewMode> draw_view_buttons() {
  std::optional<ViewMode> wanted;
  const int asked = ImGui::GetStateStorage()->GetInt(ImGui::GetID("asked view"), -1);
  if (asked >= 0) wanted = static_cast<ViewMode>(asked);
  if (ImGui::Button("Fit")) wanted = ViewMode::kWhole;
  ImGui::SetItemTooltip("Keep the whole tree in sight, every node of it. The wheel zooms, dragging pans.");
  flow(button_width("Path"));
  if (ImGui::Button("Path")) wanted = ViewMode::kFocus;
  ImGui::SetItemTooltip(
      "Keep root, accepted path and bonus in sight, large enough to read (double click does too). Rejected "
      "nodes that find no room are counted in a mark; a click on it shows the whole tree.");
  return wanted;
}

/// What the layout depends on besides the record: the view asked for, and the room of the panel.
void update_options(TreeOptions& options, std::optional<ViewMode> wanted, bool one_line, ImVec2 panel) {
  if (wanted) options.whole = *wanted == ViewMode::kWhole;
  options.max_candidates = one_line ? kFewCandidates : LayoutOptions{}.max_candidates;
  const auto readable_em = [](float pixels) {
    const float margin = 2 * em();  // of the canvas
    return static_cast<int32_t>(std::max(0.0f, pixels - margin) / (kReadableZoom * em()));
  };
  const float height = panel.y - (one_line ? kOneLine_em : kHeader_em) * em();
  options.width_em = readable_em(panel.x);
  options.height_em = readable_em(height);
  options.top_down = options.asked_top_down.value_or(height > panel.x);
}

/// What fits this line: the sentence, or else its few words.
void draw_round(const RoundRecord& record) {
  const float room = room_beside();
  for (const std::string& words : {round_sentence(record), round_words(record)}) {
    if (ImGui::CalcTextSize(words.c_str()).x > room) continue;
    ImGui::SameLine();
    ImGui::AlignTextToFramePadding();
    ImGui::TextUnformatted(words.c_str());
    return;
  }
}

/// Arrow keys while the panel has the focus; returns the box to show, -1 when nothing changed.
int32_t handle_keys(Selection& selection, const TreeLayout& layout) {
  if (!ImGui::IsWindowFocused() || ImGui::GetIO().WantTextInput) return -1;
  const bool down = layout.top_down;
  const std::array<std::pair<ImGuiKey, Step>, 4> keys = {{
      {down ? ImGuiKey_UpArrow : ImGuiKey_LeftArrow, Step::kParent},
      {down ? ImGuiKey_DownArrow : ImGuiKey_RightArrow, Step::kChild},
      {down ? ImGuiKey_LeftArrow : ImGuiKey_UpArrow, Step::kPrevious},
      {down ? ImGuiKey_RightArrow : ImGuiKey_DownArrow, Step::kNext},
  }};
  int32_t box = selection.node ? box_of(layout, *selection.node) : -1;
  bool moved = false;
  for (const auto& [key, step] : keys) {
    ImGui::SetKeyOwner(key, ImGui::GetID("tree"));  // otherwise they would move the focus between widgets
    if (!ImGui::IsKeyPressed(key, ImGuiInputFlags_Repeat, ImGui::GetID("tree"))) continue;
    const int32_t next = box < 0 ? 0 : step_from(layout, box, step).value_or(box);
    moved |= next != box;
    box = next;
  }
  if (!moved) return -1;
  selection.node = layout.boxes[static_cast<size_t>(box)].node;
  return box;
}

int32_t box_under(const TreeLayout& layout, const Canvas& canvas) {
  if (!canvas.hovered) return -1;
  const ImVec2 at = canvas.to_world(ImGui::GetIO().MousePos);
  for (size_t i = 0; i < layout.boxes.size(); ++i) {
    const NodeBox& box = layout.boxes[i];
    if (at.x >= box.x && at.x <= box.x + box.width && at.y >= box.y && at.y <= box.y + box.height) {
      return static_cast<int32_t>(i);
    }
  }
  return -1;
}

Emphasis emphasis_of(const TreeLayout& layout, const NodeBox& box, const Selection& selection) {
  if (selection.hover_node == box.node) return Emphasis::kHovered;
  if (selection.node == box.node) return Emphasis::kSelected;
  // A budget under the pointer: what it would leave out fades.
  const int32_t last_node =
      box.node == kBonusNode ? layout.boxes[static_cast<size_t>(box.parent_box)].node : box.node;
  if (selection.hover_budget && last_node > *selection.hover_budget) return Emphasis::kFaded;
  return Emphasis::kNormal;
}

void draw_tree(const Canvas& canvas, const TreeLayout& layout, const Selection& selection) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  for (const bool path : {false, true}) {  // the path on top
    for (const NodeBox& box : layout.boxes) {
      if (box.on_path() == path) draw_edge(list, canvas, layout, box, emphasis_of(layout, box, selection));
    }
  }
  for (const NodeBox& box : layout.boxes) draw_box(list, canvas, box, emphasis_of(layout, box, selection));
}

std::string footer(const RoundRecord& record, const TreeLayout& layout, const Selection& selection) {
  if (selection.node) return node_verdict(record, *selection.node);
  std::string words;
  if (layout.n_folded > 0)
    words = fmt::format("{} rejected nodes are counted in marks; Fit shows them all. ", layout.n_folded);
  if (layout.n_hidden > 0)
    words += fmt::format("{} more candidates were not verified and are not shown.", layout.n_hidden);
  if (!words.empty()) return words;
  return "Click a node, or use the arrow keys, to keep its facts here.";
}

/// One line in a small panel, everything in a large one.
std::optional<ViewMode> draw_header(PanelContext& context, const RoundRecord& record) {
  const ImVec2 panel = ImGui::GetContentRegionAvail();
  const FlatHeader flat;
  const bool one_line = one_line_header();
  const std::optional<ViewMode> wanted = draw_view_buttons();
  TreeOptions& options = tree_options(context);
  if (one_line) {
    flow(button_width("Options"));
    if (ImGui::Button("Options")) ImGui::OpenPopup("options");
    if (ImGui::BeginPopup("options")) {
      draw_options(options);
      ImGui::EndPopup();
    }
  } else {
    flow(button_width("Top-down") + ImGui::GetFrameHeight());
    draw_options(options);
  }
  update_options(options, wanted, one_line, panel);
  const TreeLayout& layout = round_views(context).layout;
  const std::string words = footer(record, layout, context.selection);
  if (one_line) draw_help(record, words);
  draw_round(record);
  if (one_line || !layout.empty_reason.empty()) return wanted;
  draw_tree_legend(false);
  ImGui::PushTextWrapPos(0);
  dim_text(words);
  ImGui::PopTextWrapPos();
  return wanted;
}

/// A header of one line has no place for the verdict on the selected node: it lies over the foot of the picture.
void draw_verdict(const Canvas& canvas, const RoundRecord& record, const Selection& selection) {
  if (!selection.node || !one_line_header()) return;
  const std::string words = node_verdict(record, *selection.node);
  const float pad = 0.3f * em(), width = canvas.max.x - canvas.min.x - 2 * pad;
  const float height = ImGui::CalcTextSize(words.c_str(), nullptr, false, width).y;
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImVec2 a = {canvas.min.x, canvas.max.y - height - 2 * pad};
  list->AddRectFilled(a, canvas.max, with_alpha(palette().window, 0.88f), 0.3f * em());
  list->AddText(ImGui::GetFont(), ImGui::GetFontSize(), {a.x + pad, a.y + pad}, palette().text, words.c_str(),
                nullptr, width);
}

}  // namespace

void draw_tree_panel(PanelContext& context) {
  const RoundRecord* record = context.shown();
  if (!record) {
    draw_empty("No rounds yet: each round's draft tree appears here.");
    return;
  }
  const std::optional<ViewMode> wanted = draw_header(context, *record);
  const TreeLayout& layout = round_views(context).layout;
  if (!layout.empty_reason.empty()) {
    draw_empty(layout.empty_reason);
    return;
  }
  Selection& selection = context.selection;
  const int32_t stepped = handle_keys(selection, layout);
  const PathExtent path = path_extent(layout);
  const CanvasWorld world = {
      {layout.width, layout.height}, {path.x, path.y}, {path.x + path.width, path.y + path.height}};
  const Canvas canvas = begin_canvas("canvas", world, wanted);
  const int32_t under = box_under(layout, canvas);
  const NodeBox* box_hovered = under < 0 ? nullptr : &layout.boxes[static_cast<size_t>(under)];
  const bool folded = box_hovered != nullptr && box_hovered->role == NodeRole::kFolded;
  const auto hovered =
      box_hovered == nullptr || folded ? std::nullopt : std::optional<int32_t>(box_hovered->node);
  publish_hover(selection.hover_node, canvas.hovered, hovered);
  if (canvas.clicked) selection.node = hovered;
  ask_for_view(canvas.double_clicked      ? std::optional(ViewMode::kFocus)
               : canvas.clicked && folded ? std::optional(ViewMode::kWhole)
                                          : std::nullopt);
  if (stepped >= 0) {
    const NodeBox& box = layout.boxes[static_cast<size_t>(stepped)];
    reveal(canvas, {box.x - 1, box.y - 1}, {box.x + box.width + 1, box.y + box.height + 1});
  }
  draw_tree(canvas, layout, selection);
  draw_verdict(canvas, *record, selection);
  end_canvas();
  if (hovered) node_tooltip(*record, *hovered);
  if (folded)
    ImGui::SetTooltip("%d more nodes below this one, all of them rejected. A click shows the whole tree.",
                      box_hovered->n_folded);
}

}  // namespace draftscope
