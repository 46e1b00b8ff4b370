// Knees: where a cost curve steps or bends, and which property of the machine explains it.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/record/cost_preset.h"

namespace draftscope {

/// The steps and bends of one context of `model`, ascending in rows; at most one per grid point.
///
/// A step is a jump between neighbouring grid points beyond the trend around it that does not fall back;
/// where the grid is too coarse to tell a jump from a slope there is none. A bend is a lasting change of
/// slope once the steps are taken out. Both must exceed twice the spreads of the two points they lie between
/// (a spread counts as 0.75 % of its pass at least), and three times as much where nothing explains them:
/// differences below that are noise and are not reported.
///
/// Causes: "tile of 16", "tile of 64" and "bucket (power of two)" where at least half of that rule's edges
/// that the grid can show are steps; "memory to compute bound" for the bend after which a flat curve rises;
/// "attention over the context" for a bend that is at most half as sharp at the shortest context;
/// "unexplained" for all else. Requires validate(model) and a context row of it.
std::vector<CostKnee> knees(const CostModel& model, int32_t context_row);

}  // namespace draftscope
