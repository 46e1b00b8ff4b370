// Statistics of paired measurements, against values known otherwise.
#include "app/report/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

namespace draftscope {
namespace {

TEST(Statistics, MedianIsTheMiddleOrTheMeanOfTheTwoMiddleValues) {
  EXPECT_EQ(median({3}), 3);
  EXPECT_EQ(median({9, 1, 5}), 5);
  EXPECT_EQ(median({4, 1, 3, 2}), 2.5);
  EXPECT_EQ(median({2, 2, 2, 9}), 2);
}

TEST(Statistics, GeometricMeanOfReciprocalsIsOne) {
  EXPECT_NEAR(geometric_mean(std::vector<double>{2, 0.5}), 1, 1e-15);
  EXPECT_NEAR(geometric_mean(std::vector<double>{1, 10, 100}), 10, 1e-12);
}

TEST(Statistics, SignTestIsTheExactBinomialTail) {
  EXPECT_NEAR(sign_test_p(8, 2), 112.0 / 1024, 1e-12);
  EXPECT_NEAR(sign_test_p(2, 8), 112.0 / 1024, 1e-12);
  EXPECT_NEAR(sign_test_p(10, 0), 2.0 / 1024, 1e-12);
  EXPECT_NEAR(sign_test_p(6, 0), 2.0 / 64, 1e-12);
  EXPECT_NEAR(sign_test_p(9, 1), 22.0 / 1024, 1e-12);
  EXPECT_EQ(sign_test_p(5, 5), 1);
  EXPECT_EQ(sign_test_p(0, 0), 1);
  EXPECT_NEAR(sign_test_p(550, 450), 0.001731, 1e-5);  // beyond where powers of one half underflow in a product
}

TEST(Statistics, SignTestDropsTiesAndCountsThem) {
  const std::vector<double> ratios = {1.1, 1.2, 0.9, 1, 1 + 1e-12, 1.3};
  const SignTest test = sign_test(ratios);
  EXPECT_EQ(test.wins, 3);
  EXPECT_EQ(test.losses, 1);
  EXPECT_EQ(test.ties, 2);
  EXPECT_NEAR(test.p, 2 * (1 + 4) / 16.0, 1e-12);
}

double mean_of(const std::vector<double>& values, std::span<const uint32_t> picks) {
  double sum = 0;
  for (const uint32_t pick : picks) sum += values[pick];
  return sum / static_cast<double>(picks.size());
}

TEST(Statistics, BootstrapOfAConstantIsThatConstant) {
  const std::vector<double> same(12, 0.7);
  const Interval interval = bootstrap_interval(same.size(), [&](auto picks) { return mean_of(same, picks); }, 1);
  EXPECT_NEAR(interval.low, 0.7, 1e-12);
  EXPECT_NEAR(interval.high, 0.7, 1e-12);
}

TEST(Statistics, BootstrapIsTheSameForTheSameSeed) {
  std::vector<double> values(20);
  std::iota(values.begin(), values.end(), 0.0);
  const auto interval = [&](uint64_t seed) {
    return bootstrap_interval(values.size(), [&](auto picks) { return mean_of(values, picks); }, seed);
  };
  EXPECT_EQ(interval(7).low, interval(7).low);
  EXPECT_NE(interval(7).low, interval(8).low);
  EXPECT_LT(interval(7).low, 9.5);
  EXPECT_GT(interval(7).high, 9.5);
}

// For many sets drawn from one normal distribution, the 95 % interval of the mean holds the true mean nearly as often.
TEST(Statistics, BootstrapIntervalsCoverTheTruth) {
  std::mt19937_64 random(5);
  const auto uniform = [&] { return (static_cast<double>(random() >> 11) + 0.5) / 9007199254740992.0; };
  int n_covered = 0;
  constexpr int kSets = 300;
  for (int set = 0; set < kSets; ++set) {
    std::vector<double> values(30);
    for (double& value : values) value = 2 + std::sqrt(-2 * std::log(uniform())) * std::cos(6.283185307179586 * uniform());
    const Interval interval = bootstrap_interval(values.size(), [&](auto picks) { return mean_of(values, picks); },
                                                 static_cast<uint64_t>(set));
    n_covered += interval.low <= 2 && 2 <= interval.high;
  }
  EXPECT_GT(n_covered, kSets * 88 / 100);
  EXPECT_LT(n_covered, kSets * 99 / 100);
}

TEST(Statistics, PairsWithoutBothMeasurementsAreLeftOut) {
  const std::vector<double> a = {2, 0, 8, 6}, b = {1, 5, 4, 0};
  const PairedRatio paired = paired_ratio(a, b);
  EXPECT_EQ(paired.n, 2);
  EXPECT_EQ(paired.median, 2);
  EXPECT_EQ(paired.sign.wins, 2);
  EXPECT_NEAR(paired.geometric_mean_interval.low, 2, 1e-12);
  EXPECT_NEAR(paired.median_interval.high, 2, 1e-12);
  ASSERT_EQ(paired.ratios.size(), 4u);
  EXPECT_TRUE(std::isnan(paired.ratios[1]));
  EXPECT_TRUE(std::isnan(paired.ratios[3]));
  EXPECT_EQ(paired_ratio(std::vector<double>{0}, std::vector<double>{1}).n, 0);
}

}  // namespace
}  // namespace draftscope
