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

/// 95 % interval of a share seen in n independent observations, which need not be a whole number (E. B. Wilson,
/// J. Am. Stat. Assoc. 22, 1927). share in [0, 1]; n <= 0: [0, 1].
Interval wilson_interval(double share, double n);

/// A candidate with the probability to be judged, in [0, 1]. Candidates of one cluster may depend on each other.
struct Judged {
  double stated = 0;
  bool accepted = false;
  int32_t cluster = 0;
};

/// What judged answers depend on: the text and the block of kBlockTokens tokens that the target's token lies in. One
/// token is judged by every round that reaches it, its ranks exclude each other, and neighbours share their subject.
/// (n_rows,), numbered from 0.
std::vector<int32_t> clusters_of(const Observations& observed);

/// Accepted and all candidates of one cluster.
struct ClusterCount {
  int64_t n_accepted = 0, n = 0;
};
/// How many independent candidates pin the share of accepted ones down as well as these do: the binomial variance of
/// one over the variance of the share between clusters (linearised ratio, Cochran, Sampling Techniques, 1977), less
/// what estimating that from few clusters costs (Korn and Graubard, Survey Methodology 24, 1998). From 1 to the number
/// of candidates; where all or none were accepted, the number of clusters at most. Empty clusters do not count.
double independent_candidates(std::span<const ClusterCount> clusters);

/// kReliabilityBins bins of equal width over [0, 1]; error 0 when there are no candidates. Intervals are those of the
/// independent candidates that a bin is worth.
inline constexpr int32_t kReliabilityBins = 10;
ReliabilityCurve reliability(std::string label, std::span<const Judged> candidates);

/// One probability per child (n_children,): the drafter's with every part of `correction` applied.
std::vector<Judged> judged(const Observations& observed, const Correction& correction = {});

/// "all"; "spine" (the most likely child of a node on the most likely chain), "sibling" (the other children of such a
/// node), "off the spine" (children of other nodes): these three part all children; "depth 1" on; "rank 0" to "rank 7";
/// one per temperature when there are several. Curves without children are left out.
std::vector<ReliabilityCurve> reliability_curves(const Observations& observed);

}  // namespace draftscope
