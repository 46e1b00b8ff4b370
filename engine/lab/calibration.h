// Calibration: whether the drafter's probabilities mean what they say, and what a correction repairs.
#pragma once

#include <cstdint>

#include "engine/lab/observations.h"
#include "engine/record/lab_report.h"

namespace draftscope {

/// Nodes of the trees whose children are observed: larger trees would add candidates that hardly any budget verifies
/// and whose tiny probabilities hide every error in the mean.
inline constexpr int32_t kCalibrationNodes = 64;

/// Curves over all observations of the text, from every position; corrections fitted on one half of its tokens and
/// judged on the other as split_by_blocks says.
LabCalibration calibrate(const DenseText& text);
/// The same for observations from elsewhere; no scores when one half is empty.
LabCalibration calibrate(const Observations& observed);
/// Corrections fitted on one set, curves and scores from another. No scores when one of them is empty.
LabCalibration calibrate(const Observations& fitted, const Observations& judged);

}  // namespace draftscope
