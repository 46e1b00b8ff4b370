// A tempered, top-p cut draw among ranks: the target's choice. Sums run in rank order, so that host and device agree.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/shared/host_device.h"

namespace draftscope {

/// Unnormalised probability of a rank at `temperature` > 0; log_p_first: the log p of rank 0.
DS_HOST_DEVICE inline double rank_mass(float log_p, float log_p_first, float temperature) {
  return std::exp((static_cast<double>(log_p) - log_p_first) / temperature);
}

/// The rank that `uniform` in [0, 1) falls on, among the smallest set of first ranks with at least top_p of all mass.
/// mass (n,), n >= 1, not increasing.
DS_HOST_DEVICE inline int32_t rank_of_draw(const double* mass, int32_t n, float top_p, double uniform) {
  double total = 0;
  for (int32_t i = 0; i < n; ++i) total += mass[i];
  int32_t n_kept = n;
  if (top_p < 1) {
    const double enough = product(top_p, total);
    double kept = 0;
    for (n_kept = 0; n_kept < n && kept < enough; ++n_kept) kept += mass[n_kept];
    if (n_kept == 0) n_kept = 1;
    total = kept > 0 ? kept : mass[0];
  }
  double left = product(uniform, total);
  for (int32_t i = 0; i + 1 < n_kept; ++i) {
    left -= mass[i];
    if (left < 0) return i;
  }
  return n_kept - 1;
}

}  // namespace draftscope
