#include "engine/lab/reliability.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <utility>

namespace draftscope {
namespace {

constexpr double kZ = 1.959963984540054;  // 97.5 % of a standard normal lies below
constexpr int32_t kCurveRanks = 8;        // deeper ranks are too rare to judge on their own

struct Sum {
  double stated = 0;
  std::vector<ClusterCount> clusters;
};

ClusterCount total(std::span<const ClusterCount> clusters) {
  ClusterCount sum;
  for (const ClusterCount& cluster : clusters) sum.n_accepted += cluster.n_accepted, sum.n += cluster.n;
  return sum;
}

ReliabilityBin bin_of(const Sum& sum) {
  const ClusterCount all = total(sum.clusters);
  const auto n = static_cast<double>(all.n);
  const double share = static_cast<double>(all.n_accepted) / n, n_independent = independent_candidates(sum.clusters);
  const Interval interval = wilson_interval(share, n_independent);
  return {sum.stated / n, share, interval.low, interval.high, all.n, n_independent};
}

// 97.5 % of Student's t with so many degrees of freedom lies below (Cornish and Fisher's series; within 1 % from 3 on).
double student_quantile(double freedom) {
  const double z = kZ, z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
  return z + (z3 + z) / (4 * freedom) + (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom * freedom) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * freedom * freedom * freedom);
}

}  // namespace

std::vector<int32_t> clusters_of(const Observations& observed) {
  std::map<std::pair<int32_t, int64_t>, int32_t> number;  // of a text and block
  std::vector<int32_t> clusters;
  clusters.reserve(observed.rows.size());
  for (const ObservedRow& row : observed.rows) {
    const auto next = static_cast<int32_t>(number.size());
    clusters.push_back(number.try_emplace({row.text, row.position / kBlockTokens}, next).first->second);
  }
  return clusters;
}

double independent_candidates(std::span<const ClusterCount> clusters) {
  const ClusterCount all = total(clusters);
  if (all.n == 0) return 0;
  const auto n = static_cast<double>(all.n);
  const double share = static_cast<double>(all.n_accepted) / n;
  double n_clusters = 0, squares = 0;
  for (const ClusterCount& cluster : clusters) {
    if (cluster.n == 0) continue;
    const double off = static_cast<double>(cluster.n_accepted) - share * static_cast<double>(cluster.n);
    squares += off * off;
    ++n_clusters;
  }
  if (n_clusters < 2) return 1;
  const double variance = n_clusters / (n_clusters - 1) * squares / (n * n);
  double n_independent = variance > 0 ? share * (1 - share) / variance : n_clusters;
  const double few = kZ / student_quantile(n_clusters - 1);
  n_independent *= few * few;
  return std::clamp(n_independent, 1.0, n);
}

Interval wilson_interval(double share, double n) {
  DS_CHECK(share >= 0 && share <= 1);
  if (n <= 0) return {0, 1};
  const double z2 = kZ * kZ / n;
  const double centre = (share + z2 / 2) / (1 + z2);
  const double half = std::sqrt(z2 * (share * (1 - share) + z2 / 4)) / (1 + z2);
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

ReliabilityCurve reliability(std::string label, std::span<const Judged> candidates) {
  std::array<Sum, kReliabilityBins> sums;
  for (const Judged& candidate : candidates) {
    const int32_t bin = std::clamp(static_cast<int32_t>(candidate.stated * kReliabilityBins), 0, kReliabilityBins - 1);
    Sum& sum = sums[static_cast<size_t>(bin)];
    sum.stated += candidate.stated;
    const auto cluster = static_cast<size_t>(candidate.cluster);
    if (sum.clusters.size() <= cluster) sum.clusters.resize(cluster + 1);
    sum.clusters[cluster].n_accepted += candidate.accepted;
    ++sum.clusters[cluster].n;
  }
  ReliabilityCurve curve{std::move(label), {}, 0, static_cast<int64_t>(candidates.size())};
  for (const Sum& sum : sums) {
    if (sum.clusters.empty()) continue;
    curve.bins.push_back(bin_of(sum));
    const ReliabilityBin& bin = curve.bins.back();
    curve.error += std::abs(bin.observed - bin.stated) * static_cast<double>(bin.n) / static_cast<double>(curve.n);
  }
  return curve;
}

std::vector<Judged> judged(const Observations& observed, const Correction& correction) {
  std::vector<Judged> out;
  out.reserve(observed.children.size());
  const std::vector<int32_t> clusters = clusters_of(observed);
  std::vector<float> log_q;  // of the child's row, corrected
  int32_t row_in_hand = -1;
  for (const Observation& child : observed.children) {
    const ObservedRow& row = observed.rows[static_cast<size_t>(child.row)];
    if (child.row != row_in_hand) {
      const std::span<const float> stated = observed.log_q_of(row);
      log_q.assign(stated.begin(), stated.end());
      correct_row(log_q, correction);
      row_in_hand = child.row;
    }
    const double q = std::exp(static_cast<double>(log_q[static_cast<size_t>(child.rank)]));
    out.push_back({std::min(1.0, q) * (row.on_spine ? 1 : correction.off_spine), child.accepted,
                   clusters[static_cast<size_t>(child.row)]});
  }
  return out;
}

std::vector<ReliabilityCurve> reliability_curves(const Observations& observed) {
  std::vector<ReliabilityCurve> curves;
  const std::vector<int32_t> clusters = clusters_of(observed);
  const auto add = [&](std::string label, const auto& belongs) {
    std::vector<Judged> candidates;
    for (const Observation& child : observed.children) {
      if (belongs(child, observed.rows[static_cast<size_t>(child.row)])) {
        candidates.push_back({child.stated, child.accepted, clusters[static_cast<size_t>(child.row)]});
      }
    }
    if (!candidates.empty()) curves.push_back(reliability(std::move(label), candidates));
  };
  add("all", [](const Observation&, const ObservedRow&) { return true; });
  add("spine", [](const Observation& child, const ObservedRow& row) { return row.on_spine && child.rank == 0; });
  add("sibling", [](const Observation& child, const ObservedRow& row) { return row.on_spine && child.rank > 0; });
  add("off the spine", [](const Observation&, const ObservedRow& row) { return !row.on_spine; });
  int32_t n_depths = 0;
  std::set<float> temperatures;
  for (const ObservedRow& row : observed.rows) {
    n_depths = std::max(n_depths, row.depth);
    temperatures.insert(row.temperature);
  }
  for (int32_t depth = 1; depth <= n_depths; ++depth) {
    add(fmt::format("depth {}", depth),
        [depth](const Observation&, const ObservedRow& row) { return row.depth == depth; });
  }
  for (int32_t rank = 0; rank < kCurveRanks; ++rank) {
    add(fmt::format("rank {}", rank),
        [rank](const Observation& child, const ObservedRow&) { return child.rank == rank; });
  }
  if (temperatures.size() < 2) return curves;
  for (const float temperature : temperatures) {
    add(fmt::format("temperature {:g}", temperature),
        [temperature](const Observation&, const ObservedRow& row) { return row.temperature == temperature; });
  }
  return curves;
}

}  // namespace draftscope
