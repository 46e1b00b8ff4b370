// Draws: the published generator, keyed by seed and position, and the right frequencies.
#include "engine/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

namespace draftscope {
namespace {

TEST(Sampler, PhiloxKnownAnswer) {
  // Counter and key all zero give 6627e8d5 e169c58d ... in the published test vectors; the top 53 bits count.
  const uint64_t bits = uint64_t{0x6627e8d5} << 21 ^ (0xe169c58du >> 11);
  EXPECT_EQ(uniform_at(0, 0), static_cast<double>(bits) * 0x1p-53);
}

TEST(Sampler, UniformsDifferByPositionAndSeed) {
  std::set<double> seen;
  double sum = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    for (int64_t position = 0; position < 100; ++position) {
      const double u = uniform_at(seed, position);
      EXPECT_TRUE(u >= 0 && u < 1);
      sum += u;
      seen.insert(u);
    }
  }
  EXPECT_EQ(seen.size(), 10000u);
  EXPECT_NEAR(sum / 10000, 0.5, 0.02);
}

TEST(Sampler, FrequenciesFollowTemperatureTopP) {
  const std::vector<float> log_p = {std::log(0.5f), std::log(0.3f), std::log(0.15f), std::log(0.05f)};
  const auto frequencies = [&](SamplingOptions options) {
    std::vector<double> share(4, 0.0);
    for (int64_t position = 0; position < 20000; ++position) share[choose_rank(log_p, position, options)] += 1.0 / 20000;
    return share;
  };
  const std::vector<double> plain = frequencies({1.0f, 0, 1.0f, 3});
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(plain[i], std::exp(log_p[i]), 0.015);
  const std::vector<double> cut = frequencies({1.0f, 0, 0.75f, 3});
  EXPECT_NEAR(cut[0], 0.625, 0.015);
  EXPECT_NEAR(cut[1], 0.375, 0.015);
  EXPECT_EQ(cut[2] + cut[3], 0);
  EXPECT_NEAR(frequencies({0.0f, 0, 1.0f, 3})[0], 1.0, 1e-9);
  EXPECT_GT(frequencies({0.3f, 0, 1.0f, 3})[0], 0.8);
}

}  // namespace
}  // namespace draftscope
