#include "kernels/cuda/lt_rows.h"

#include <cuda_bf16.h>

#include "kernels/cuda/act.cuh"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/norm.cuh"

namespace draftscope::cuda {
namespace {

constexpr int kThreads = 256;

/// A block is a row. Every warp finds the scale itself: the sum is short, and no barrier is needed.
__global__ void __launch_bounds__(kThreads)
    round_kernel(Act x, const float* norm_weight, float eps, __nv_bfloat162* out) {
  follow();
  const auto r = static_cast<int32_t>(blockIdx.x);
  const float* from = row_of(x, r);
  __nv_bfloat162* to = out + static_cast<int64_t>(r) * (x.cols / 2);
  const bool is_normed = norm_weight != nullptr;
  const float scale = is_normed ? inverse_rms(squares_of(x, r), x.cols, eps) : 1.0f;
  for (int32_t c = 2 * static_cast<int32_t>(threadIdx.x); c < x.cols; c += 2 * kThreads) {
    const float low = is_normed ? from[c] * scale * norm_weight[c] : from[c];
    const float high = is_normed ? from[c + 1] * scale * norm_weight[c + 1] : from[c + 1];
    to[c / 2] = __floats2bfloat162_rn(low, high);
  }
}

__global__ void __launch_bounds__(kThreads) square_kernel(Act x) {
  follow();
  const auto r = static_cast<int32_t>(blockIdx.x), warp = static_cast<int32_t>(threadIdx.x) / kWarp;
  for (int32_t piece = warp; piece < pieces_of(x.cols); piece += kThreads / kWarp) {
    const int32_t first = piece * kSquarePiece;
    const float squares = piece_squares(row_of(x, r) + first, x.cols - first);
    if (threadIdx.x % kWarp == 0) squares_of(x, r)[piece] = squares;
  }
}

}  // namespace

void round_rows(Act x, const float* norm_weight, float eps, void* out, LaunchStream stream) {
  launch(round_kernel, dim3(x.rows), dim3(kThreads), 0, stream, x, norm_weight, eps, static_cast<__nv_bfloat162*>(out));
}

void square_rows(Act x, LaunchStream stream) {
  launch(square_kernel, dim3(x.rows), dim3(kThreads), 0, stream, x);
}

}  // namespace draftscope::cuda
