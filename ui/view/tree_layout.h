// Where each node of a round's tree stands: boxes in ems (1 em is the font size), so every scale works.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/record/round.h"

namespace draftscope {

enum class NodeRole : uint8_t { kRoot, kAccepted, kRejected, kCandidate, kBonus, kFolded };
const char* name(NodeRole role);

inline constexpr int32_t kBonusNode = -1;   // the bonus is the target's token; no node of the draft tree
inline constexpr int32_t kFoldedNode = -2;  // one mark for many rejected nodes

struct NodeBox {
  int32_t node = 0;                           // index into the tree, kBonusNode or kFoldedNode
  int32_t parent_box = -1;                    // index into TreeLayout::boxes; -1 at the root
  float x = 0, y = 0, width = 0, height = 0;  // ems, top left
  NodeRole role = NodeRole::kCandidate;
  std::string label;
  double q = 1;          // drafter's probability given its depth; NaN for the bonus and folded nodes
  double path_q = 1;     // product from the root; NaN as well
  int32_t n_folded = 0;  // rejected nodes that a kFoldedNode stands for
  int32_t depth = 0;
  int32_t line = 0;      // of the picture, see LayoutOptions::line_em

  bool on_path() const {
    return role == NodeRole::kRoot || role == NodeRole::kAccepted || role == NodeRole::kBonus;
  }
};

inline constexpr float kSmallPrint = 1.5f;
inline constexpr float kLayerGap = 1.3f;  // ems between the boxes of two depths, room for edges
inline constexpr int32_t kAllNodes = std::numeric_limits<int32_t>::max();

struct LayoutOptions {
  bool top_down = false;                                 // otherwise the root is left
  int32_t max_candidates = 10;                           // unverified nodes shown beside the verified ones
  int32_t max_off_path = kAllNodes;                      // nodes shown beside the path, the likeliest first
  int32_t max_label_cells = 14;                          // longer labels are elided
  float line_em = std::numeric_limits<float>::infinity();  // layers beyond begin a new line, as words of a text do
  std::function<float(std::string_view)> text_width_em;  // measures a label; cells * 0.6 em when absent
};

/// Parents come before their children: nodes in pop order, then folded ones, then the bonus, when known.
struct TreeLayout {
  std::vector<NodeBox> boxes;
  float width = 0, height = 0;  // ems
  bool top_down = false;
  int32_t n_verified = 0;    // nodes below the root that the target verified
  int32_t n_hidden = 0;      // unverified candidates left out
  int32_t n_folded = 0;      // rejected nodes that marks stand for
  std::string empty_reason;  // a sentence when there is nothing to draw
};

/// Tidy layered layout: one layer per depth, parents at the middle of their children, subtrees as close as
/// their outlines allow (after Reingold and Tilford, IEEE TSE 7(2), 1981). The accepted path is one straight
/// line at the edge, whatever hangs off it, or one in every line of the picture. O(nodes * depth).
TreeLayout tree_layout(const RoundRecord& record, const LayoutOptions& options = {});

/// The same with as many nodes beside the path as fit `width` x `height` ems, the path alone at least. A path too long
/// for that goes on in further lines; where these find no room either, in kSmallPrint times the ems, drawn as much smaller.
TreeLayout fitting_layout(const RoundRecord& record, LayoutOptions options, float width, float height);

/// The box to go to from `box` with an arrow key; nothing at the border.
enum class Step : uint8_t { kParent, kChild, kPrevious, kNext };
std::optional<int32_t> step_from(const TreeLayout& layout, int32_t box, Step step);

/// Rectangle around the root, the accepted path and the bonus, ems.
struct PathExtent {
  float x = 0, y = 0, width = 0, height = 0;
};
PathExtent path_extent(const TreeLayout& layout);

/// Box of a node; -1 when it is not shown.
int32_t box_of(const TreeLayout& layout, int32_t node);

}  // namespace draftscope
