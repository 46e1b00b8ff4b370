// Spread: the middle of repeated measurements and how far they scatter.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace draftscope {

struct Spread {
  double median_s, half_iqr_s;
};

/// Of at least one measurement.
inline Spread spread_of(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  const auto at = [&](double share) {
    return seconds[static_cast<size_t>(std::lround(share * static_cast<double>(seconds.size() - 1)))];
  };
  return {at(0.5), (at(0.75) - at(0.25)) / 2};
}

}  // namespace draftscope
