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
  std::string empty_reason;
};

ReliabilityPlot reliability_plot(const LabCalibration& calibration);

/// "stated 0.62, observed 0.55 (0.49 to 0.61), 214 children". Empty outside.
std::string bin_line(const ReliabilitySeries& series, size_t bin);

}  // namespace draftscope
