#include "engine/lab/calibration.h"

#include <algorithm>

#include "engine/lab/fit_correction.h"
#include "engine/lab/reliability.h"

namespace draftscope {
namespace {

std::vector<CorrectionScore> scores(const Observations& fitted, const Observations& judged) {
  std::vector<CorrectionScore> all;
  if (fitted.children.empty() || judged.children.empty()) return all;
  for (const Fit fit : kAllFits) all.push_back(score(judged, fit_correction(fitted, fit), fit));
  return all;
}

}  // namespace

LabCalibration calibrate(const Observations& fitted, const Observations& judged) {
  return {reliability_curves(judged), scores(fitted, judged), std::nullopt, kBlockTokens};
}

LabCalibration calibrate(const Observations& observed) {
  const Halves halves = split_by_blocks(observed);
  return {reliability_curves(observed), scores(halves.fitted, halves.judged), std::nullopt, kBlockTokens};
}

LabCalibration calibrate(const DenseText& text) {
  return calibrate(observations(text, std::min(text.max_nodes, kCalibrationNodes)));
}

}  // namespace draftscope
