// Cost presets and knees: what people may choose from and why a curve bends, as plain data for the window.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/record/cost_model.h"
#include "engine/record/round.h"

namespace draftscope {

/// A named cost model to start from.
struct CostPreset {
  std::string group;  // e.g. "this session", "published"; presets of one group are neighbours
  std::string name;   // within the group
  CostModel cost;     // valid; cost.source names where it comes from
  Provenance provenance = Provenance::kImported;
};

/// Where a curve steps or bends, and why.
struct CostKnee {
  int32_t rows = 0;    // the first pass that costs more than the curve before it would say
  double step_s = 0;   // jump, seconds; 0 for a bend
  double slope_s = 0;  // change of the seconds per row; 0 for a step
  std::string cause;   // "tile of 16", "bucket (power of two)", "memory to compute bound", ..., "unexplained"
};

}  // namespace draftscope
