#include "ui/view/reliability_plot.h"

#include <fmt/format.h>

#include <cmath>

namespace draftscope {
namespace {

/// Mean of stated minus observed, weighted: what the curve promises too much.
double overconfidence(const ReliabilityCurve& curve) {
  double sum = 0, n = 0;
  for (const ReliabilityBin& bin : curve.bins) {
    sum += static_cast<double>(bin.n) * (bin.stated - bin.observed);
    n += static_cast<double>(bin.n);
  }
  return n > 0 ? sum / n : 0;
}

std::string bias_of(const ReliabilityCurve& curve) {
  constexpr double kHonest = 0.005;
  const double over = overconfidence(curve);
  return std::abs(over) < kHonest ? "right"
         : over > 0               ? fmt::format("too sure by {:.3f}", over)
                                  : fmt::format("not sure enough by {:.3f}", -over);
}

CorrectionRow correction_row(const CorrectionScore& score) {
  constexpr double kEqual = 5e-4;
  const double gain = score.error_before - score.error_after;
  return {score.label, fmt::format("{:.3f}", score.error_before), fmt::format("{:.3f}", score.error_after),
          fmt::format("{:.3g}", score.parameter),
          std::abs(gain) < kEqual ? "no change"
          : gain > 0              ? "better"
                                  : "worse"};
}

}  // namespace

ReliabilityPlot reliability_plot(const LabCalibration& calibration) {
  ReliabilityPlot plot;
  for (const ReliabilityCurve& curve : calibration.curves) {
    ReliabilitySeries series;
    series.label = curve.label;
    for (const ReliabilityBin& bin : curve.bins) {
      series.stated.push_back(bin.stated);
      series.observed.push_back(bin.observed);
      series.below.push_back(bin.observed - bin.low);
      series.above.push_back(bin.high - bin.observed);
      series.n.push_back(bin.n);
      series.n_independent.push_back(bin.n_independent);
    }
    series.observed_text = fmt::format("{}", curve.n);
    series.error_text = fmt::format("{:.3f}", curve.error);
    series.bias = bias_of(curve);
    series.summary = fmt::format("{}: {} observed, calibration error {}, {} on average", series.label,
                                 series.observed_text, series.error_text, series.bias);
    plot.series.push_back(std::move(series));
  }
  for (const CorrectionScore& score : calibration.scores) plot.corrections.push_back(correction_row(score));
  plot.bars = fmt::format("bars: 95 %, blocks of {} tokens", calibration.block_tokens);
  if (plot.series.empty()) plot.empty_reason = "The calibration is being computed.";
  return plot;
}

std::string correction_words(const std::string& target_name, const Correction& correction) {
  return fmt::format(
      "fitted on half of a recording of {}: temperature {:.2f}, map of {} points, factor off the spine "
      "{:.2f}",
      target_name.empty() ? "this target" : target_name, correction.temperature, correction.stated.size(),
      correction.off_spine);
}

std::string bin_line(const ReliabilitySeries& series, size_t bin) {
  if (bin >= series.stated.size()) return {};
  return fmt::format(
      "stated {:.3f}, observed {:.3f} ({:.3f} to {:.3f}); {} children of accepted nodes, "
      "worth {:.0f} independent ones",
      series.stated[bin], series.observed[bin], series.observed[bin] - series.below[bin],
      series.observed[bin] + series.above[bin], series.n[bin], series.n_independent[bin]);
}

}  // namespace draftscope
