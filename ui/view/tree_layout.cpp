#include "ui/view/tree_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ui/view/token_label.h"

namespace draftscope {
namespace {

constexpr float kBoxHeight = 1.75f;  // ems: a line of text and the bar of q below it
constexpr float kPadding = 0.6f;     // inside a box, left and right
constexpr float kSideGap = 0.55f;    // between neighbours at one depth, room for the bonus' second border
constexpr float kLineGap = 1.1f;     // between lines, room for the edges that go from one to the next
constexpr float kTurn = 0.65f;       // at the end of a line, room for those edges
constexpr float kMinWidth = 2.6f;
constexpr float kEmPerCell = 0.6f;

/// Nearest and farthest extent of a subtree per depth below its root, relative to the root's centre.
struct Outline {
  std::vector<float> near_side, far_side;
};

std::vector<NodeBox> make_boxes(const RoundRecord& record, int32_t n_shown, const LayoutOptions& options) {
  const DraftTree& tree = record.tree;
  std::vector<NodeBox> boxes(static_cast<size_t>(n_shown));
  for (int32_t i = 0; i < n_shown; ++i) {
    NodeBox& box = boxes[i];
    box.node = i;
    box.parent_box = tree.parent[i];
    box.depth = tree.depth[i];
    box.role = i == 0                        ? NodeRole::kRoot
               : i <= record.decision.chosen ? NodeRole::kRejected
                                             : NodeRole::kCandidate;
    box.path_q = std::exp(tree.path_log_q[i]);
    box.q = i == 0 ? 1.0 : std::exp(tree.path_log_q[i] - tree.path_log_q[tree.parent[i]]);
    box.label = elide(token_label(record.text, tree.token[i]), options.max_label_cells);
  }
  for (const int32_t node : record.accepted.path) {
    if (node > 0 && node < n_shown) boxes[node].role = NodeRole::kAccepted;
  }
  const bool path_shown = !record.accepted.path.empty() && record.accepted.path.back() < n_shown;
  if (record.accepted.bonus >= 0 && path_shown) {
    NodeBox& bonus = boxes.emplace_back();
    bonus.node = kBonusNode;
    bonus.parent_box = record.accepted.path.back();
    bonus.depth = boxes[bonus.parent_box].depth + 1;
    bonus.role = NodeRole::kBonus;
    bonus.q = bonus.path_q = std::numeric_limits<double>::quiet_NaN();
    bonus.label = elide(token_label(record.text, record.accepted.bonus), options.max_label_cells);
  }
  return boxes;
}

/// Keeps the path and the first `most` nodes beside it, which with their parents are a tree again. Rejected
/// nodes left out become one mark each where they hang; candidates left out are counted as hidden.
void fold_boxes(TreeLayout& layout, int32_t most) {
  const std::vector<NodeBox> all = std::move(layout.boxes);
  std::vector<NodeBox> kept;
  std::vector<int32_t> place(all.size(), -1);    // in `kept`; of a folded node: of what it hangs on
  std::vector<int32_t> n_folded(all.size(), 0);  // by place
  int32_t n_off_path = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    const NodeBox& box = all[i];
    if (box.node == kBonusNode) continue;
    const int32_t parent = box.parent_box < 0 ? -1 : place[box.parent_box];
    if (box.on_path() || n_off_path++ < most) {
      place[i] = static_cast<int32_t>(kept.size());
      kept.push_back(box);
      kept.back().parent_box = parent;
      continue;
    }
    place[i] = parent;
    if (box.role == NodeRole::kRejected)
      ++n_folded[parent];
    else
      ++layout.n_hidden;
  }
  for (int32_t parent = 0, n = static_cast<int32_t>(kept.size()); parent < n; ++parent) {
    if (n_folded[parent] == 0) continue;
    layout.n_folded += n_folded[parent];
    kept.push_back({.node = kFoldedNode, .parent_box = parent, .role = NodeRole::kFolded});
    NodeBox& mark = kept.back();
    mark.label = fmt::format("+{}{}", n_folded[parent], kept[parent].on_path() ? " rejected" : "");
    mark.q = mark.path_q = std::numeric_limits<double>::quiet_NaN();
    mark.n_folded = n_folded[parent];
    mark.depth = kept[parent].depth + 1;
  }
  if (!all.empty() && all.back().node == kBonusNode) {
    kept.push_back(all.back());
    kept.back().parent_box = place[all.back().parent_box];
  }
  layout.boxes = std::move(kept);
}

void size_boxes(std::vector<NodeBox>& boxes, const LayoutOptions& options) {
  for (NodeBox& box : boxes) {
    const float text = options.text_width_em ? options.text_width_em(box.label)
                                             : kEmPerCell * static_cast<float>(label_cells(box.label));
    // Room for the mark of the role (check, cross, star) beside the text.
    box.width = std::max(kMinWidth, text + 2 * kPadding + 1.2f);
    box.height = kBoxHeight;
  }
}

/// Extent of a box across the layers: its height when the root is left, its width when the root is on top.
float breadth(const NodeBox& box, bool top_down) { return top_down ? box.width : box.height; }

/// Smallest shift that keeps `next` clear of everything already `placed`.
float clear_shift(const Outline& placed, const Outline& next) {
  float shift = -std::numeric_limits<float>::infinity();
  const size_t layers = std::min(placed.far_side.size(), next.near_side.size());
  for (size_t d = 0; d < layers; ++d)
    shift = std::max(shift, placed.far_side[d] - next.near_side[d] + kSideGap);
  return shift;
}

void merge_outline(Outline& placed, const Outline& next, float shift) {
  for (size_t d = 0; d < next.near_side.size(); ++d) {
    if (d == placed.near_side.size()) {
      placed.near_side.push_back(next.near_side[d] + shift);
      placed.far_side.push_back(next.far_side[d] + shift);
    } else {
      placed.near_side[d] = std::min(placed.near_side[d], next.near_side[d] + shift);
      placed.far_side[d] = std::max(placed.far_side[d], next.far_side[d] + shift);
    }
  }
}

/// Centre of every box across the layers.
std::vector<float> place_across(const std::vector<NodeBox>& boxes, bool top_down) {
  const size_t n = boxes.size();
  std::vector<std::vector<int32_t>> children(n);
  for (size_t i = 1; i < n; ++i) {
    std::vector<int32_t>& siblings = children[boxes[i].parent_box];
    // The path first: however many siblings there are, it goes straight on.
    siblings.insert(boxes[i].on_path() ? siblings.begin() : siblings.end(), static_cast<int32_t>(i));
  }
  std::vector<Outline> outline(n);
  std::vector<float> centre(n, 0.0f);  // relative to the parent until the sweep below
  for (size_t i = n; i-- > 0;) {
    Outline below;
    for (const int32_t child : children[i]) {
      centre[child] = below.near_side.empty() ? 0.0f : clear_shift(below, outline[child]);
      merge_outline(below, outline[child], centre[child]);
      outline[child] = {};  // its outline now lives in the parent's
    }
    float middle = 0;
    if (!children[i].empty()) {
      const int32_t first = children[i].front();
      middle = boxes[first].on_path() ? centre[first] : 0.5f * (centre[first] + centre[children[i].back()]);
    }
    for (const int32_t child : children[i]) centre[child] -= middle;
    const float half = 0.5f * breadth(boxes[i], top_down);
    outline[i].near_side.push_back(-half);
    outline[i].far_side.push_back(half);
    for (size_t d = 0; d < below.near_side.size(); ++d) {
      outline[i].near_side.push_back(below.near_side[d] - middle);
      outline[i].far_side.push_back(below.far_side[d] - middle);
    }
  }
  for (size_t i = 1; i < n; ++i) centre[i] += centre[boxes[i].parent_box];
  // From the sums themselves, not from the outline, so that rounding leaves nothing outside.
  float nearest = std::numeric_limits<float>::infinity();
  for (size_t i = 0; i < n; ++i) nearest = std::min(nearest, centre[i] - 0.5f * breadth(boxes[i], top_down));
  for (float& c : centre) c -= nearest;
  return centre;
}

/// Where every layer begins along the depth axis, and in which line.
struct Layers {
  std::vector<float> start;   // (n_layers,) ems
  std::vector<int32_t> line;  // (n_layers,)
};
Layers place_layers(const std::vector<NodeBox>& boxes, bool top_down, float line_em) {
  std::vector<float> extent;
  for (const NodeBox& box : boxes) {
    if (static_cast<size_t>(box.depth) >= extent.size())
      extent.resize(static_cast<size_t>(box.depth) + 1, 0.0f);
    extent[box.depth] = std::max(extent[box.depth], top_down ? box.height : box.width);
  }
  Layers layers;
  float at = 0;
  int32_t line = 0;
  for (const float layer : extent) {
    if (at > kLayerGap && at + layer + kTurn > line_em) {
      at = kLayerGap;  // set in, as the edge comes from the line before
      ++line;
    }
    layers.start.push_back(at);
    layers.line.push_back(line);
    at += layer + kLayerGap;
  }
  return layers;
}

}  // namespace

