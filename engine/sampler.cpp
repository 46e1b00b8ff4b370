#include "engine/sampler.h"

#include <array>
#include <cmath>
#include <vector>

#include "engine/base/check.h"

namespace draftscope {
namespace {

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53u} * counter[0], b = uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return counter;
}

}  // namespace

double uniform_at(uint64_t seed, int64_t position) {
  const uint64_t where = static_cast<uint64_t>(position);
  const std::array<uint32_t, 4> bits =
      philox({static_cast<uint32_t>(where), static_cast<uint32_t>(where >> 32), 0, 0},
             {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  const uint64_t wide = uint64_t{bits[0]} << 21 ^ bits[1] >> 11;  // 53 bits
  return static_cast<double>(wide) * 0x1p-53;
}

int32_t choose_rank(std::span<const float> log_p, int64_t position, const SamplingOptions& options) {
  DS_CHECK(!log_p.empty());
  if (options.temperature <= 0) return 0;
  std::vector<double> mass(log_p.size());
  double total = 0;
  for (size_t i = 0; i < log_p.size(); ++i) {
    mass[i] = std::exp((static_cast<double>(log_p[i]) - log_p[0]) / options.temperature);
    total += mass[i];
  }
  size_t n_kept = mass.size();
  if (options.top_p < 1) {
    double kept = 0;
    for (n_kept = 0; n_kept < mass.size() && kept < options.top_p * total; ++n_kept) kept += mass[n_kept];
    if (n_kept == 0) n_kept = 1;
    total = kept > 0 ? kept : mass[0];
  }
  double left = uniform_at(options.seed, position) * total;
  for (size_t i = 0; i + 1 < n_kept; ++i) {
    left -= mass[i];
    if (left < 0) return static_cast<int32_t>(i);
  }
  return static_cast<int32_t>(n_kept - 1);
}

}  // namespace draftscope
