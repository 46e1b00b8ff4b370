// How tree nodes look: each role has a shape of its own beside its colour.
#pragma once

#include <imgui.h>

#include "ui/gui/canvas.h"
#include "ui/view/tree_layout.h"

namespace draftscope {

/// Candidates step back a little.
inline constexpr float kCandidateAlpha = 0.85f;

enum class Emphasis : uint8_t { kNormal, kFaded, kHovered, kSelected };

ImU32 role_colour(NodeRole role);
/// The mark of a role around `centre`: dot, check, cross, star; candidates have none.
void draw_role_mark(ImDrawList* list, NodeRole role, ImVec2 centre, float radius, float alpha);
/// The edge from the parent to `box`; its thickness grows with q.
void draw_edge(ImDrawList* list, const Canvas& canvas, const TreeLayout& layout, const NodeBox& box,
               Emphasis emphasis);
/// Text and marks drop out as the canvas zooms out.
void draw_box(ImDrawList* list, const Canvas& canvas, const NodeBox& box, Emphasis emphasis);
/// Every mark with its word, side by side or, for tooltips, one below the other.
void draw_tree_legend(bool column);

}  // namespace draftscope