const char* name(NodeRole role) {
  switch (role) {
    case NodeRole::kRoot:
      return "root";
    case NodeRole::kAccepted:
      return "accepted";
    case NodeRole::kRejected:
      return "rejected";
    case NodeRole::kCandidate:
      return "not verified";
    case NodeRole::kBonus:
      return "bonus";
    case NodeRole::kFolded:
      return "rejected, folded";
  }
  return "unknown";
}

TreeLayout tree_layout(const RoundRecord& record, const LayoutOptions& options) {
  TreeLayout layout;
  layout.top_down = options.top_down;
  if (record.method == Method::kPlain || record.tree.size() == 0) {
    layout.empty_reason = "Plain decoding drafts no tree: the target makes one token per pass.";
    return layout;
  }
  layout.n_verified = std::min(record.decision.chosen, record.tree.size() - 1);
  const int32_t n_candidates = record.tree.size() - 1 - layout.n_verified;
  const int32_t n_extra = std::clamp(options.max_candidates, 0, n_candidates);
  layout.n_hidden = n_candidates - n_extra;
  layout.boxes = make_boxes(record, layout.n_verified + 1 + n_extra, options);
  if (options.max_off_path < kAllNodes) fold_boxes(layout, options.max_off_path);
  size_boxes(layout.boxes, options);
  const std::vector<float> across = place_across(layout.boxes, options.top_down);
  const Layers layers = place_layers(layout.boxes, options.top_down, options.line_em);
  float pitch = 0;  // from line to line
  for (size_t i = 0; i < layout.boxes.size(); ++i) {
    pitch = std::max(pitch, across[i] + 0.5f * breadth(layout.boxes[i], options.top_down) + kLineGap);
  }
  for (size_t i = 0; i < layout.boxes.size(); ++i) {
    NodeBox& box = layout.boxes[i];
    box.line = layers.line[box.depth];
    const float along = layers.start[box.depth], beside = across[i] + pitch * static_cast<float>(box.line);
    box.x = options.top_down ? beside - 0.5f * box.width : along;
    box.y = options.top_down ? along : beside - 0.5f * box.height;
    layout.width = std::max(layout.width, box.x + box.width);
    layout.height = std::max(layout.height, box.y + box.height);
  }
  if (layers.line.back() > 0) (options.top_down ? layout.height : layout.width) += kTurn;
  return layout;
}

