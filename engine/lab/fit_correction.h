// Fitting a Correction to observations.
#pragma once

#include <cstdint>
#include <span>

#include "engine/lab/observations.h"
#include "engine/record/lab_report.h"
#include "engine/speculate/correction.h"

namespace draftscope {

/// Which parts of a Correction are fitted; the others stay at their default.
enum class Fit : uint8_t { kTemperature, kIsotonic, kOffSpine, kAll };
inline constexpr Fit kAllFits[] = {Fit::kTemperature, Fit::kIsotonic, Fit::kOffSpine, Fit::kAll};
const char* name(Fit fit);

/// temperature: maximum likelihood of the target's tokens, within [0.05, 20]. A token that a row does not keep has the
///   row's left-out mass as one lump (Correction::temperature does the same); a lump that rounding hides counts as 1e-6
///   where the target chose from it.
/// isotonic map: least squares of accepted (0 or 1) on the stated probability of every child. Each step is then pulled
///   by one made-up token on which the drafter is right as often as it says, so that no few answers make a candidate
///   certain or impossible; it weighs as many children as a token has rows that judge it.
/// off_spine: accepted over stated among children of nodes off the most likely chain, both counted half a child higher;
///   at most 1.
/// kAll: temperature and map from rows on the chain alone, each on what the one before left; the factor then describes
///   the rest. Without observations every part is its default.
Correction fit_correction(const Observations& observed, Fit fit);

/// Expected calibration error over all children before and after `correction`; parameter: see CorrectionScore, the
/// temperature for Fit::kAll.
CorrectionScore score(const Observations& judged, const Correction& correction, Fit fit);

}  // namespace draftscope
