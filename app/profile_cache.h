// Profile cache: the machine's cost model for a pair, measured once and kept in the person's cache folder.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "engine/model/pair.h"
#include "engine/profile.h"

namespace draftscope {

/// $XDG_CACHE_HOME/draftscope, else ~/.cache/draftscope; empty when neither variable is set.
std::string cache_folder();
/// File of this pair on this machine and backend; empty when there is no cache folder.
std::string profile_path(const Pair& pair);

/// The kept profile; empty when there is none that can be used.
std::optional<CostModel> kept_profile(const Pair& pair);

/// What a person is told before a quick profile: what is measured, how long that takes and what it is for.
std::string first_use_sentence();
/// Measures a quick profile, well under a minute for small pairs, and keeps it. `progress` as measure_profile's.
Result<CostModel> measure_and_keep(const Pair& pair, const std::function<bool(const ProfileProgress&)>& progress);

/// The kept profile, or a quick one measured now, with its progress in the terminal.
Result<CostModel> cached_profile(const Pair& pair);

/// Writes a cost model so that a reader never sees half a file.
Status save_cost(const CostModel& cost, const std::string& path);

}  // namespace draftscope