TreeLayout fitting_layout(const RoundRecord& record, LayoutOptions options, float width, float height) {
  const auto largest = [&](float print) -> std::optional<TreeLayout> {
    for (const int32_t most : {kAllNodes, 32, 16, 12, 8, 6, 4, 3, 2, 1, 0}) {
      options.max_off_path = most;
      TreeLayout layout = tree_layout(record, options);
      if (layout.width <= print * width && layout.height <= print * height) return layout;
    }
    return std::nullopt;
  };
  if (std::optional<TreeLayout> in_one_line = largest(1)) return *std::move(in_one_line);
  for (const float print : {1.0f, kSmallPrint}) {
    options.line_em = print * (options.top_down ? height : width);
    if (std::optional<TreeLayout> in_lines = largest(print)) return *std::move(in_lines);
  }
  options.line_em = LayoutOptions{}.line_em;
  options.max_off_path = 0;
  return tree_layout(record, options);
}

PathExtent path_extent(const TreeLayout& layout) {
  PathExtent extent;
  bool first = true;
  for (const NodeBox& box : layout.boxes) {
    if (!box.on_path()) continue;
    const float right = first ? box.x + box.width : std::max(extent.x + extent.width, box.x + box.width);
    const float bottom = first ? box.y + box.height : std::max(extent.y + extent.height, box.y + box.height);
    extent.x = first ? box.x : std::min(extent.x, box.x);
    extent.y = first ? box.y : std::min(extent.y, box.y);
    extent.width = right - extent.x;
    extent.height = bottom - extent.y;
    first = false;
  }
  return extent;
}

int32_t box_of(const TreeLayout& layout, int32_t node) {
  const auto n = static_cast<int32_t>(layout.boxes.size());
  if (n == 0) return -1;
  if (node == kBonusNode) return layout.boxes.back().role == NodeRole::kBonus ? n - 1 : -1;
  const auto found = std::ranges::find(layout.boxes, node, &NodeBox::node);
  return node >= 0 && found != layout.boxes.end() ? static_cast<int32_t>(found - layout.boxes.begin()) : -1;
}

std::optional<int32_t> step_from(const TreeLayout& layout, int32_t box, Step step) {
  const auto n = static_cast<int32_t>(layout.boxes.size());
  if (box < 0 || box >= n) return std::nullopt;
  const auto across = [&](int32_t i) {
    const NodeBox& b = layout.boxes[i];
    return layout.top_down ? b.x + 0.5f * b.width : b.y + 0.5f * b.height;
  };
  if (step == Step::kParent) {
    const int32_t parent = layout.boxes[box].parent_box;
    return parent < 0 ? std::nullopt : std::optional<int32_t>(parent);
  }
  std::optional<int32_t> best;
  for (int32_t i = 0; i < n; ++i) {
    if (layout.boxes[i].role == NodeRole::kFolded) continue;
    if (step == Step::kChild) {
      // The path first, then the likeliest: children come in pop order.
      if (layout.boxes[i].parent_box != box) continue;
      if (!best || (layout.boxes[i].on_path() && !layout.boxes[*best].on_path())) best = i;
      continue;
    }
    if (i == box || layout.boxes[i].depth != layout.boxes[box].depth) continue;
    const float distance = step == Step::kNext ? across(i) - across(box) : across(box) - across(i);
    if (distance <= 0) continue;
    const float best_distance =
        best ? std::abs(across(*best) - across(box)) : std::numeric_limits<float>::max();
    if (distance < best_distance) best = i;
  }
  return best;
}

}  // namespace draftscope
