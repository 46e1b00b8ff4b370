// Edits of a cost curve beyond moving one point: handles, points added and removed, floor, draft, fewer
// points.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/record/cost_model.h"

namespace draftscope {

/// What one step of the cost panel's history holds.
struct CostEdit {
  CostModel cost;                  // side A: what the panel shows and sends
  std::optional<CostModel> other;  // side B: kept for comparison
  double added_floor_s = 0;        // how much of every pass of `cost` the floor slider put there
};

/// True when both decide alike: axes and seconds are equal, whatever they are called.
bool same_cost(const CostModel& a, const CostModel& b);

/// The kind, label and source of a curve that a person changed; its spread and its plain step no longer hold.
void mark_by_hand(CostModel& model);

/// Every pass `seconds` longer, or shorter when negative. False, and nothing changes, when a pass would not
/// stay positive or `seconds` is not finite.
bool add_floor(CostModel& model, double seconds);
/// One drafter block takes `seconds` at `context_row`; other contexts change by as much, never below 0.
/// False, and nothing changes, on a negative or non-finite number or an impossible row.
bool set_draft(CostModel& model, int32_t context_row, double seconds);

/// A pass of `rows` rows takes `seconds` at `context_row`; at the other contexts the curve keeps its course.
/// A row count that is there already is moved. False, and nothing changes, on rows outside 1..65536,
/// non-positive seconds or an impossible context row.
bool add_point(CostModel& model, int32_t context_row, int32_t rows, double seconds);
/// Takes a row count out of every context. False when fewer than two would be left, which is no curve.
bool remove_point(CostModel& model, int32_t row_index);

/// The points of a curve that get a handle: first, last and as many between them as stand `least_gap` pixels
/// apart. x: pixels of every point, ascending. (n,) -> ascending indices.
std::vector<int32_t> handles(std::span<const float> x, float least_gap);
/// Moves the point of a handle to `seconds` and takes those up to the neighbouring handles along, the less
/// the farther away they are. `left` and `right`: row indices of those handles, or row_index itself at an
/// end. False, and nothing changes, when a pass would not stay positive.
bool drag_handle(CostModel& model, int32_t context_row, int32_t row_index, int32_t left, int32_t right,
                 double seconds);

/// The same curve on fewer row counts, none farther off than `tolerance` of its value at any context; at
/// least two.
CostModel fewer_points(const CostModel& model, double tolerance);

}  // namespace draftscope
