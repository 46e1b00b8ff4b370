// Correction of the drafter's probabilities by what was accepted before: fitted elsewhere, applied here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/record/correction.h"
#include "engine/record/round.h"

namespace draftscope {

/// Ranks per depth that a correction is fitted to and that a corrected tree is made of; what follows them is left out.
/// Every recording keeps as many, so that it decides as the live round did.
inline constexpr int32_t kCorrectedRanks = 16;

/// True for a correction that leaves every probability as it is.
inline bool changes_nothing(const Correction& correction) {
  return correction.temperature == 1 && correction.stated.empty() && correction.off_spine == 1;
}

/// q with temperature and map applied. The tokens that a row leaves out count as one lump when it is renormalised.
/// Rows stay in descending order; mass that the map adds up to more than 1 in a row is scaled back to 1.
/// Requires validate(correction).
Marginals corrected(const Marginals& q, const Correction& correction);
/// The same for one row, in place: log_q (n_ranks,) in descending order.
void correct_row(std::span<float> log_q, const Correction& correction);
/// Probability that a row leaves out; what rounding explains (less than 1e-6) is 0.
double left_out(std::span<const float> log_q);

/// One sentence when a correction cannot be applied: temperature not positive, factor outside (0, 1], a map whose
/// arrays differ in length, leave [0, 1], or do not ascend (stated strictly, observed may stay level).
Status validate(const Correction& correction);

/// "draft-correction/1". A total function of the text; the result passes validate.
Result<Correction> parse_correction_json(const std::string& text, const std::string& path);
/// parse_correction_json gives the same correction back, bit for bit. Requires validate(correction).
std::string correction_json(const Correction& correction);

}  // namespace draftscope
