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

template <int kGroups>
struct TileShared {
  static constexpr int kTokens = ProductShape<kGroups>::kTokens;
  Best best[kProductWarps][kTokens];
  float sum[kProductWarps][kTokens];

  __device__ Best best_of(int token) const {
    Best of = best[0][token];
    for (int warp = 1; warp < kProductWarps; ++warp) of = better(of, best[warp][token]);
    return of;
  }
};

/// Makes the sums finite logits and leaves every warp's best in shared memory.
template <int kGroups>
__device__ __forceinline__ void find_best(const HeadLaunch& p, const ProductPart& part, ProductSums<kGroups>& sums,
                                          TileShared<kGroups>& shared) {
  const SumPlace place(part);
  const int warp = threadIdx.x / kWarp;
#pragma unroll
  for (int i = 0; i < 2 * kGroups; ++i) {
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
template <int kGroups>
__device__ __forceinline__ void sum_up(const HeadLaunch& p, const ProductPart& part, const ProductSums<kGroups>& sums,
                                       TileShared<kGroups>& shared) {
  const SumPlace place(part);
#pragma unroll
  for (int i = 0; i < 2 * kGroups; ++i) {
    const int j = i / 2, h = i % 2, token = place.token(j, h);
    const float max = shared.best_of(token).logit;
    float sum = 0;
#pragma unroll
    for (int e = 0; e < 2 * kEights; ++e) {
      // __fadd_rn: not fused with the last product inside expf, here or in the kernel for fewer tokens
      if (place.out(e / 2) + e % 2 < p.in.n_out) sum = __fadd_rn(sum, expf(sums[e / 2][j][2 * h + e % 2] - max));
    }
    for (int step = 1; step < 4; step *= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
    if (threadIdx.x % 4 == 0) shared.sum[threadIdx.x / kWarp][token] = sum;
  }
}

template <int kGroups>
__global__ void __launch_bounds__(kProductThreads, 2) head_kernel(HeadLaunch p) {
  extern __shared__ uint4 dynamic_shared[];
  const auto row_group = static_cast<int32_t>(blockIdx.x), tile = static_cast<int32_t>(blockIdx.y);
  const ProductPart part = {row_group * kTileRows, tile * kTileOut, 0, (p.in.n_in + kUnitIn - 1) / kUnitIn};
  float sums[kEights][kGroups][4] = {};
  multiply<kGroups, false>(p.in, part, dynamic_shared, sums);

  auto& shared = *reinterpret_cast<TileShared<kGroups>*>(dynamic_shared);
  find_best<kGroups>(p, part, sums, shared);
  __syncthreads();
  sum_up<kGroups>(p, part, sums, shared);
  __syncthreads();
  const auto token = static_cast<int32_t>(threadIdx.x), row = part.first_row + token;
  if (token >= ProductShape<kGroups>::kTokens || row >= p.in.rows) return;
  const Best best = shared.best_of(token);
  float sum = 0;
  for (int warp = 0; warp < kProductWarps; ++warp) sum += shared.sum[warp][token];
  const int64_t at = static_cast<int64_t>(row) * p.head.n_tiles + tile;
  p.head.stats.max[at] = best.logit;
  p.head.stats.sum[at] = sum;
  p.head.stats.token[at] = best.token;
}

template <int kGroups>
void start(const HeadLaunch& p, LaunchStream stream) {
  constexpr size_t kSharedBytes = ProductShape<kGroups>::kSharedBytes;
  static_assert(sizeof(TileShared<kGroups>) <= kSharedBytes);
  [[maybe_unused]] static const bool is_allowed = (allow_shared(head_kernel<kGroups>, kSharedBytes), true);
  const dim3 grid(ceil_div(p.in.rows, kTileRows), p.head.n_tiles);  // blocks of one tile side by side
  launch(head_kernel<kGroups>, grid, dim3(kProductThreads), kSharedBytes, stream, p);
}

/// A warp per tile of a row.
__global__ void __launch_bounds__(kProductThreads) scan_kernel(HeadView head) {
  follow();
  const auto lane = static_cast<int32_t>(threadIdx.x) % kWarp;
  const int32_t tile = static_cast<int32_t>(blockIdx.x) * kProductWarps + static_cast<int32_t>(threadIdx.x) / kWarp;
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
  p.in.x = x.data;
  p.in.w = static_cast<const uint4*>(head.data);
  p.in.rows = x.rows;
  p.in.n_out = head.n_out;
  p.in.n_in = head.n_in;
  p.head = view;
  switch (n_groups(x.rows)) {
    case 1:
      return start<1>(p, stream);
    case 2:
      return start<2>(p, stream);
    default:
      return start<4>(p, stream);
  }
}

void scan_logits(const HeadView& view, LaunchStream stream) {
  launch(scan_kernel, dim3(ceil_div(view.n_tiles, kProductWarps), view.rows), dim3(kProductThreads), 0, stream, view);
}

}  // namespace draftscope::cuda
