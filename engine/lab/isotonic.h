// Isotonic regression: the rising steps closest to a cloud of points.
#pragma once

#include <vector>

namespace draftscope {

/// A point, or a step with the weighted means of its points.
struct IsotonicPoint {
  double x = 0, y = 0;
  double weight = 1;  // > 0
};

/// Pool adjacent violators: the exact minimiser of the weighted squared error over functions of x that never fall,
/// as steps whose x and y both rise strictly. Points in any order; points of one x share one value.
std::vector<IsotonicPoint> isotonic_steps(std::vector<IsotonicPoint> points);

}  // namespace draftscope
