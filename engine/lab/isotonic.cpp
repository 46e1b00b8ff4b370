#include "engine/lab/isotonic.h"

#include <algorithm>

#include "engine/base/check.h"

namespace draftscope {
namespace {

IsotonicPoint pooled(const IsotonicPoint& a, const IsotonicPoint& b) {
  const double weight = a.weight + b.weight;
  return {(a.x * a.weight + b.x * b.weight) / weight, (a.y * a.weight + b.y * b.weight) / weight, weight};
}

}  // namespace

std::vector<IsotonicPoint> isotonic_steps(std::vector<IsotonicPoint> points) {
  std::sort(points.begin(), points.end(), [](const IsotonicPoint& a, const IsotonicPoint& b) { return a.x < b.x; });
  std::vector<IsotonicPoint> steps;
  for (size_t i = 0; i < points.size();) {
    // One x first: its points cannot have different values.
    IsotonicPoint step = points[i];
    DS_CHECK(step.weight > 0);
    const double x = step.x;
    for (++i; i < points.size() && points[i].x == x; ++i) step = pooled(step, points[i]);
    step.x = x;
    while (!steps.empty() && steps.back().y >= step.y) {
      step = pooled(steps.back(), step);
      steps.pop_back();
    }
    steps.push_back(step);
  }
  return steps;
}

}  // namespace draftscope
