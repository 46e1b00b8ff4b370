// Products of bf16 weights on tensor cores. Inputs are split over blocks where a matrix has few tiles; the last block
// of a tile to arrive adds the splits in ascending order.
#include "kernels/cuda/arrival.cuh"
#include "kernels/cuda/epilogue.cuh"
#include "kernels/cuda/heads.cuh"
#include "kernels/cuda/matmul.h"
#include "kernels/cuda/product.cuh"

namespace draftscope::cuda {
namespace {

struct MatmulLaunch {
  ProductInput in;
  Act out;
  Epilogue epilogue;
  HeadsTask<__nv_bfloat16> heads;  // for kHeads
  SplitPlan plan;
  int32_t* counters;   // (kMaxCounters,) zero between launches
  float4* partials;    // (row group, tile, split, kEights, kGroups, threads of a block)
};

/// Leaves this block's sums with those of the tile's other splits. The last block to arrive gets them all, added in
/// ascending order, in its `sums`; the others get false. Splits come through `shared` memory, in places that no other thread
/// touches, several at a time: one by one each would cost a way to L2 and back.
template <class Shape>
__device__ __forceinline__ bool add_splits(const MatmulLaunch& p, int n_tokens, uint4* shared,
                                           typename Shape::Sums& sums) {
  constexpr int kGroups = Shape::kGroups, kVectors = kEights * kGroups, kThreads = Shape::kThreads;
  constexpr int kAhead = Shape::kSplitsAhead;
  const int n_splits = p.plan.n_splits, first_token = static_cast<int>(threadIdx.x) % kWarp / 4;
  const int64_t tile = static_cast<int64_t>(blockIdx.x) * p.plan.n_tiles + blockIdx.y;
  float4* of_tile = p.partials + tile * n_splits * Shape::kSplitVectors + threadIdx.x;
  float4* own = of_tile + static_cast<int64_t>(blockIdx.z) * Shape::kSplitVectors;
#pragma unroll
  for (int i = 0; i < kVectors; ++i) {
    const float(&s)[4] = sums[i / kGroups][i % kGroups];
    if (first_token + 16 * (i % kGroups) < n_tokens) own[i * kThreads] = make_float4(s[0], s[1], s[2], s[3]);
  }
  if (!arrives_last(&p.counters[tile], n_splits)) return false;
#pragma unroll
  for (int i = 0; i < kVectors; ++i) {
    for (float& s : sums[i / kGroups][i % kGroups]) s = 0;
  }
  uint4* held = shared + threadIdx.x;
  const auto fetch = [&](int split, int slot) {
    const float4* of_split = of_tile + static_cast<int64_t>(split) * Shape::kSplitVectors;
#pragma unroll
    for (int i = 0; i < kVectors; ++i) {
      const bool is_written = split < n_splits && first_token + 16 * (i % kGroups) < n_tokens;
      start_copy(&held[(slot * kVectors + i) * kThreads], reinterpret_cast<const uint4*>(of_split + i * kThreads), is_written);
    }
    close_batch();
  };
  for (int split = 0; split < kAhead; ++split) fetch(split, split);
#pragma unroll 1
  for (int split = 0, slot = 0; split < n_splits; ++split, slot = slot + 1 == kAhead ? 0 : slot + 1) {
    wait_for_batches<kAhead - 1>();
#pragma unroll
    for (int i = 0; i < kVectors; ++i) {
      const float4 v = *reinterpret_cast<const float4*>(&held[(slot * kVectors + i) * kThreads]);
      float(&s)[4] = sums[i / kGroups][i % kGroups];
      s[0] += v.x, s[1] += v.y, s[2] += v.z, s[3] += v.w;
    }
    fetch(split + kAhead, slot);
  }
  wait_for_batches<0>();  // zeros from past the end
  __syncthreads();
  return true;
}

/// One token's sums of a thread: value[2 * q + p] is of output place.out(q) + p.
struct TokenSums {
  float value[2 * kEights];
};
template <int kGroups>
__device__ __forceinline__ TokenSums of_token(const ProductSums<kGroups>& sums, int j, int h) {
  TokenSums of;
#pragma unroll
  for (int i = 0; i < 2 * kEights; ++i) of.value[i] = sums[i / 2][j][2 * h + i % 2];
  return of;
}

/// A row of the output, in pairs of neighbours from even columns on: what is not before n_out reads as 0 and is not written.
/// A pair is one request where it lies at a multiple of its size.
struct OutRow {
  float* data;
  int32_t n_out;
  bool paired;

