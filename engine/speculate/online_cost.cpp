#include "engine/speculate/online_cost.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/base/check.h"
#include "engine/speculate/cost.h"

namespace draftscope {
namespace {

constexpr size_t kBins = 32;  // powers of two that fit the rows of a pass

size_t bin_of(int32_t rows) { return static_cast<size_t>(std::lround(std::log2(static_cast<double>(rows)))); }

// Middle of an unordered list, the mean of both middles where their number is even; 0 of none.
double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto upper = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), upper, values.end());
  if (values.size() % 2 == 1) return *upper;
  return 0.5 * (*upper + *std::max_element(values.begin(), upper));
}

struct Weighted {
  double value, weight;
};

// The value at which half of the weight is reached; 0 of none.
double weighted_median(std::vector<Weighted>& values) {
  std::sort(values.begin(), values.end(), [](const Weighted& a, const Weighted& b) { return a.value < b.value; });
  double total = 0, reached = 0;
  for (const Weighted& entry : values) total += entry.weight;
  for (const Weighted& entry : values) {
    reached += entry.weight;
    if (2 * reached >= total) return entry.value;
  }
  return 0;
}

// `location` of so many observations against `pseudo` observations at `home`.
double drawn(double location, double weight, double home, double pseudo) {
  return (weight * location + pseudo * home) / (weight + pseudo);
}

double median_relative_spread(const CostModel& model) {
  std::vector<double> relative;
  for (size_t i = 0; i < model.spread_s.size(); ++i) relative.push_back(model.spread_s[i] / model.verify_s[i]);
  return median(std::move(relative));
}

// Linear in log2(rows) between the bins; flat beyond the last one.
double log_factor(const std::vector<double>& bins, int32_t rows) {
  const double place = std::log2(static_cast<double>(rows));
  const auto low = static_cast<size_t>(place);
  if (low + 1 >= bins.size()) return bins.back();
  return std::lerp(bins[low], bins[low + 1], place - static_cast<double>(low));
}

}  // namespace

void OnlineCost::Recent::push(double value, int32_t most) {
  if (values.size() < static_cast<size_t>(most)) return values.push_back(value);
  values[oldest] = value;
  oldest = (oldest + 1) % values.size();
}

OnlineCost::OnlineCost(CostModel prior, OnlineCostOptions options)
    : prior_(std::move(prior)), options_(options), bins_(kBins), given_{std::vector<double>(kBins), 0} {
  const Status valid = validate(prior_);
  DS_CHECK(valid.ok(), "{}", valid.ok() ? "" : valid.error());
  DS_CHECK(options.bin_window > 0 && options.drift_window > 0 && options.global_pseudo > 0 &&
           options.bin_pseudo > 0 && options.bin_voice > 0 && options.half_life > 0 && options.alarm_sigmas > 0 &&
           options.model_step > 0);
  curves_ = verify_curves(prior_);
  band_ = std::max(options.alarm_band, median_relative_spread(prior_));
}

void OnlineCost::observe(int32_t context_len, int32_t rows, double measured_verify_s) {
  if (!std::isfinite(measured_verify_s) || measured_verify_s <= 0 || rows < 1 || context_len < 0) return;
  count(bins_[bin_of(rows)], measured_verify_s, curves_.at(context_len, rows));
}

void OnlineCost::observe_plain(int32_t context_len, double measured_s) {
  if (!std::isfinite(measured_s) || measured_s <= 0 || context_len < 0 || prior_.plain_s.empty()) return;
  count(plain_, measured_s, plain_step_s(prior_, context_len));
}

void OnlineCost::count(Bin& bin, double measured_s, double profiled_s) {
  ++n_observed_;
  const double limit = std::log(kMaxRatio);
  const double log_ratio = std::clamp(std::log(measured_s) - std::log(profiled_s), -limit, limit);
  bin.log_ratios.push(log_ratio, options_.bin_window);
  bin.last_seen = n_observed_;
  all_.push(log_ratio, options_.drift_window);
  if (alarm_) {
    alarm_ = share_outside(1) > 0.5 || share_outside(-1) > 0.5;
  } else {
    alarm_ = median_outside(log_ratio > 0 ? 1 : -1);  // one more on this side cannot make the other side's case
  }
}

