#include "engine/lab/sweep.h"

#include <algorithm>
#include <limits>

#include "engine/base/check.h"

namespace draftscope {
namespace {

constexpr double kFloors[] = {0, 0.125, 0.25, 0.5, 1, 2, 4};  // of the cheapest pass

}  // namespace

LabSweep sweep_axes(const CostModel& model, int32_t max_nodes) {
  DS_CHECK(max_nodes >= 0 && !model.verify_s.empty());
  LabSweep sweep;
  sweep.budget = {0};
  for (int64_t power = 1; power <= max_nodes; power *= 2) {
    sweep.budget.push_back(static_cast<int32_t>(power));
    const int64_t between = power + power / 2;
    if (between > power && between <= max_nodes) sweep.budget.push_back(static_cast<int32_t>(between));
  }
  if (sweep.budget.back() != max_nodes) sweep.budget.push_back(max_nodes);
  sweep.context = model.context;
  const double cheapest_s = *std::min_element(model.verify_s.begin(), model.verify_s.end());
  for (const double share : kFloors) sweep.floor_s.push_back(share * cheapest_s);
  sweep.tokens_per_s.assign(sweep.floor_s.size() * sweep.context.size() * sweep.budget.size(),
                            std::numeric_limits<double>::quiet_NaN());
  return sweep;
}

Sweep::Sweep(const PreparedText& best_first, const CostModel& model)
    : text_(best_first), verify_(verify_curves(model)), before_{model.context, {}} {
  for (const double draft_s : model.draft_s) before_.curve.push_back({{0}, {draft_s + model.overhead_s}});
}

const Sweep::Cut& Sweep::cut(int32_t budget) {
  if (const auto known = cut_of_budget_.find(budget); known != cut_of_budget_.end()) return known->second;
  Cut& cut = cut_of_budget_[budget];
  for (int32_t position = 0; position < text_.n_tokens();) {
    const PreparedPosition& here = text_.at[static_cast<size_t>(position)];
    const int32_t n_nodes = std::min({budget, here.n_candidates(), text_.max_nodes});
    ++cut[n_nodes];
    position += here.accepted_with(n_nodes) + 1;
  }
  return cut;
}

double Sweep::seconds(const Cut& cut, int32_t context, double floor_s) const {
  const double before_s = before_.at(context, 0) + floor_s;
  double sum_s = 0;
  for (const auto& [n_nodes, n_rounds] : cut) {
    sum_s += static_cast<double>(n_rounds) * (before_s + verify_.at(context, n_nodes + 1));
  }
  return sum_s;
}

void Sweep::fill(LabSweep& sweep, int64_t max_cells) {
  DS_CHECK(sweep.tokens_per_s.size() == sweep.floor_s.size() * sweep.context.size() * sweep.budget.size());
  const int64_t n_cells = static_cast<int64_t>(sweep.tokens_per_s.size());
  const int64_t end = std::min(n_cells, sweep.n_done + std::max<int64_t>(max_cells, 0));
  for (; sweep.n_done < end; ++sweep.n_done) {
    const auto cell = static_cast<size_t>(sweep.n_done);
    const size_t at_budget = cell % sweep.budget.size();
    const size_t at_context = cell / sweep.budget.size() % sweep.context.size();
    const size_t at_floor = cell / (sweep.budget.size() * sweep.context.size());
    const Cut& rounds = cut(sweep.budget[at_budget]);
    const double seconds = this->seconds(rounds, sweep.context[at_context], sweep.floor_s[at_floor]);
    sweep.tokens_per_s[cell] = seconds > 0 ? text_.n_tokens() / seconds : 0;
  }
}

}  // namespace draftscope
