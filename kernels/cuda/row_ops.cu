// Operations on single rows: a block each.
#include <cuda_bf16.h>

#include "kernels/cuda/act.cuh"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/norm.cuh"
#include "kernels/cuda/ops.h"

namespace draftscope::cuda {
namespace {

constexpr int kThreads = 256;

/// Widens the row of a token; sums of squares come from the row as written.
__global__ void __launch_bounds__(kThreads) embed_kernel(WeightsView table, const int32_t* token, Act out) {
  follow();
  const auto r = static_cast<int32_t>(blockIdx.x);
  const int64_t first = static_cast<int64_t>(token[r]) * table.n_in;
  float* row = row_of(out, r);
  for (int c = threadIdx.x; c < out.cols; c += kThreads) {
    row[c] = table.is_bf16 ? __bfloat162float(static_cast<const __nv_bfloat16*>(table.data)[first + c])
                           : static_cast<const float*>(table.data)[first + c];
  }
  if (out.squares == nullptr) return;
  __syncthreads();
  for (int piece = threadIdx.x / kWarp; piece < pieces_of(out.cols); piece += kThreads / kWarp) {
    const float squares = piece_squares(row + piece * kSquarePiece, out.cols - piece * kSquarePiece);
    if (threadIdx.x % kWarp == 0) squares_of(out, r)[piece] = squares;
  }
}

/// In the order in which a product's prologue normalises; shared (pieces_of(x.cols),) floats. x and out may be the
/// same.
__global__ void __launch_bounds__(kThreads) rms_norm_kernel(Act x, const float* weight, float eps, Act out) {
  extern __shared__ uint4 dynamic_shared[];
  follow();
  auto* squares = reinterpret_cast<float*>(dynamic_shared);
  const auto r = static_cast<int32_t>(blockIdx.x);
  const float* from = row_of(x, r);
  for (int piece = threadIdx.x / kWarp; piece < pieces_of(x.cols); piece += kThreads / kWarp) {
    const float of_piece = piece_squares(from + piece * kSquarePiece, x.cols - piece * kSquarePiece);
    if (threadIdx.x % kWarp == 0) squares[piece] = of_piece;
  }
  __syncthreads();
  const float scale = inverse_rms(squares, x.cols, eps);
  for (int c = threadIdx.x; c < x.cols; c += kThreads) put(out, r, c, from[c] * scale * weight[c]);
}

__global__ void __launch_bounds__(kThreads) gather_kernel(Act x, const int32_t* rows, Act out, int32_t first_col) {
  follow();
  const auto r = static_cast<int32_t>(blockIdx.x), from = rows == nullptr ? r : rows[r];
  for (int c = threadIdx.x; c < x.cols; c += kThreads) put(out, r, first_col + c, get(x, from, c));
}

}  // namespace

void embed(WeightsView table, const RowsView& rows, Act out, LaunchStream stream) {
  launch(embed_kernel, dim3(rows.n_rows), dim3(kThreads), 0, stream, table, rows.token, out);
}

void rms_norm(Act x, const float* weight, float eps, Act out, LaunchStream stream) {
  const size_t shared_bytes = static_cast<size_t>(n_square_pieces(x.cols)) * sizeof(float);
  launch(rms_norm_kernel, dim3(x.rows), dim3(kThreads), shared_bytes, stream, x, weight, eps, out);
}

void gather_rows(Act x, const int32_t* rows, int32_t n, Act out, int32_t first_col, LaunchStream stream) {
  launch(gather_kernel, dim3(n), dim3(kThreads), 0, stream, x, rows, out, first_col);
}

}  // namespace draftscope::cuda
