// Products without tensor cores: float32 weights, or float32 activations. Every output is one accumulator over
// ascending inputs, so its bits depend on its own row and column alone. Exact before fast: golden models run on it.
#include <cuda_bf16.h>

#include "kernels/cuda/epilogue.cuh"
#include "kernels/cuda/matmul.h"
#include "kernels/cuda/norm.cuh"

namespace draftscope::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kOut = kSquarePiece;  // outputs of a block: a piece of squares has one owner
constexpr int kRows = 16;           // tokens of a block
constexpr int kIn = 32;             // inputs in shared memory at once
constexpr int kThreadOut = kOut * kRows / kThreads;
constexpr int kOutStep = kOut / kThreadOut;  // between a thread's outputs

struct PlainLaunch {
  Act x;
  const float* norm_weight;
  float eps;
  const void* w;
  int32_t n_out, n_in;
  bool rounds_x;
  Act out;
  Epilogue epilogue;
};

__device__ float widened(float x) { return x; }
__device__ float widened(__nv_bfloat16 x) { return __bfloat162float(x); }

struct Shared {
  float w[kIn][kOut + 1], x[kIn][kRows + 1];
  float y[kRows][kOut];
  float scale[kRows];
};

/// Inputs [first_in, first_in + kIn) of the block's tokens and outputs, zeros past the ends.
template <class Weight>
__device__ void bring(const PlainLaunch& p, int first_row, int first_out, int first_in, Shared& shared) {
  const int i = threadIdx.x % kIn, in = first_in + i;
  const bool is_inside = in < p.n_in;
  for (int o = threadIdx.x / kIn; o < kOut; o += kThreads / kIn) {
    const int64_t row = first_out + o;
    const bool wanted = is_inside && row < p.n_out;
    shared.w[i][o] = wanted ? widened(static_cast<const Weight*>(p.w)[row * p.n_in + in]) : 0.0f;
  }
  for (int r = threadIdx.x / kIn; r < kRows; r += kThreads / kIn) {
    float x = is_inside && first_row + r < p.x.rows ? get(p.x, first_row + r, in) : 0.0f;
    if (p.norm_weight != nullptr && is_inside) x = x * shared.scale[r] * p.norm_weight[in];
    shared.x[i][r] = p.rounds_x ? __bfloat162float(__float2bfloat16_rn(x)) : x;
  }
}

/// Writes the tile y as the epilogue says; a warp takes every eighth token.
__device__ void finish(const PlainLaunch& p, int first_row, int first_out, const Shared& shared) {
  const int lane = threadIdx.x % kWarp;
  for (int r = threadIdx.x / kWarp; r < kRows && first_row + r < p.x.rows; r += kThreads / kWarp) {
    if (p.epilogue == Epilogue::kSwiGlu) {
      const int gate = lane / 8 * 16 + lane % 8;  // sixteen rows are eight gates and their eight ups
      if (first_out + gate + 8 < p.n_out)
        put(p.out, first_row + r, first_out / 2 + lane, silu_mul(shared.y[r][gate], shared.y[r][gate + 8]));
      continue;
    }
    float* row = row_of(p.out, first_row + r);
    for (int o = lane; o < kOut && first_out + o < p.n_out; o += kWarp) {
      const float before = p.epilogue == Epilogue::kAdd ? row[first_out + o] : 0.0f;
      row[first_out + o] = before + shared.y[r][o];
    }
    if (p.epilogue != Epilogue::kAdd || p.out.squares == nullptr) continue;
    const float squares = piece_squares(row + first_out, p.n_out - first_out);  // of what this lane itself wrote
    if (lane == 0) squares_of(p.out, first_row + r)[first_out / kSquarePiece] = squares;
  }
}

template <class Weight>
__global__ void __launch_bounds__(kThreads) plain_kernel(PlainLaunch p) {
  __shared__ Shared shared;
  follow();
  const int first_row = blockIdx.x * kRows, first_out = blockIdx.y * kOut;
  if (p.norm_weight != nullptr) {
    for (int r = threadIdx.x / kWarp; r < kRows && first_row + r < p.x.rows; r += kThreads / kWarp) {
      const float scale = inverse_rms(squares_of(p.x, first_row + r), p.x.cols, p.eps);
      if (threadIdx.x % kWarp == 0) shared.scale[r] = scale;
    }
    __syncthreads();
  }
  const int out = threadIdx.x % kOutStep, row = threadIdx.x / kOutStep;
  float sums[kThreadOut] = {};
  for (int first_in = 0; first_in < p.n_in; first_in += kIn) {
    bring<Weight>(p, first_row, first_out, first_in, shared);
    __syncthreads();
    for (int i = 0; i < kIn; ++i) {
      for (int o = 0; o < kThreadOut; ++o) sums[o] = fmaf(shared.x[i][row], shared.w[i][out + o * kOutStep], sums[o]);
    }
    __syncthreads();
  }
  for (int o = 0; o < kThreadOut; ++o) shared.y[row][out + o * kOutStep] = sums[o];
  __syncthreads();
  finish(p, first_row, first_out, shared);
}

}  // namespace

void matmul_plain(const MatmulArgs& args, LaunchStream stream) {
  const bool rounds_x = args.precision == Precision::kBf16;
  const PlainLaunch p = {args.x,      args.norm_weight, args.eps, args.w.data,  args.w.n_out,
                         args.w.n_in, rounds_x,         args.out, args.epilogue};
  const dim3 grid(ceil_div(args.x.rows, kRows), ceil_div(args.w.n_out, kOut)), block(kThreads);
  args.w.is_bf16 ? launch(plain_kernel<__nv_bfloat16>, grid, block, 0, stream, p)
                 : launch(plain_kernel<float>, grid, block, 0, stream, p);
}

}  // namespace draftscope::cuda
