#include <cmath>

#include "kernels/backend.h"

namespace draftscope {

Rope make_rope(int32_t head_dim, double theta, int32_t n_positions) {
  const int32_t half = head_dim / 2;
  Rope rope;
  rope.n_positions = n_positions;
  rope.cos.resize(static_cast<size_t>(n_positions) * half);
  rope.sin.resize(rope.cos.size());
  for (int32_t i = 0; i < half; ++i) {
    const float inv_freq = static_cast<float>(1.0 / std::pow(theta, 2.0 * i / head_dim));
    for (int32_t position = 0; position < n_positions; ++position) {
      const double angle = static_cast<float>(position) * inv_freq;
      rope.cos[static_cast<size_t>(position) * half + i] = static_cast<float>(std::cos(angle));
      rope.sin[static_cast<size_t>(position) * half + i] = static_cast<float>(std::sin(angle));
    }
  }
  return rope;
}

std::unique_ptr<ActBuffer> place_vector(Backend& backend, const Vector& values) {
  std::unique_ptr<ActBuffer> placed = backend.make_act(1, static_cast<int32_t>(values.size()));
  backend.write(values, placed->act);
  return placed;
}

PlacedRope place_rope(Backend& backend, int32_t head_dim, double theta, int32_t n_positions) {
  const Rope rope = make_rope(head_dim, theta, n_positions);
  PlacedRope placed{backend.make_act(n_positions, head_dim / 2), backend.make_act(n_positions, head_dim / 2)};
  backend.write(rope.cos, placed.cos->act);
  backend.write(rope.sin, placed.sin->act);
  return placed;
}

}  // namespace draftscope
