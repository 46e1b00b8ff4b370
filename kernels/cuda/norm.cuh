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

/// 1 / sqrt(mean(x^2) + eps) of a row with these sums of squares, (n_square_pieces(cols),). One warp takes part.
__device__ __forceinline__ float inverse_rms(const float* squares, int32_t cols, float eps) {
  float sum = 0;
  for (int32_t piece = threadIdx.x % kWarp; piece < pieces_of(cols); piece += kWarp) sum += squares[piece];
  return 1.0f / sqrtf(warp_sum(sum) / static_cast<float>(cols) + eps);
}

/// Sum of squares of one piece of a row, x (cols,) from its first column; a lane squares columns lane and lane + 32.
__device__ __forceinline__ float piece_squares(const float* x, int32_t cols) {
  const int32_t lane = threadIdx.x % kWarp;
  const float low = lane < cols ? x[lane] : 0.0f;
  const float high = lane + kWarp < cols ? x[lane + kWarp] : 0.0f;
  return warp_sum(fmaf(high, high, low * low));
}

}  // namespace draftscope::cuda