  __device__ OutRow(const Act& act, int32_t row, int32_t n) : data(row_of(act, row)), n_out(n), paired((act.cols | n) % 2 == 0) {}
  __device__ __forceinline__ float2 get(int32_t out) const {
    if (paired) return out < n_out ? *reinterpret_cast<const float2*>(data + out) : make_float2(0, 0);
    return make_float2(out < n_out ? data[out] : 0.0f, out + 1 < n_out ? data[out + 1] : 0.0f);
  }
  __device__ __forceinline__ void put(int32_t out, float2 pair) const {
    if (out >= n_out) return;
    if (paired) {
      *reinterpret_cast<float2*>(data + out) = pair;
      return;
    }
    data[out] = pair.x;
    if (out + 1 < n_out) data[out + 1] = pair.y;
  }
};

__device__ __forceinline__ void set(const SumPlace& place, const TokenSums& sums, const OutRow& row) {
#pragma unroll
  for (int q = 0; q < kEights; ++q) row.put(place.out(q), make_float2(sums.value[2 * q], sums.value[2 * q + 1]));
}

/// Sixteen outputs are eight gates and their eight ups.
__device__ __forceinline__ void set_swiglu(const SumPlace& place, const TokenSums& sums, int32_t n_out, const Act& act,
                                           int32_t row) {
#pragma unroll
  for (int gate = 0; gate < 2 * kEights; gate += 4) {  // and its neighbour, of `sums`; their ups are the next eight's
    const int32_t out = place.out(gate / 2);
    if (out + 8 >= n_out) continue;
    put(act, row, out / 16 * 8 + out % 16, make_float2(silu_mul(sums.value[gate], sums.value[gate + 2]),
                                                       silu_mul(sums.value[gate + 1], sums.value[gate + 3])));
  }
}

/// What is there, in the places of the sums.
__device__ __forceinline__ TokenSums get(const SumPlace& place, const OutRow& row) {
  TokenSums found;
#pragma unroll
  for (int q = 0; q < kEights; ++q) {
    const float2 pair = row.get(place.out(q));
    found.value[2 * q] = pair.x, found.value[2 * q + 1] = pair.y;
  }
  return found;
}

/// Adds to what was there; returns the sum of squares of the warp's outputs.
__device__ __forceinline__ float add(const SumPlace& place, const TokenSums& before, const TokenSums& sums,
                                     const OutRow& row) {
  float squares = 0;
#pragma unroll
  for (int q = 0; q < kEights; ++q) {
    const int32_t out = place.out(q);
    const float2 pair = make_float2(before.value[2 * q] + sums.value[2 * q], before.value[2 * q + 1] + sums.value[2 * q + 1]);
    row.put(out, pair);
    if (out < row.n_out) squares = fmaf(pair.x, pair.x, squares);
    if (out + 1 < row.n_out) squares = fmaf(pair.y, pair.y, squares);
  }
  return squares;
}

/// Writes the sums as the epilogue says. With kAdd, `shared` (kWarps, kTokens) gets sums of squares, and a token's numbers
/// are asked for before the last token's are written, so that no two wait for L2 one after the other.
template <class Shape>
__device__ __forceinline__ void finish(const MatmulLaunch& p, const ProductPart& part, const typename Shape::Sums& sums,
                                       float* shared) {
  const SumPlace place(part);
  const int32_t n_tokens = p.in.rows - part.first_row, n_out = p.in.n_out;
  const auto asked_for = [&](int i) {
    const int32_t token = place.token(i / 2, i % 2);
    if (p.epilogue != Epilogue::kAdd || token >= n_tokens) return TokenSums{};
    return get(place, OutRow(p.out, part.first_row + token, n_out));
  };
  TokenSums next = asked_for(0);
#pragma unroll
  for (int i = 0; i < 2 * Shape::kGroups; ++i) {
    const int32_t token = place.token(i / 2, i % 2), row = part.first_row + token;
    const TokenSums of = of_token<Shape::kGroups>(sums, i / 2, i % 2), before = next;
    if (i + 1 < 2 * Shape::kGroups) next = asked_for(i + 1);
    float squares = 0;
    if (token < n_tokens) {
      if (p.epilogue == Epilogue::kSet) set(place, of, OutRow(p.out, row, n_out));
      if (p.epilogue == Epilogue::kSwiGlu) set_swiglu(place, of, n_out, p.out, row);
      if (p.epilogue == Epilogue::kAdd) squares = add(place, before, of, OutRow(p.out, row, n_out));
    }
    for (int step = 1; step < 4; step *= 2) squares += __shfl_xor_sync(0xffffffffu, squares, step);
    if (threadIdx.x % 4 == 0) shared[threadIdx.x / kWarp * Shape::kTokens + token] = squares;
  }
}

/// Two warps own a piece of 64 columns: adds their squares up.
template <class Shape>
__device__ __forceinline__ void finish_squares(const MatmulLaunch& p, const ProductPart& part, const float* shared) {
  constexpr int kTokens = Shape::kTokens;
  __syncthreads();
  for (int i = threadIdx.x; i < Shape::kTile / kSquarePiece * kTokens; i += Shape::kThreads) {
    const int32_t row = part.first_row + i % kTokens, piece = part.first_out / kSquarePiece + i / kTokens;
    const float* of_warps = shared + i / kTokens * 2 * kTokens + i % kTokens;
    if (row < p.in.rows && piece < pieces_of(p.in.n_out))
      squares_of(p.out, row)[piece] = of_warps[0] + of_warps[kTokens];
  }
}

/// Every warp takes rows of one of the tile's heads, some together, so that their angles wait for L2 side by side. The
/// columns of a head are spread over warps, so they meet in `tile` (kTokens, kTile + 8) first.
template <class Shape>
__device__ __forceinline__ void finish_heads(const MatmulLaunch& p, const ProductPart& part,
                                             const typename Shape::Sums& sums, float* tile) {
  constexpr int kStride = Shape::kTile + 8, kTogether = 4;  // the 8 spread a warp's tokens over the banks
  static_assert(Shape::kTokens * kStride * sizeof(float) <= Shape::kSharedVectors * sizeof(uint4));
  const SumPlace place(part);
#pragma unroll
  for (int i = 0; i < kEights * Shape::kGroups * 2; ++i) {
    const int q = i / (Shape::kGroups * 2), j = i / 2 % Shape::kGroups, h = i % 2;
    *reinterpret_cast<float2*>(&tile[place.token(j, h) * kStride + place.out(q) - part.first_out]) =
        make_float2(sums[q][j][2 * h], sums[q][j][2 * h + 1]);
  }
  __syncthreads();
  const int dim = p.heads.layout.head_dim, n_heads = Shape::kTile / dim, warp = static_cast<int>(threadIdx.x) / kWarp;
  const int32_t number = part.first_out / dim + warp % n_heads, step = Shape::kWarps / n_heads;
  if (number >= p.heads.n_heads()) return;
  const Head<__nv_bfloat16> head(p.heads, number);
  const int32_t n_tokens = min(p.in.rows - part.first_row, Shape::kTokens);
  for (int32_t first = warp / n_heads; first < n_tokens; first += kTogether * step) {
    typename Head<__nv_bfloat16>::Row rows[kTogether];
#pragma unroll
    for (int i = 0; i < kTogether; ++i) {
      const int32_t token = min(first + i * step, n_tokens - 1);
      rows[i] = head.load(part.first_row + token, tile + token * kStride + warp % n_heads * dim);
    }
#pragma unroll
    for (int i = 0; i < kTogether; ++i) {
      if (first + i * step < n_tokens) head.finish(part.first_row + first + i * step, rows[i]);
    }
  }
}

template <class Shape, Inputs kInputs>
__global__ void __launch_bounds__(Shape::kThreads, Shape::kPerProcessor) matmul_kernel(MatmulLaunch p) {
  extern __shared__ uint4 dynamic_shared[];
  if (p.epilogue == Epilogue::kHeads) {
    ask_for<Shape::kThreads>(p.heads.q_norm, p.heads.layout.head_dim);
    ask_for<Shape::kThreads>(p.heads.k_norm, p.heads.layout.head_dim);
  }
  const auto row_group = static_cast<int32_t>(blockIdx.x), tile = static_cast<int32_t>(blockIdx.y);
  const int32_t first_unit = static_cast<int32_t>(blockIdx.z) * p.plan.units_per_split;
  const ProductPart part = {row_group * kTileRows, tile * Shape::kTile, first_unit * kUnitIn, p.plan.units_per_split};
  float sums[kEights][Shape::kGroups][4] = {};
  multiply<Shape, kInputs>(p.in, part, dynamic_shared, sums);
  if (p.plan.n_splits > 1 && !add_splits<Shape>(p, p.in.rows - part.first_row, dynamic_shared, sums)) return;
  if (p.epilogue == Epilogue::kHeads) return finish_heads<Shape>(p, part, sums, reinterpret_cast<float*>(dynamic_shared));
  auto* squares = reinterpret_cast<float*>(dynamic_shared);
  finish<Shape>(p, part, sums, squares);
  if (p.epilogue == Epilogue::kAdd && p.out.squares != nullptr) finish_squares<Shape>(p, part, squares);
}

template <class Shape, Inputs kInputs>
void start(const MatmulLaunch& p, LaunchStream stream) {
  [[maybe_unused]] static const bool is_allowed =
      (allow_shared(matmul_kernel<Shape, kInputs>, Shape::kSharedBytes), true);
  const dim3 grid(ceil_div(p.in.rows, kTileRows), p.plan.n_tiles, p.plan.n_splits);  // blocks of one tile side by side
  launch(matmul_kernel<Shape, kInputs>, grid, dim3(Shape::kThreads), Shape::kSharedBytes, stream, p);
}

template <class Shape>
void start(MatmulLaunch p, LaunchStream stream) {
  p.plan.n_tiles = ceil_div(p.in.n_out, Shape::kTile);
  if (p.in.bf16 != nullptr)
    start<Shape, Inputs::kBf16>(p, stream);
  else if (p.in.norm_weight != nullptr)
    start<Shape, Inputs::kNormed>(p, stream);
  else
    start<Shape, Inputs::kFloat>(p, stream);
}

}  // namespace

void matmul_tensor(const MatmulArgs& args, LaunchStream stream) {
  MatmulLaunch p = {};
  p.in = {args.x.data, args.x.bf16, args.norm_weight, args.x.squares, args.eps, static_cast<const uint4*>(args.w.data),
          args.x.rows, args.w.n_out, args.w.n_in};
  p.out = args.out;
  p.epilogue = args.epilogue;
  if (args.epilogue == Epilogue::kHeads) p.heads = HeadsTask<__nv_bfloat16>(args.out, args.heads);
  p.plan = plan_splits(args.w.n_out, args.w.n_in);
  p.counters = static_cast<int32_t*>(args.workspace);
  p.partials = reinterpret_cast<float4*>(p.counters + kMaxCounters);
  with_product_shape(args.x.rows, args.w.n_out, p.plan.n_splits, [&]<class Shape>(Shape) { start<Shape>(p, stream); });
}

}  // namespace draftscope::cuda
