#include "ui/view/sweep_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "ui/view/lab_table.h"

namespace draftscope {
namespace {

bool fits(const LabSweep& sweep, size_t floor) {
  return floor < sweep.floor_s.size() && !sweep.budget.empty() && !sweep.context.empty() &&
         sweep.tokens_per_s.size() == sweep.floor_s.size() * sweep.context.size() * sweep.budget.size();
}

/// Index of the largest value; -1 while one is missing.
int32_t best_of(std::span<const double> row) {
  int32_t best = 0;
  for (size_t i = 0; i < row.size(); ++i) {
    if (std::isnan(row[i])) return -1;
    if (row[i] > row[static_cast<size_t>(best)]) best = static_cast<int32_t>(i);
  }
  return best;
}

void find_range(SweepMap& map) {
  bool any = false;
  for (const double value : map.tokens_per_s) {
    if (std::isnan(value)) continue;
    map.low = any ? std::min(map.low, value) : value;
    map.high = any ? std::max(map.high, value) : value;
    any = true;
  }
}

std::string headline_of(const SweepMap& map, const std::string& floor) {
  if (std::ranges::find(map.best, -1) != map.best.end()) return {};
  const auto label = [&](size_t at_context) { return map.budget[static_cast<size_t>(map.best[at_context])]; };
  const size_t last = map.context.size() - 1;
  const bool moves = std::ranges::any_of(map.best, [&](int32_t best) { return best != map.best[0]; });
  if (!moves)
    return fmt::format("With a launch floor of {} a fixed tree of {} nodes is best at every context.", floor,
                       label(0));
  return fmt::format("With a launch floor of {} the best fixed tree has {} nodes at context {} and {} at {}.",
                     floor, label(0), map.context[0], label(last), map.context[last]);
}

}  // namespace

SweepMap sweep_map(const LabSweep& sweep, size_t floor) {
  SweepMap map;
  if (!fits(sweep, floor)) {
    map.empty_reason = "The sweep has not begun yet.";
    return map;
  }
  for (const int32_t budget : sweep.budget) map.budget.push_back(fmt::format("{}", budget));
  for (const int32_t context : sweep.context) map.context.push_back(fmt::format("{}", context));
  const size_t n_cells = sweep.context.size() * sweep.budget.size();
  const auto cells = std::span(sweep.tokens_per_s).subspan(sweep.index(floor, 0, 0), n_cells);
  map.tokens_per_s.assign(cells.begin(), cells.end());
  for (size_t c = 0; c < sweep.context.size(); ++c)
    map.best.push_back(best_of(cells.subspan(c * sweep.budget.size(), sweep.budget.size())));
  find_range(map);
  map.headline = headline_of(map, floor_labels(sweep)[floor]);
  const auto n_all = static_cast<int64_t>(sweep.tokens_per_s.size());
  if (sweep.n_done < n_all)
    map.progress = fmt::format("{} of {} cells are computed; hatched ones follow.", sweep.n_done, n_all);
  return map;
}

std::vector<std::string> floor_labels(const LabSweep& sweep) {
  std::vector<std::string> labels;
  for (const double floor_s : sweep.floor_s) labels.push_back(fmt::format("{:.3g} ms", 1e3 * floor_s));
  return labels;
}

std::string cell_line(const SweepMap& map, size_t at_context, size_t at_budget) {
  if (at_context >= map.context.size() || at_budget >= map.budget.size()) return {};
  const double value = map.at(at_context, at_budget);
  const std::string cell =
      fmt::format("{} nodes at context {}: ", map.budget[at_budget], map.context[at_context]);
  if (std::isnan(value)) return cell + "not computed yet";
  const bool best = map.best[at_context] == static_cast<int32_t>(at_budget);
  return cell + speed_text(value) + " tokens/s" + (best ? ", the best of its context" : "");
}

}  // namespace draftscope