double OnlineCost::share_outside(int sign) const {
  const auto outside = [&](double log_ratio) { return sign * log_ratio > band_; };
  return static_cast<double>(std::ranges::count_if(all_.values, outside)) / static_cast<double>(all_.values.size());
}

bool OnlineCost::median_outside(int sign) const {
  const double share = share_outside(sign);
  if (share <= 0.5 || n_observed_ < options_.alarm_after) return false;
  const std::vector<double>& values = all_.values;
  const size_t n = values.size();
  int32_t n_changes = 0;
  bool before = sign * values[all_.oldest % n] > band_;
  for (size_t i = 1; i < n; ++i) {
    const bool outside = sign * values[(all_.oldest + i) % n] > band_;
    n_changes += outside != before;
    before = outside;
  }
  // Independent passes change sides 2 share (1 - share) of the time; fewer changes are correlation.
  const double expected = 2 * share * (1 - share) * static_cast<double>(n - 1);
  const double correlation = expected > 0 ? std::max(0.0, 1 - n_changes / expected) : 0.0;
  const double n_worth = static_cast<double>(n) * (1 - correlation) / (1 + correlation);
  return share - 0.5 >= options_.alarm_sigmas * 0.5 / std::sqrt(n_worth);
}

double OnlineCost::weight_of(const Bin& bin) const {
  const double age = static_cast<double>(n_observed_ - bin.last_seen);
  return static_cast<double>(bin.log_ratios.values.size()) * std::exp2(-age / options_.half_life);
}

OnlineCost::Factors OnlineCost::factors() const {
  std::vector<Weighted> voices;
  double voice = 0;
  for (const Bin& bin : bins_) {
    const std::vector<double>& values = bin.log_ratios.values;
    const double bin_voice = std::min(weight_of(bin), options_.bin_voice);
    for (const double log_ratio : values) voices.push_back({log_ratio, bin_voice / static_cast<double>(values.size())});
    voice += bin_voice;
  }
  const double global = drawn(weighted_median(voices), voice, 0, options_.global_pseudo);
  const auto factor_of = [&](const Bin& bin) {
    return drawn(median(bin.log_ratios.values), weight_of(bin), global, options_.bin_pseudo);
  };
  Factors factors;
  for (const Bin& bin : bins_) factors.bins.push_back(factor_of(bin));
  factors.plain = factor_of(plain_);
  return factors;
}

CostModel OnlineCost::model() const { return n_observed_ == 0 ? prior_ : model_of(factors()); }

std::optional<CostModel> OnlineCost::update() {
  if (n_observed_ == 0) return std::nullopt;
  Factors news = factors();
  double moved = std::abs(news.plain - given_.plain);
  for (size_t i = 0; i < news.bins.size(); ++i) moved = std::max(moved, std::abs(news.bins[i] - given_.bins[i]));
  if (moved < options_.model_step) return std::nullopt;
  given_ = std::move(news);
  return model_of(given_);
}

CostModel OnlineCost::model_of(const Factors& factors) const {
  const auto times = [](double& seconds, double factor, double least_s) {
    seconds = std::clamp(seconds * factor, least_s, kMostPass_s);
  };
  CostModel model = prior_;
  const size_t n_rows = model.rows.size();
  for (size_t r = 0; r < n_rows; ++r) {
    const double factor = std::exp(log_factor(factors.bins, model.rows[r]));
    for (size_t c = 0; c < model.context.size(); ++c) {
      times(model.verify_s[c * n_rows + r], factor, kLeastPass_s);
      if (!model.spread_s.empty()) times(model.spread_s[c * n_rows + r], factor, 0);
    }
  }
  for (double& seconds : model.plain_s) times(seconds, std::exp(factors.plain), kLeastPass_s);
  // A convex curve times factors is convex no more, and whoever fits one must not take it as it is.
  if (model.kind == CostKind::kConvexFit) model.kind = CostKind::kMeasured;
  model.label += ", re-estimated while decoding";
  return model;
}

CostDrift OnlineCost::drift() const {
  const double factor_log =
      drawn(median(all_.values), static_cast<double>(all_.values.size()), 0, options_.global_pseudo);
  return {std::exp(factor_log), alarm_};
}

}  // namespace draftscope
