// Invariants: what round.h promises about a message beyond its types, so that a viewer may index it.
#pragma once

#include <cstdint>

#include "engine/base/check.h"
#include "engine/record/round.h"

namespace draftscope {

/// The longest time that a message can say, so that sums of times stay far from overflow: 104 days.
inline constexpr int64_t kMostTime_ns = int64_t{1} << 53;

/// Success, or one sentence that names the first field that breaks its promise.
Status check_invariants(const SessionInfo& info);
Status check_invariants(const RoundRecord& round);
Status check_invariants(const SessionEnd& end);

}  // namespace draftscope
