// Costs between two contexts of a table, in the arithmetic of engine/record/cost_curves.h.
#pragma once

#include <cstdint>

#include "kernels/shared/host_device.h"

namespace draftscope {

/// `share` of the way from row `low` to row `high` of a table.
struct CostRow {
  int32_t low = 0, high = 0;
  double share = 0;

  DS_HOST_DEVICE double blend(double at_low, double at_high) const {
    return at_low + product(share, at_high - at_low);
  }
};

/// Where x lies on a strictly ascending axis of n >= 1 values; clamped to its ends.
DS_HOST_DEVICE inline CostRow cost_row(const int32_t* axis, int32_t n, int32_t x) {
  if (x <= axis[0]) return {0, 0, 0.0};
  if (x >= axis[n - 1]) return {n - 1, n - 1, 0.0};
  int32_t high = 1;
  while (axis[high] <= x) ++high;
  const double run = static_cast<double>(int64_t{axis[high]} - axis[high - 1]);
  return {high - 1, high, static_cast<double>(int64_t{x} - axis[high - 1]) / run};
}

}  // namespace draftscope
