#include "engine/speculate/caddtree_curves.h"

#include <algorithm>
#include <utility>

#include "engine/speculate/cost.h"

namespace draftscope {

CostCurves fit_caddtree_profile(std::vector<ContextProfile> profile, int32_t max_nodes) {
  std::sort(profile.begin(), profile.end(),
            [](const ContextProfile& a, const ContextProfile& b) { return a.context < b.context; });
  CostCurves curves;
  for (ContextProfile& one : profile) {
    std::erase_if(one.points, [max_nodes](const ProfilePoint& point) { return point.n > max_nodes; });
    if (one.points.size() < 3) continue;
    std::sort(one.points.begin(), one.points.end(),
              [](const ProfilePoint& a, const ProfilePoint& b) { return a.n < b.n; });
    PiecewiseLinear fitted;
    for (const ProfilePoint& point : one.points) {
      fitted.x.push_back(point.n);
      fitted.seconds.push_back(point.seconds);
    }
    fitted.seconds = monotone_convex_fit(fitted.seconds);
    curves.context.push_back(one.context);
    curves.curve.push_back(std::move(fitted));
  }
  return curves;
}

CostCurves caddtree_curves(const CostModel& model) {
  return verify_curves(model.kind == CostKind::kConvexFit ? model : convex_fit(model));
}

}  // namespace draftscope
