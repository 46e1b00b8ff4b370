// Profile cache: the machine's cost model for a pair, measured once and kept in the person's cache folder.
#pragma once

#include <string>

#include "engine/model/pair.h"
#include "engine/record/cost_model.h"

namespace draftscope {

/// $XDG_CACHE_HOME/draftscope, else ~/.cache/draftscope; empty when neither variable is set.
std::string cache_folder();
/// File of this pair on this machine and backend; empty when there is no cache folder.
std::string profile_path(const Pair& pair);

/// The kept profile, or a quick one measured now (well under a minute for small pairs) and kept.
Result<CostModel> cached_profile(const Pair& pair);

/// Writes a cost model so that a reader never sees half a file.
Status save_cost(const CostModel& cost, const std::string& path);

}  // namespace draftscope
