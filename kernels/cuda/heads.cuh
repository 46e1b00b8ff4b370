// Heads of queries, keys and values: norm and rotation, and their way into the cache.
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/norm.cuh"
#include "kernels/cuda/ops.h"

namespace draftscope::cuda {

constexpr int kMaxPairs = 4;  // of columns i and i + head_dim / 2, per lane: head_dim is at most 256

__device__ inline void store(float x, float* to) { *to = x; }
__device__ inline void store(float x, __nv_bfloat16* to) { *to = __float2bfloat16_rn(x); }

/// Lane l holds columns i = l + 32 j of the first half in low[j], columns i + half in high[j].
struct HeadColumns {
  float low[kMaxPairs], high[kMaxPairs];
};

__device__ inline HeadColumns load_head(const float* head, int32_t half) {
  const int32_t lane = static_cast<int32_t>(threadIdx.x) % kWarp;
  HeadColumns columns = {};
#pragma unroll
  for (int j = 0; j < kMaxPairs; ++j) {
    const int32_t i = lane + kWarp * j;
    if (i >= half) continue;
    columns.low[j] = head[i];
    columns.high[j] = head[i + half];
  }
  return columns;
}

template <class T>
__device__ void store_head(const HeadColumns& columns, int32_t half, T* head) {
  const int32_t lane = static_cast<int32_t>(threadIdx.x) % kWarp;
#pragma unroll
  for (int j = 0; j < kMaxPairs; ++j) {
    const int32_t i = lane + kWarp * j;
    if (i >= half) continue;
    store(columns.low[j], head + i);
    store(columns.high[j], head + i + half);
  }
}

/// A lane's angles, of its columns i of the first half.
struct Angles {
  float cos[kMaxPairs], sin[kMaxPairs];
};

__device__ inline Angles load_angles(const RopeView& rope, int32_t position, int32_t half) {
  const int32_t lane = static_cast<int32_t>(threadIdx.x) % kWarp;
  const int64_t first = static_cast<int64_t>(position) * half;
  Angles angles = {};
#pragma unroll
  for (int j = 0; j < kMaxPairs; ++j) {
    const int32_t i = lane + kWarp * j;
    if (i >= half) continue;
    angles.cos[j] = rope.cos[first + i];
    angles.sin[j] = rope.sin[first + i];
  }
  return angles;
}

/// x / sqrt(mean(x^2) + eps) * norm, then (low, high) turned by the angles. What a lane does not hold is 0 and stays 0.
__device__ inline void norm_and_rotate(HeadColumns& columns, int32_t half, const HeadColumns& norm, float eps,
                                       const Angles& angles) {
  float squares = 0.0f;
#pragma unroll
  for (int j = 0; j < kMaxPairs; ++j)
    squares = fmaf(columns.high[j], columns.high[j], fmaf(columns.low[j], columns.low[j], squares));
  const float inverse = 1.0f / sqrtf(warp_sum(squares) / static_cast<float>(2 * half) + eps);
#pragma unroll
  for (int j = 0; j < kMaxPairs; ++j) {
    const float low = columns.low[j] * inverse * norm.low[j], high = columns.high[j] * inverse * norm.high[j];
    columns.low[j] = fmaf(low, angles.cos[j], -(high * angles.sin[j]));
    columns.high[j] = fmaf(high, angles.cos[j], low * angles.sin[j]);
  }
}

/// Heads of a pass and where they go, in one layer of a cache of `Cached` numbers.
template <class Cached>
struct HeadsTask {
  float* q;         // (rows, qkv_cols): queries in place
  int32_t qkv_cols;
  HeadLayout layout;
  const float *q_norm, *k_norm;  // (head_dim,)
  float eps;
  RopeView rope;
  RowsView rows;
  Cached *keys, *values;  // (n_kv_heads, capacity, head_dim)
  int32_t capacity;

  HeadsTask() = default;
  HeadsTask(Act qkv, const HeadsArgs& args)
      : q(qkv.data),
        qkv_cols(qkv.cols),
        layout(args.layout),
        q_norm(args.q_norm),
        k_norm(args.k_norm),
        eps(args.eps),
        rope(args.rope),
        rows(args.rows),
        keys(static_cast<Cached*>(args.kv.keys) + args.kv.layer_at(args.layer)),
        values(static_cast<Cached*>(args.kv.values) + args.kv.layer_at(args.layer)),
        capacity(args.kv.capacity) {}
  __device__ int32_t n_heads() const { return layout.n_q_heads + 2 * layout.n_kv_heads; }
};

/// One head of all rows: the norm's weights of its columns are read when it is made.
template <class Cached>
struct Head {
  const HeadsTask<Cached>& task;
  int32_t head, half;
  bool is_query, is_value;
  HeadColumns norm;

  __device__ Head(const HeadsTask<Cached>& all, int32_t number)
      : task(all),
        head(number),
        half(all.layout.head_dim / 2),
        is_query(number < all.layout.n_q_heads),
        is_value(number >= all.layout.n_q_heads + all.layout.n_kv_heads),
        norm(load_head(is_query ? all.q_norm : all.k_norm, half)) {}

  /// What a row brings: its columns, before the norm, and its place.
  struct Row {
    HeadColumns columns;
    Angles angles;
    int32_t cache_row;
  };
  __device__ __forceinline__ Row load(int32_t row, const float* columns) const {
    return {load_head(columns, half), is_value ? Angles{} : load_angles(task.rope, task.rows.position[row], half),
            task.rows.cache_row[row]};
  }
  /// Queries go where they came from, keys and values to the cache, or nowhere.
  __device__ __forceinline__ void finish(int32_t row, Row& loaded) const {
    if (!is_value) norm_and_rotate(loaded.columns, half, norm, task.eps, loaded.angles);
    if (is_query) return store_head(loaded.columns, half, task.q + static_cast<int64_t>(row) * task.qkv_cols + head * 2 * half);
    if (loaded.cache_row == kNoCacheRow) return;
    const int32_t kv_head = head - task.layout.n_q_heads - (is_value ? task.layout.n_kv_heads : 0);
    Cached* cache = is_value ? task.values : task.keys;
    store_head(loaded.columns, half, cache + (static_cast<int64_t>(kv_head) * task.capacity + loaded.cache_row) * 2 * half);
  }
};

}  // namespace draftscope::cuda
