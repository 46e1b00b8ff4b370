// The product with the head: every block reduces its tile of logits while they are in registers.
#include <climits>

#include "kernels/cuda/head.h"
#include "kernels/cuda/logit_key.cuh"
#include "kernels/cuda/product.cuh"

namespace draftscope::cuda {
namespace {

struct Best {
  float logit;
  int32_t token;
};
__device__ __forceinline__ Best better(Best a, Best b) {
  return b.logit > a.logit || (b.logit == a.logit && b.token < a.token) ? b : a;
}
constexpr int32_t kNoToken = INT_MAX;  // loses against every token

/// The best over the lanes that share a token's logits.
template <int kLanes>
__device__ __forceinline__ Best best_of_lanes(Best best) {
  for (int step = 1; step < kLanes; step *= 2) {
    const Best other = {__shfl_xor_sync(0xffffffffu, best.logit, step), __shfl_xor_sync(0xffffffffu, best.token, step)};
    best = better(best, other);
  }
  return best;
}

struct HeadLaunch {
  ProductInput in;
  HeadView head;
};

constexpr int kTileWarps = kTileOut / kWarpOut;
constexpr int kTileThreads = kTileWarps * kWarp;

/// What the warps of a block found; every kTileWarps of them have a tile.
template <class Shape>
struct TileShared {
  Best best[Shape::kWarps][Shape::kTokens];
  float sum[Shape::kWarps][Shape::kTokens];

