// The scale of an RMS norm, from sums of squares of 64 columns each.
#pragma once

#include <cuda_runtime.h>

#include "kernels/cuda/act.cuh"
#include "kernels/cuda/launch.h"

namespace draftscope::cuda {

/// The same sum in every lane: lanes meet in pairs, so its order is fixed. All lanes take part.
__device__ __forceinline__ float warp_sum(float value) {
  for (int step = kWarp / 2; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
  return value;
}

/// 1 / sqrt(mean(x^2) + eps) of n <= kRows rows with these sums of squares, (n, n_square_pieces(cols)): row i's in lane i.
/// One warp takes part, and its rows wait for memory together.
template <int kRows>
__device__ __forceinline__ float inverse_rms_of(const float* squares, int n, int32_t cols, float eps) {
  static_assert(kRows <= kWarp);
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int32_t n_pieces = pieces_of(cols);
  float sum[kRows] = {};
  for (int32_t piece = lane; piece < n_pieces; piece += kWarp) {
#pragma unroll
    for (int row = 0; row < kRows; ++row) {
      if (row < n) sum[row] += squares[row * n_pieces + piece];
    }
  }
  float of_lane = 0;
#pragma unroll
  for (int row = 0; row < kRows; ++row) {
    const float of_row = warp_sum(sum[row]);
    if (lane == row) of_lane = of_row;
  }
  return 1.0f / sqrtf(of_lane / static_cast<float>(cols) + eps);
}

/// The same of one row, in every lane.
__device__ __forceinline__ float inverse_rms(const float* squares, int32_t cols, float eps) {
  return __shfl_sync(0xffffffffu, inverse_rms_of<1>(squares, 1, cols, eps), 0);
}

/// Sum of squares of one piece of a row, x (cols,) from its first column; a lane squares columns lane and lane + 32.
__device__ __forceinline__ float piece_squares(const float* x, int32_t cols) {
  const int32_t lane = threadIdx.x % kWarp;
  const float low = lane < cols ? x[lane] : 0.0f;
  const float high = lane + kWarp < cols ? x[lane + kWarp] : 0.0f;
  return warp_sum(fmaf(high, high, low * low));
}

}  // namespace draftscope::cuda
