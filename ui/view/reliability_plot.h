// Calibration as a picture: how often the target agreed where the drafter was so sure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/record/lab_report.h"

namespace draftscope {

/// One curve. Below the diagonal the drafter promises more than it keeps.
struct ReliabilitySeries {
  std::string label;
  std::vector<double> stated, observed;   // (n_bins,)
  std::vector<double> below, above;       // (n_bins,) from observed to the ends of its 95 % interval
  std::vector<int64_t> n;                 // (n_bins,)
  std::vector<double> n_independent;      // (n_bins,) what they are worth
  std::string observed_text, error_text;  // "2140", "0.031"
  std::string bias;                       // "too sure by 0.012"
  std::string summary;                    // all of this in one line
};

/// One correction, judged on text that it was not fitted on.
struct CorrectionRow {
  std::string label, before, after, parameter, verdict;
};

struct ReliabilityPlot {
  std::vector<ReliabilitySeries> series;
  std::vector<CorrectionRow> corrections;
  std::string bars;                       // what the bars are, in one line
  std::string empty_reason;
};

ReliabilityPlot reliability_plot(const LabCalibration& calibration);

/// "fitted on half of a recording of demo: temperature 1.08, map of 7 points, factor off the spine 0.61".
std::string correction_words(const std::string& target_name, const Correction& correction);

/// "stated 0.62, observed 0.55 (0.41 to 0.68); 214 children of accepted nodes, worth 47 independent ones". Empty outside.
std::string bin_line(const ReliabilitySeries& series, size_t bin);

}  // namespace draftscope
