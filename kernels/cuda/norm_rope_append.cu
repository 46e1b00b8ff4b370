// Norm and rotation of queries and keys, and their way into the cache; one warp per row and head.
#include <cuda_bf16.h>

#include "kernels/cuda/attention_plan.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/ops.h"

namespace draftscope::cuda {
namespace {

constexpr int kWarps = 4;
constexpr int kMaxPairs = 4;  // of columns i and i + head_dim / 2, per lane

template <class Cached>
struct AppendTask {
  float* qkv;  // (rows, qkv_cols)
  int32_t qkv_cols;
  HeadLayout heads;
  const float *q_norm, *k_norm;  // (head_dim,)
  float eps;
  RopeView rope;
  RowsView rows;
  Cached *keys, *values;  // of the layer, (n_kv_heads, capacity, head_dim)
  int32_t capacity;
};

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
#pragma unroll
  for (int step = kWarp / 2; step > 0; step /= 2) squares += __shfl_xor_sync(0xffffffffu, squares, step);
  const float inverse = 1.0f / sqrtf(squares / static_cast<float>(2 * half) + eps);
#pragma unroll
  for (int j = 0; j < kMaxPairs; ++j) {
    const float low = columns.low[j] * inverse * norm.low[j], high = columns.high[j] * inverse * norm.high[j];
    columns.low[j] = fmaf(low, angles.cos[j], -(high * angles.sin[j]));
    columns.high[j] = fmaf(high, angles.cos[j], low * angles.sin[j]);
  }
}

/// What comes from far away is asked for together, a norm's weights before the launches ahead have ended.
template <class Cached>
__global__ void __launch_bounds__(kWarps* kWarp) norm_rope_append_kernel(const AppendTask<Cached> task) {
  const int32_t n_heads = task.heads.n_q_heads + 2 * task.heads.n_kv_heads;
  const int32_t item = static_cast<int32_t>(blockIdx.x) * kWarps + static_cast<int32_t>(threadIdx.x) / kWarp;
  const int32_t row = item / n_heads, head = item % n_heads;
  const int32_t dim = task.heads.head_dim, half = dim / 2, kv_head = head - task.heads.n_q_heads;
  const bool is_query = kv_head < 0, is_value = kv_head >= task.heads.n_kv_heads;
  const HeadColumns norm = load_head(is_query ? task.q_norm : task.k_norm, half);
  follow();
  if (row >= task.rows.n_rows) return;
  const int32_t cache_row = task.rows.cache_row[row];
  float* at = task.qkv + static_cast<int64_t>(row) * task.qkv_cols + head * dim;
  HeadColumns columns = load_head(at, half);
  if (!is_value) {
    const Angles angles = load_angles(task.rope, task.rows.position[row], half);
    norm_and_rotate(columns, half, norm, task.eps, angles);
  }
  if (is_query) return store_head(columns, half, at);
  if (cache_row == kNoCacheRow) return;
  const int64_t cached_head = is_value ? kv_head - task.heads.n_kv_heads : kv_head;
  Cached* cache = is_value ? task.values : task.keys;
  store_head(columns, half, cache + (cached_head * task.capacity + cache_row) * dim);
}

template <class Cached>
void launch_append(AppendTask<Cached> task, const KvView& kv, int32_t layer, LaunchStream stream) {
  const int64_t layer_at = static_cast<int64_t>(layer) * kv.n_kv_heads * kv.capacity * kv.head_dim;
  task.keys = static_cast<Cached*>(kv.keys) + layer_at;
  task.values = static_cast<Cached*>(kv.values) + layer_at;
  task.capacity = kv.capacity;
  const int32_t n_items = task.rows.n_rows * (task.heads.n_q_heads + 2 * task.heads.n_kv_heads);
  launch(norm_rope_append_kernel<Cached>, dim3(ceil_div(n_items, kWarps)), dim3(kWarps * kWarp), 0, stream,
         task);
}

template <class Cached>
AppendTask<Cached> make_task(Act qkv, HeadLayout heads, const float* q_norm, const float* k_norm, float eps,
                             RopeView rope, const RowsView& rows) {
  return {qkv.data, qkv.cols, heads, q_norm, k_norm, eps, rope, rows, nullptr, nullptr, 0};
}

}  // namespace

void norm_rope_append(Act qkv, HeadLayout heads, const float* q_norm, const float* k_norm, float eps,
                      RopeView rope, const RowsView& rows, KvView kv, int32_t layer, LaunchStream stream) {
  if (kv.is_bf16)
    launch_append(make_task<__nv_bfloat16>(qkv, heads, q_norm, k_norm, eps, rope, rows), kv, layer, stream);
  else
    launch_append(make_task<float>(qkv, heads, q_norm, k_norm, eps, rope, rows), kv, layer, stream);
}

}  // namespace draftscope::cuda
