// CaDDTree's own cost curves C_v(n; context), as its published code makes and reads them
// (arXiv 2606.01813): n is the number of tokens that were timed, whatever a tree of n nodes really verifies.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/record/cost_curves.h"
#include "engine/record/cost_model.h"

namespace draftscope {

/// One timed pass of a profile.
struct ProfilePoint {
  int32_t n = 0;
  double seconds = 0;
};

struct ContextProfile {
  int32_t context = 0;
  std::vector<ProfilePoint> points;  // any order, each n once
};

/// The published pipeline: per context, points with n <= max_nodes in order of n; contexts left with fewer
/// than three are dropped; times regressed against their INDEX (the spacing of n is ignored) to a monotone
/// convex sequence; linear between the profiled n. Contexts may come in any order, each once.
CostCurves fit_caddtree_profile(std::vector<ContextProfile> profile, int32_t max_nodes);

/// The curves of a valid cost model, rows standing for n. A model that is a convex fit already, and one with
/// fewer than three rows, is taken as it is.
CostCurves caddtree_curves(const CostModel& model);

}  // namespace draftscope
