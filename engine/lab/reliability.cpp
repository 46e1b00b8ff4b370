#include "engine/lab/reliability.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

namespace draftscope {
namespace {

constexpr double kZ = 1.959963984540054;  // 97.5 % of a standard normal lies below
constexpr int32_t kCurveRanks = 8;        // deeper ranks are too rare to judge on their own

struct Sum {
  double stated = 0;
  int64_t n_accepted = 0, n = 0;
};

ReliabilityBin bin_of(const Sum& sum) {
  const auto n = static_cast<double>(sum.n);
  const Interval interval = wilson_interval(sum.n_accepted, sum.n);
  return {sum.stated / n, static_cast<double>(sum.n_accepted) / n, interval.low, interval.high, sum.n};
}

}  // namespace

Interval wilson_interval(int64_t n_accepted, int64_t n) {
  DS_CHECK(n_accepted >= 0 && n_accepted <= n);
  if (n == 0) return {0, 1};
  const auto count = static_cast<double>(n);
  const double share = static_cast<double>(n_accepted) / count, z2 = kZ * kZ / count;
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
    sum.n_accepted += candidate.accepted;
    ++sum.n;
  }
  ReliabilityCurve curve{std::move(label), {}, 0, static_cast<int64_t>(candidates.size())};
  for (const Sum& sum : sums) {
    if (sum.n == 0) continue;
    curve.bins.push_back(bin_of(sum));
    const ReliabilityBin& bin = curve.bins.back();
    curve.error += std::abs(bin.observed - bin.stated) * static_cast<double>(bin.n) / static_cast<double>(curve.n);
  }
  return curve;
}

std::vector<Judged> judged(const Observations& observed, const Correction& correction) {
  std::vector<Judged> out;
  out.reserve(observed.children.size());
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
    out.push_back({std::min(1.0, q) * (row.on_spine ? 1 : correction.off_spine), child.accepted});
  }
  return out;
}

std::vector<ReliabilityCurve> reliability_curves(const Observations& observed) {
  std::vector<ReliabilityCurve> curves;
  const auto add = [&](std::string label, const auto& belongs) {
    std::vector<Judged> candidates;
    for (const Observation& child : observed.children) {
      if (belongs(child, observed.rows[static_cast<size_t>(child.row)])) {
        candidates.push_back({child.stated, child.accepted});
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
