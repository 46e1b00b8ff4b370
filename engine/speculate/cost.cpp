#include "engine/speculate/cost.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "engine/speculate/caddtree_curves.h"

namespace draftscope {
namespace {

Status check_axis(const std::vector<int32_t>& axis, std::string_view what, int32_t least) {
  if (axis.empty()) return fail("cost model: {}: expected at least one value, found none", what);
  if (axis.front() < least) {
    return fail("cost model: {}: expected {} or more, found {}", what, least, axis.front());
  }
  for (size_t i = 1; i < axis.size(); ++i) {
    if (axis[i] <= axis[i - 1]) {
      return fail("cost model: {}: expected strictly ascending values, found {} after {}", what, axis[i],
                  axis[i - 1]);
    }
  }
  return success();
}

// Every one of `values` from zero, or from the least that a pass may take where `positive`, to the most.
Status check_seconds(const std::vector<double>& values, size_t expected, std::string_view what,
                     bool positive) {
  if (values.size() != expected) {
    return fail("cost model: {}: expected {} values, found {}", what, expected, values.size());
  }
  const double least_s = positive ? kLeastPass_s : 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!(values[i] >= least_s && values[i] <= kMostPass_s)) {
      return fail("cost model: {}[{}]: expected a finite {} number of seconds, {:g} to {:g}, found {}", what, i,
                  positive ? "positive" : "non-negative", least_s, kMostPass_s, values[i]);
    }
  }
  return success();
}

}  // namespace

Status validate(const CostModel& model) {
  if (const Status status = check_axis(model.context, "context", 0); !status) return status;
  if (const Status status = check_axis(model.rows, "rows", 1); !status) return status;
  const size_t n_contexts = model.context.size();
  const size_t n_points = n_contexts * model.rows.size();
  if (const Status status = check_seconds(model.verify_s, n_points, "verify_s", true); !status) return status;
  if (!model.spread_s.empty()) {
    if (const Status status = check_seconds(model.spread_s, n_points, "spread_s", false); !status)
      return status;
  }
  if (const Status status = check_seconds(model.draft_s, n_contexts, "draft_s", false); !status)
    return status;
  if (!model.plain_s.empty()) {
    if (const Status status = check_seconds(model.plain_s, n_contexts, "plain_s", true); !status) return status;
  }
  return check_seconds({model.overhead_s}, 1, "overhead_s", false);
}

RoundCost round_cost(const CostModel& model, int32_t context, int32_t max_nodes) {
  return CostTable(model).at(context, max_nodes);
}

CostTable::CostTable(CostModel model) : model_(std::move(model)) {
  const Status valid = validate(model_);
  DS_CHECK(valid.ok(), "{}", valid.ok() ? "" : valid.error());
  verify_ = verify_curves(model_);
  faithful_ = caddtree_curves(model_);
  roofline_ = verify_curves(roofline_fit(model_));
}

RoundCost CostTable::at(int32_t context, int32_t max_nodes) const {
  DS_CHECK(max_nodes >= 0);
  const Bracket place = bracket(model_.context, context);
  RoundCost cost;
  cost.draft_s = place.blend(model_.draft_s[place.low], model_.draft_s[place.high]);
  cost.overhead_s = model_.overhead_s;
  cost.verify_s = verify_.sample(context, 1, max_nodes + 1);
  cost.faithful_s = faithful_.sample(context, 0, max_nodes + 1);
  cost.roofline_s = roofline_.sample(context, 1, max_nodes + 1);
  cost.plain_s = plain_step_s(model_, context);
  return cost;
}

}  // namespace draftscope
