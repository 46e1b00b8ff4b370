// Reliability: how often candidates of a stated probability were accepted.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/lab/observations.h"
#include "engine/record/lab_report.h"
#include "engine/speculate/correction.h"

namespace draftscope {

struct Interval {
  double low = 0, high = 1;
};

/// 95 % interval of a share (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927). 0 <= n_accepted <= n; n == 0: [0, 1].
Interval wilson_interval(int64_t n_accepted, int64_t n);

/// A candidate with the probability to be judged, in [0, 1].
struct Judged {
  double stated = 0;
  bool accepted = false;
};

/// kReliabilityBins bins of equal width over [0, 1]; error 0 when there are no candidates.
inline constexpr int32_t kReliabilityBins = 10;
ReliabilityCurve reliability(std::string label, std::span<const Judged> candidates);

/// One probability per child (n_children,): the drafter's with every part of `correction` applied.
std::vector<Judged> judged(const Observations& observed, const Correction& correction = {});

/// "all"; "spine" (the most likely child of a node on the most likely chain), "sibling" (the other children of such a
/// node), "off the spine" (children of other nodes): these three part all children; "depth 1" on; "rank 0" to "rank 7";
/// one per temperature when there are several. Curves without children are left out.
std::vector<ReliabilityCurve> reliability_curves(const Observations& observed);

}  // namespace draftscope
