// Sampler: the target's choice after a row. At temperature 0 the most likely token; above it a draw keyed by
// (seed, position), so that every method draws the same token at the same position: output does not depend on
// the method.
#pragma once

#include <cstdint>
#include <span>

namespace draftscope {

struct SamplingOptions {
  float temperature = 0;  // 0: greedy
  int32_t top_k = 50;     // most likely tokens kept; 0: all
  float top_p = 1;        // smallest set of most likely tokens with at least this mass, after temperature
  uint64_t seed = 0;
};

/// Uniform in [0, 1) from Philox 4x32-10 (Salmon et al., SC 2011) with key `seed` and counter `position`.
double uniform_at(uint64_t seed, int64_t position);

/// Index into the ranks of the token at `position`; log_p (n_ranks,) sorted descending, already cut to top_k.
int32_t choose_rank(std::span<const float> log_p, int64_t position, const SamplingOptions& options);

}  // namespace draftscope
