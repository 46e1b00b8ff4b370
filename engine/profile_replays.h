// What a profile measures on a backend with round loops: recorded passes in the sizes that rounds pad them to.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "engine/profile_passes.h"

namespace draftscope {

/// Every row count to 32, then the first and the last of each bucket: between these the cost does not move.
std::vector<int32_t> bucket_edges(int32_t max_rows);

/// Costs at one context; verify_s and spread_s by row count.
struct ContextCost {
  double draft_s = 0, plain_s = 0;
  std::vector<double> verify_s, spread_s;
};

/// Measures every bucket once; a row count costs what its bucket does. keep_going() is asked before every row count; nullopt
/// when it said stop.
std::optional<ContextCost> replay_context(ProfilePasses& passes, bool has_drafter, int32_t n_repeats,
                                          const std::vector<int32_t>& rows, const std::function<bool()>& keep_going);

/// Growth, acceptance and commitment of a round with a tree of max_nodes nodes by the round's own stage times, the median
/// of some n_rounds rounds after `context` tokens; nullopt when no round fits.
std::optional<double> round_overhead_s(const Pair& pair, int32_t context, int32_t max_nodes, int32_t n_rounds);

}  // namespace draftscope
