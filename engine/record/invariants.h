// Invariants: what round.h promises about a message beyond its types, so that a viewer may index it.
#pragma once

#include "engine/base/check.h"
#include "engine/record/round.h"

namespace draftscope {

/// Success, or one sentence that names the first field that breaks its promise.
Status check_invariants(const SessionInfo& info);
Status check_invariants(const RoundRecord& round);
Status check_invariants(const SessionEnd& end);

}  // namespace draftscope
