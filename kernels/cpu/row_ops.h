// Element-wise operations on one row, behind CpuBackend.
#pragma once

#include <cstdint>

namespace draftscope {

struct RowOps {
  /// out = x / sqrt(mean(x^2) + eps) * weight; may work in place; (n,).
  void (*rms_norm)(const float* x, const float* weight, float eps, int64_t n, float* out);
  /// silu(gate) * up; gate_up (2 * n,), out (n,).
  void (*silu_mul)(const float* gate_up, int64_t n, float* out);
  /// Rotates one head (head_dim,) by the angles of one position; cos, sin (head_dim / 2,).
  void (*rotate_head)(float* head, const float* cos, const float* sin, int32_t head_dim);
  /// Nearest bf16 of each element, (n,).
  void (*round)(const float* x, int64_t n, uint16_t* out);
  /// One column of a tile of rows: out[i * stride] = x[i], the nearest bf16 of it if asked; (n,).
  void (*interleave)(const float* x, int64_t n, bool to_bf16, int64_t stride, float* out);
};

const RowOps& row_ops_plain();
const RowOps& row_ops_avx2();

}  // namespace draftscope
