// Statistics of paired measurements: what may be said about one policy against another on the same prompts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace draftscope {

struct Interval {
  double low = 0, high = 0;
};

/// The middle value, or the mean of the two middle ones. Requires at least one value.
double median(std::vector<double> values);
/// exp of the mean logarithm. Requires at least one value, all positive.
double geometric_mean(std::span<const double> ratios);

struct SignTest {
  int64_t wins = 0, losses = 0, ties = 0;  // ratios above, below and at 1
  double p = 1;                            // two-sided and exact; 1 without wins and losses
};

/// Probability, when both outcomes are equally likely, of a split at least as uneven as wins : losses.
double sign_test_p(int64_t wins, int64_t losses);
/// Ratios within 1e-9 of 1 are ties; ties are counted and take no part.
SignTest sign_test(std::span<const double> ratios);

constexpr int32_t kResamples = 2000;

/// Percentile interval of `statistic` over `n` >= 1 items drawn with replacement, `kResamples` times. `statistic` gets
/// the indices of one resample, (n,). The same seed gives the same interval everywhere.
Interval bootstrap_interval(size_t n, const std::function<double(std::span<const uint32_t> picks)>& statistic,
                            uint64_t seed, double level = 0.95);

/// One policy against another, prompt by prompt.
struct PairedRatio {
  int64_t n = 0;              // pairs; everything below is meaningless when 0
  double median = 1;
  Interval median_interval{1, 1};
  double geometric_mean = 1;
  Interval geometric_mean_interval{1, 1};
  SignTest sign;
  std::vector<double> ratios; // (n_prompts,) NaN for a pair that is left out
};

/// numerator / denominator, both (n_prompts,); pairs in which one is not positive are left out.
PairedRatio paired_ratio(std::span<const double> numerator, std::span<const double> denominator);

}  // namespace draftscope
