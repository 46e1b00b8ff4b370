#include "app/report/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "engine/base/check.h"

namespace draftscope {
namespace {

constexpr uint64_t kSeed = 20260601;  // any constant: reports of the same figures are the same
constexpr double kTie = 1e-9;

/// Linear between order statistics; `sorted` ascending, not empty.
double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<size_t>(at);
  const size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

/// 0 .. n - 1, the same on every platform, which the standard's distributions are not.
uint32_t draw_below(std::mt19937_64& random, size_t n) {
  return static_cast<uint32_t>((static_cast<unsigned __int128>(random()) * n) >> 64);
}

}  // namespace

double median(std::vector<double> values) {
  DS_CHECK(!values.empty());
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

double geometric_mean(std::span<const double> ratios) {
  DS_CHECK(!ratios.empty());
  double sum = 0;
  for (const double ratio : ratios) sum += std::log(ratio);
  return std::exp(sum / static_cast<double>(ratios.size()));
}

double sign_test_p(int64_t wins, int64_t losses) {
  const auto n = static_cast<double>(wins + losses);
  double tail = 0;
  for (int64_t i = 0; i <= std::min(wins, losses); ++i) {
    const auto k = static_cast<double>(i);
    tail += std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) - n * std::log(2.0));
  }
  return std::min(1.0, 2 * tail);
}

SignTest sign_test(std::span<const double> ratios) {
  SignTest test;
  for (const double ratio : ratios) {
    if (std::abs(ratio - 1) <= kTie) ++test.ties;
    else if (ratio > 1) ++test.wins;
    else ++test.losses;
  }
  test.p = sign_test_p(test.wins, test.losses);
  return test;
}

Interval bootstrap_interval(size_t n, const std::function<double(std::span<const uint32_t>)>& statistic,
                            uint64_t seed, double level) {
  DS_CHECK(n > 0 && level > 0 && level < 1);
  std::mt19937_64 random(seed);
  std::vector<uint32_t> picks(n);
  std::vector<double> values(kResamples);
  for (double& value : values) {
    for (uint32_t& pick : picks) pick = draw_below(random, n);
    value = statistic(picks);
  }
  std::sort(values.begin(), values.end());
  return {quantile(values, (1 - level) / 2), quantile(values, (1 + level) / 2)};
}

PairedRatio paired_ratio(std::span<const double> numerator, std::span<const double> denominator) {
  DS_CHECK(numerator.size() == denominator.size());
  PairedRatio paired;
  std::vector<double> kept;
  for (size_t i = 0; i < numerator.size(); ++i) {
    const bool counts = numerator[i] > 0 && denominator[i] > 0;
    paired.ratios.push_back(counts ? numerator[i] / denominator[i] : std::numeric_limits<double>::quiet_NaN());
    if (counts) kept.push_back(paired.ratios.back());
  }
  paired.n = static_cast<int64_t>(kept.size());
  if (kept.empty()) return paired;
  std::vector<double> drawn(kept.size());
  const auto resampled = [&](double (*statistic)(std::span<const double>)) {
    return bootstrap_interval(kept.size(), [&, statistic](std::span<const uint32_t> picks) {
      for (size_t i = 0; i < picks.size(); ++i) drawn[i] = kept[picks[i]];
      return statistic(drawn);
    }, kSeed);
  };
  paired.median = median(kept);
  paired.median_interval = resampled([](std::span<const double> values) {
    return median(std::vector<double>(values.begin(), values.end()));
  });
  paired.geometric_mean = geometric_mean(kept);
  paired.geometric_mean_interval = resampled(geometric_mean);
  paired.sign = sign_test(kept);
  return paired;
}

}  // namespace draftscope