  __device__ Best best_of(int tile, int token) const {
    Best of = best[tile * kTileWarps][token];
    for (int warp = 1; warp < kTileWarps; ++warp) of = better(of, best[tile * kTileWarps + warp][token]);
    return of;
  }
  __device__ float sum_of(int tile, int token) const {
    float of = 0;
    for (int warp = 0; warp < kTileWarps; ++warp) of += sum[tile * kTileWarps + warp][token];
    return of;
  }
};

/// Makes the sums finite logits and leaves every warp's best in shared memory.
template <class Shape>
__device__ __forceinline__ void find_best(const HeadLaunch& p, const ProductPart& part, typename Shape::Sums& sums,
                                          TileShared<Shape>& shared) {
  const SumPlace place(part);
  const int warp = threadIdx.x / kWarp;
#pragma unroll
  for (int i = 0; i < 2 * Shape::kGroups; ++i) {
    const int j = i / 2, h = i % 2, token = place.token(j, h);
    const bool is_kept = p.head.logits != nullptr && part.first_row + token < p.in.rows;
    float* row = p.head.logits + static_cast<int64_t>(part.first_row + token) * p.head.n_tiles * kTileOut;
    Best best = {-FLT_MAX, kNoToken};
#pragma unroll
    for (int e = 0; e < 2 * kEights; ++e) {
      const int32_t out = place.out(e / 2) + e % 2;
      const float logit = finite_logit(sums[e / 2][j][2 * h + e % 2]);
      sums[e / 2][j][2 * h + e % 2] = logit;
      if (out >= p.in.n_out) continue;
      best = better(best, {logit, out});
      if (is_kept) row[out] = logit;
    }
    best = best_of_lanes<4>(best);
    if (threadIdx.x % 4 == 0) shared.best[warp][token] = best;
  }
}

/// Leaves every warp's sums of e^(logit - tile's maximum) in shared memory.
template <class Shape>
__device__ __forceinline__ void sum_up(const HeadLaunch& p, const ProductPart& part, const typename Shape::Sums& sums,
                                       TileShared<Shape>& shared) {
  const SumPlace place(part);
  const int warp = threadIdx.x / kWarp;
#pragma unroll
  for (int i = 0; i < 2 * Shape::kGroups; ++i) {
    const int j = i / 2, h = i % 2, token = place.token(j, h);
    const float max = shared.best_of(warp / kTileWarps, token).logit;
    float sum = 0;
#pragma unroll
    for (int e = 0; e < 2 * kEights; ++e) {
      // __fadd_rn: not fused with the last product inside expf, here or in the kernel for fewer tokens
      if (place.out(e / 2) + e % 2 < p.in.n_out) sum = __fadd_rn(sum, expf(sums[e / 2][j][2 * h + e % 2] - max));
    }
    for (int step = 1; step < 4; step *= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
    if (threadIdx.x % 4 == 0) shared.sum[warp][token] = sum;
  }
}

template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads, Shape::kPerProcessor) head_kernel(HeadLaunch p) {
  extern __shared__ uint4 dynamic_shared[];
  const auto row_group = static_cast<int32_t>(blockIdx.x), block = static_cast<int32_t>(blockIdx.y);
  const ProductPart part = {row_group * kTileRows, block * Shape::kTile, 0, (p.in.n_in + kUnitIn - 1) / kUnitIn};
  float sums[kEights][Shape::kGroups][4] = {};
  multiply<Shape, Inputs::kBf16>(p.in, part, dynamic_shared, sums);

  auto& shared = *reinterpret_cast<TileShared<Shape>*>(dynamic_shared);
  find_best<Shape>(p, part, sums, shared);
  __syncthreads();
  sum_up<Shape>(p, part, sums, shared);
  __syncthreads();
  const int of_block = threadIdx.x / kTileThreads;
  const auto token = static_cast<int32_t>(threadIdx.x) % kTileThreads, row = part.first_row + token;
  const int32_t tile = block * (Shape::kWarps / kTileWarps) + of_block;
  if (token >= Shape::kTokens || row >= p.in.rows || tile >= p.head.n_tiles) return;
  const Best best = shared.best_of(of_block, token);
  const int64_t at = static_cast<int64_t>(row) * p.head.n_tiles + tile;
  p.head.stats.max[at] = best.logit;
  p.head.stats.sum[at] = shared.sum_of(of_block, token);
  p.head.stats.token[at] = best.token;
}

template <class Shape>
void start(const HeadLaunch& p, LaunchStream stream) {
  static_assert(sizeof(TileShared<Shape>) <= Shape::kSharedBytes);
  [[maybe_unused]] static const bool is_allowed = (allow_shared(head_kernel<Shape>, Shape::kSharedBytes), true);
  const dim3 grid(ceil_div(p.in.rows, kTileRows), ceil_div(p.in.n_out, Shape::kTile));  // blocks of one tile side by side
  launch(head_kernel<Shape>, grid, dim3(Shape::kThreads), Shape::kSharedBytes, stream, p);
}

constexpr int kScanWarps = 4;

/// A warp per tile of a row.
__global__ void __launch_bounds__(kScanWarps* kWarp) scan_kernel(HeadView head) {
  follow();
  const auto lane = static_cast<int32_t>(threadIdx.x) % kWarp;
  const int32_t tile = static_cast<int32_t>(blockIdx.x) * kScanWarps + static_cast<int32_t>(threadIdx.x) / kWarp;
  if (tile >= head.n_tiles) return;
  const auto row = static_cast<int64_t>(blockIdx.y);
  float* logits = head.logits + (row * head.n_tiles + tile) * kTileOut;
  const int32_t first = tile * kTileOut, n = min(kTileOut, head.n_out - first);
  Best best = {-FLT_MAX, kNoToken};
  for (int i = lane; i < n; i += kWarp) {
    logits[i] = finite_logit(logits[i]);
    best = better(best, {logits[i], first + i});
  }
  best = best_of_lanes<kWarp>(best);
  float sum = 0;
  for (int i = lane; i < n; i += kWarp) sum = __fadd_rn(sum, expf(logits[i] - best.logit));
  sum = warp_sum(sum);
  if (lane != 0) return;
  head.stats.max[row * head.n_tiles + tile] = best.logit;
  head.stats.sum[row * head.n_tiles + tile] = sum;
  head.stats.token[row * head.n_tiles + tile] = best.token;
}

}  // namespace

void head_product(Act x, WeightsView head, const HeadView& view, LaunchStream stream) {
  HeadLaunch p = {};
  p.in.bf16 = x.bf16;
  p.in.w = static_cast<const uint4*>(head.data);
  p.in.rows = x.rows;
  p.in.n_out = head.n_out;
  p.in.n_in = head.n_in;
  p.head = view;
  with_product_shape(x.rows, head.n_out, 1, [&]<class Shape>(Shape) { start<Shape>(p, stream); });
}

void scan_logits(const HeadView& view, LaunchStream stream) {
  launch(scan_kernel, dim3(ceil_div(view.n_tiles, kScanWarps), view.rows), dim3(kScanWarps * kWarp), 0, stream, view);
}

}  // namespace draftscope::cuda
