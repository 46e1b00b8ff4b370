// Profile: what drafting and verifying cost on this machine, measured on the models and backend as deployed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/model/pair.h"
#include "engine/record/cost_model.h"

namespace draftscope {

struct ProfileOptions {
  std::vector<int32_t> context;   // cached tokens, ascending; empty: a few that fit the target
  int32_t max_rows = 257;         // every row count to 32, then steps of 8, or the edges of a device's buckets
  int32_t n_repeats = 9;          // timed passes per point after a sweep that warms up; the median counts
  double max_s = 0;               // leaves out row counts evenly when a first look says it would take longer; 0: never
};

/// Where a profile stands; also handed over after every context, so that a caller can save and go on later.
struct ProfileProgress {
  int32_t n_done = 0, n_total = 0;  // passes
  CostModel so_far;                 // whole contexts measured until now
};

/// Measures verify seconds by rows and context (trees of that many rows, each pass behind a drafter block as in a
/// round), the drafter's block, a step of plain decoding, and tree growth, acceptance and compaction together as overhead.
/// On a backend with round loops passes are measured as these run them: recordings of the padded sizes, replayed and timed on
/// the device, every stair kept; the overhead is that of real rounds. `resume` holds the first of the contexts, measured
/// already on this pair, rows and precision, plain steps included; anything else is not looked at. `progress` returns false
/// to stop: the Error then says so; what was handed over stays usable.
Result<CostModel> measure_profile(const Pair& pair, const ProfileOptions& options, const CostModel& resume,
                                  const std::function<bool(const ProfileProgress&)>& progress);

/// Names the pair, machine and backend that a profile belongs to, as one word for a file name.
std::string profile_key(const Pair& pair);

}  // namespace draftscope
