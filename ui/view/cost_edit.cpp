#include "ui/view/cost_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/record/cost_curves.h"
#include "ui/view/cost_shape.h"

namespace draftscope {
namespace {

constexpr int32_t kMaxRows = 1 << 16;  // as files have it

bool has_context(const CostModel& model, int32_t context_row) {
  return is_drawable(model) && context_row >= 0 && static_cast<size_t>(context_row) < model.context.size();
}

double& verify_of(CostModel& model, size_t context_row, size_t row_index) {
  return model.verify_s[context_row * model.rows.size() + row_index];
}

/// Marks every point that is needed so that a straight line between kept ones misses none by more than
/// `tolerance`.
void keep_needed(const CostModel& model, size_t first, size_t last, double tolerance,
                 std::vector<bool>& kept) {
  const size_t n = model.rows.size();
  double worst = tolerance;
  size_t at = first;
  for (size_t r = first + 1; r < last; ++r) {
    const double share =
        static_cast<double>(model.rows[r] - model.rows[first]) / (model.rows[last] - model.rows[first]);
    for (size_t begin = 0; begin < model.verify_s.size(); begin += n) {
      const double low = model.verify_s[begin + first], high = model.verify_s[begin + last];
      const double off =
          std::abs(low + share * (high - low) - model.verify_s[begin + r]) / model.verify_s[begin + r];
      if (off <= worst) continue;
      worst = off;
      at = r;
    }
  }
  if (at == first) return;
  kept[at] = true;
  keep_needed(model, first, at, tolerance, kept);
  keep_needed(model, at, last, tolerance, kept);
}

}  // namespace

bool same_cost(const CostModel& a, const CostModel& b) {
  return a.context == b.context && a.rows == b.rows && a.verify_s == b.verify_s && a.draft_s == b.draft_s &&
         a.overhead_s == b.overhead_s;
}

void mark_by_hand(CostModel& model) {
  model.spread_s.clear();
  model.plain_s.clear();
  if (model.kind == CostKind::kByHand) return;
  model.source = fmt::format("edited by hand in the window from: {}", model.label);
  model.label = "edited by hand";
  model.kind = CostKind::kByHand;
}

bool add_floor(CostModel& model, double seconds) {
  if (!is_drawable(model) || !std::isfinite(seconds)) return false;
  if (!(*std::min_element(model.verify_s.begin(), model.verify_s.end()) + seconds > 0)) return false;
  for (double& value : model.verify_s) value += seconds;
  mark_by_hand(model);
  return true;
}

bool set_draft(CostModel& model, int32_t context_row, double seconds) {
  if (!has_context(model, context_row) || model.draft_s.size() != model.context.size()) return false;
  if (!std::isfinite(seconds) || seconds < 0) return false;
  const double change = seconds - model.draft_s[static_cast<size_t>(context_row)];
  for (double& value : model.draft_s) value = std::max(0.0, value + change);
  model.draft_s[static_cast<size_t>(context_row)] = seconds;
  mark_by_hand(model);
  return true;
}

bool add_point(CostModel& model, int32_t context_row, int32_t rows, double seconds) {
  if (!has_context(model, context_row) || rows < 1 || rows > kMaxRows || !std::isfinite(seconds) ||
      seconds <= 0)
    return false;
  const auto place = std::lower_bound(model.rows.begin(), model.rows.end(), rows);
  const auto index = static_cast<size_t>(place - model.rows.begin());
  if (place == model.rows.end() || *place != rows) {
    const CostCurves curves = verify_curves(model);
    model.rows.insert(place, rows);
    for (size_t c = 0; c < model.context.size(); ++c) {
      const auto at = static_cast<std::ptrdiff_t>(c * model.rows.size() + index);
      model.verify_s.insert(model.verify_s.begin() + at, curves.curve[c].sample(rows, 1)[0]);
    }
  }
  mark_by_hand(model);
  verify_of(model, static_cast<size_t>(context_row), index) = seconds;
  return true;
}

bool remove_point(CostModel& model, int32_t row_index) {
  const size_t n = model.rows.size();
  if (!is_drawable(model) || n <= 2 || row_index < 0 || static_cast<size_t>(row_index) >= n) return false;
  for (size_t c = model.context.size(); c-- > 0;)
    model.verify_s.erase(model.verify_s.begin() +
                         static_cast<std::ptrdiff_t>(c * n + static_cast<size_t>(row_index)));
  model.rows.erase(model.rows.begin() + row_index);
  mark_by_hand(model);
  return true;
}

std::vector<int32_t> handles(std::span<const float> x, float least_gap) {
  std::vector<int32_t> chosen;
  for (size_t i = 0; i < x.size(); ++i) {
    if (chosen.empty() || x[i] - x[static_cast<size_t>(chosen.back())] >= least_gap)
      chosen.push_back(static_cast<int32_t>(i));
  }
  const auto last = static_cast<int32_t>(x.size()) - 1;
  if (chosen.empty() || chosen.back() == last) return chosen;
  if (chosen.size() > 1)
    chosen.back() = last;  // the end counts more than what stands close before it
  else
    chosen.push_back(last);
  return chosen;
}

bool drag_handle(CostModel& model, int32_t context_row, int32_t row_index, int32_t left, int32_t right,
                 double seconds) {
  if (!has_context(model, context_row) || left < 0 || left > row_index || row_index > right) return false;
  if (static_cast<size_t>(right) >= model.rows.size() || !std::isfinite(seconds) || seconds <= 0)
    return false;
  CostModel moved = model;
  const auto context = static_cast<size_t>(context_row);
  const auto middle = static_cast<size_t>(row_index);
  const double change = seconds - verify_of(moved, context, middle);
  for (int32_t i = left; i <= right; ++i) {
    const auto at = static_cast<size_t>(i);
    const int32_t end = i < row_index ? left : right;
    const double reach = model.rows[static_cast<size_t>(end)] - model.rows[middle];
    const double share = i == row_index ? 1 : 1 - (model.rows[at] - model.rows[middle]) / reach;
    verify_of(moved, context, at) += share * change;
    if (!(verify_of(moved, context, at) > 0)) return false;
  }
  verify_of(moved, context, middle) = seconds;
  mark_by_hand(moved);
  model = std::move(moved);
  return true;
}

CostModel fewer_points(const CostModel& model, double tolerance) {
  const size_t n = model.rows.size();
  if (!is_drawable(model) || n <= 2) return model;
  std::vector<bool> kept(n, false);
  kept.front() = kept.back() = true;
  keep_needed(model, 0, n - 1, tolerance, kept);
  CostModel fewer = model;
  fewer.rows.clear();
  fewer.verify_s.clear();
  for (size_t r = 0; r < n; ++r) {
    if (kept[r]) fewer.rows.push_back(model.rows[r]);
  }
  for (size_t i = 0; i < model.verify_s.size(); ++i) {
    if (kept[i % n]) fewer.verify_s.push_back(model.verify_s[i]);
  }
  if (fewer.rows.size() == n) return model;
  mark_by_hand(fewer);
  return fewer;
}

}  // namespace draftscope
