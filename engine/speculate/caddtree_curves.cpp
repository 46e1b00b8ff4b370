#include "engine/speculate/caddtree_curves.h"

#include "engine/speculate/cost.h"

namespace draftscope {

CostCurves caddtree_curves(const CostModel& model) {
  return verify_curves(model.kind == CostKind::kConvexFit ? model : convex_fit(model));
}

}  // namespace draftscope
