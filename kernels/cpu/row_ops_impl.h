// Operations on one row; compiled once per instruction set with the same bits (see vec8.h).
#include <algorithm>
#include <cmath>

#include "kernels/cpu/bf16.h"
#include "kernels/cpu/row_ops.h"
#include "kernels/cpu/vec8.h"

namespace draftscope {
namespace {

void rms_norm_row(const float* x, const float* weight, float eps, int64_t n, float* out) {
  F8 squares{};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) squares += load8(x + i) * load8(x + i);
  float sum = sum8(squares);
  for (; i < n; ++i) sum += x[i] * x[i];
  const float scale = 1.0f / std::sqrt(sum / static_cast<float>(n) + eps);
  for (i = 0; i < n; ++i) out[i] = x[i] * scale * weight[i];
}

void silu_mul_row(const float* gate_up, int64_t n, float* out) {
  const float* up = gate_up + n;
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const F8 gate = load8(gate_up + i);
    // exp8 needs a bounded argument; below -88 the gate is 0 in float32.
    const I8 is_zero = gate < -88.0f;
    const F8 silu = gate / (exp8(is_zero ? F8{} : -gate) + 1.0f);
    store8(out + i, (is_zero ? F8{} : silu) * load8(up + i));
  }
  for (; i < n; ++i) out[i] = gate_up[i] / (1.0f + std::exp(-gate_up[i])) * up[i];
}

void rotate_head(float* head, const float* cos, const float* sin, int32_t head_dim) {
  const int32_t half = head_dim / 2;
  for (int32_t i = 0; i < half; ++i) {
    const float low = head[i], high = head[i + half];
    head[i] = low * cos[i] - high * sin[i];
    head[i + half] = high * cos[i] + low * sin[i];
  }
}

void round_row(const float* x, int64_t n, uint16_t* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = bf16_of_float(x[i]);
}

void interleave_row(const float* x, int64_t n, bool to_bf16, int64_t stride, float* out) {
  constexpr int64_t kChunk = 64;  // rounded at once as vectors, and then dealt out one by one
  float rounded[kChunk];
  for (int64_t first = 0; first < n; first += kChunk, x += kChunk) {
    const int64_t size = std::min(kChunk, n - first);
    if (to_bf16)
      for (int64_t i = 0; i < size; ++i) rounded[i] = float_of_bf16(bf16_of_float(x[i]));
    const float* from = to_bf16 ? rounded : x;
    for (int64_t i = 0; i < size; ++i) out[(first + i) * stride] = from[i];
  }
}

constexpr RowOps kRowOps{rms_norm_row, silu_mul_row, rotate_head, round_row, interleave_row};

}  // namespace
}  // namespace draftscope
