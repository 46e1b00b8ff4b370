#include "engine/sampler.h"

#include <vector>

#include "engine/base/check.h"
#include "kernels/shared/choose_rank.h"
#include "kernels/shared/philox.h"

namespace draftscope {

double uniform_at(uint64_t seed, int64_t position) { return philox_uniform(seed, position); }

int32_t choose_rank(std::span<const float> log_p, int64_t position, const SamplingOptions& options) {
  DS_CHECK(!log_p.empty());
  if (options.temperature <= 0) return 0;
  std::vector<double> mass(log_p.size());
  for (size_t i = 0; i < mass.size(); ++i) mass[i] = rank_mass(log_p[i], log_p[0], options.temperature);
  return rank_of_draw(mass.data(), static_cast<int32_t>(mass.size()), options.top_p,
                      uniform_at(options.seed, position));
}

}  // namespace draftscope
