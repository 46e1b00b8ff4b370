// CaDDTree's own cost curves C_v(n; context), as its published code makes and reads them
// (arXiv 2606.01813): n is the number of tokens that were timed, whatever a tree of n nodes really verifies.
#pragma once

#include "engine/record/cost_curves.h"
#include "engine/record/cost_model.h"

namespace draftscope {

/// The curves of a valid cost model, rows standing for n: times regressed against their INDEX (the spacing of n is
/// ignored) to a monotone convex sequence, linear between the profiled n. A model that is a convex fit already, and one
/// with fewer than three rows, is taken as it is.
CostCurves caddtree_curves(const CostModel& model);

}  // namespace draftscope
