// Cost tools: what the window's cost panel may start from, read and write.
#pragma once

#include <string>
#include <vector>

#include "engine/record/cost_preset.h"
#include "ui/gui/cost_state.h"

namespace draftscope {

/// Curves to start from: the session's own and what derives from it (convex, affine and roofline fits,
/// staircases of 16 and 64 rows), the published ones among the assets, and rooflines of data sheets, every
/// machine with every model. A session curve that is not valid offers itself alone.
std::vector<CostPreset> cost_presets(const CostModel& session);

/// Writes one curve. A file that is there already is replaced only when it holds cost curves itself.
Status export_cost(const std::string& path, const CostModel& cost);

/// All of the above, reading files, and the knees of valid curves.
CostTools cost_tools();

}  // namespace draftscope
