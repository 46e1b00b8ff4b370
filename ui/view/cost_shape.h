// Cost curves as people shape them in the window: simple forms of a measured curve, and single points moved.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/record/cost_model.h"

namespace draftscope {

enum class CostShape : uint8_t { kInForce, kStraightLine, kStaircase, kRoofline, kFlat };
inline constexpr std::array kCostShapes = {CostShape::kInForce, CostShape::kStraightLine,
                                           CostShape::kStaircase, CostShape::kRoofline, CostShape::kFlat};
const char* name(CostShape shape);
/// One sentence for the tooltip.
const char* meaning(CostShape shape);

/// `model` reshaped, per context: kStraightLine, least squares over rows; kStaircase, every row costs what
/// the last row of its tile costs; kRoofline, the larger of one row's cost and the last point's cost per row
/// times rows; kFlat, every pass costs what one row costs. The result keeps axes, drafter and overhead, but
/// no plain step, says what it was derived from, and every value stays positive. tile >= 1 rows.
CostModel reshape(const CostModel& model, CostShape shape, int32_t tile);

/// Moves one point; non-positive and non-finite seconds are refused (nothing changes, false).
bool move_point(CostModel& model, int32_t context_row, int32_t row_index, double verify_s);

/// False for models whose arrays do not fit together; panels refuse to draw those.
bool is_drawable(const CostModel& model);

/// The grid row whose context is nearest to `context` tokens; 0 when there is none.
int32_t nearest_context_row(const CostModel& model, int32_t context);

}  // namespace draftscope
