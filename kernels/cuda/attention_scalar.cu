// One warp walks the keys of one row and head in chunks of 32, in order: first each lane scores a key, then
// each lane sums its columns of the values.
#include <cuda_bf16.h>

#include <cmath>

#include "kernels/cuda/act.cuh"
#include "kernels/cuda/attention_scalar.h"
#include "kernels/cuda/extras.cuh"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/softmax_fold.h"

namespace draftscope::cuda {
namespace {

constexpr int kWarps = 4;
constexpr int kMaxHeadDim = 256;
constexpr uint32_t kAll = 0xffffffffu;

template <class Cached>
struct ScalarTask {
  const float* q;  // (rows, qkv_cols)
  int32_t qkv_cols;
  Act out;  // (rows, q_cols)
  const Cached *keys, *values;  // of the layer, (n_kv_heads, capacity, head_dim)
  int32_t capacity;
  HeadLayout heads;
  float scale;  // log2(e) / sqrt(head_dim)
  RowsView rows;
};

__device__ inline float widened(float x) { return x; }
__device__ inline float widened(__nv_bfloat16 x) { return __bfloat162float(x); }

__device__ inline void load_eight(const float* from, float (&to)[8]) {
  const float4 low = *reinterpret_cast<const float4*>(from),
               high = *reinterpret_cast<const float4*>(from + 4);
  to[0] = low.x, to[1] = low.y, to[2] = low.z, to[3] = low.w;
  to[4] = high.x, to[5] = high.y, to[6] = high.z, to[7] = high.w;
}
__device__ inline void load_eight(const __nv_bfloat16* from, float (&to)[8]) {
  const uint4 words = *reinterpret_cast<const uint4*>(from);
  const uint32_t word[4] = {words.x, words.y, words.z, words.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    to[2 * i] = __uint_as_float(word[i] << 16);
    to[2 * i + 1] = __uint_as_float(word[i] & 0xffff0000u);
  }
}

/// q . k over ascending columns.
template <class Cached>
__device__ float dot(const float* q, const Cached* k, int32_t head_dim) {
  float sum = 0.0f;
  for (int32_t column = 0; column < head_dim; column += 8) {
    float eight[8];
    load_eight(k + column, eight);
#pragma unroll
    for (int i = 0; i < 8; ++i) sum = fmaf(q[column + i], eight[i], sum);
  }
  return sum;
}

/// One chunk: lanes < n hold the scores of a key each and its cache row. Lane l gets columns l, l + 32, ...
template <class Cached>
__device__ Softmax<kMaxHeadDim / 32> weigh_chunk(float score, int32_t cache_row, int32_t n,
                                                 const Cached* values, int32_t head_dim) {
  const int32_t lane = static_cast<int32_t>(threadIdx.x) % kWarp;
  Softmax<kMaxHeadDim / 32> chunk;
  chunk.max = score;
  for (int step = kWarp / 2; step > 0; step /= 2)
    chunk.max = fmaxf(chunk.max, __shfl_xor_sync(kAll, chunk.max, step));
  const float weight = exp2_fast(score - chunk.max);
  chunk.sum = weight;
  for (int step = kWarp / 2; step > 0; step /= 2) chunk.sum += __shfl_xor_sync(kAll, chunk.sum, step);
  for (int32_t key = 0; key < n; ++key) {
    const float key_weight = __shfl_sync(kAll, weight, key);
    const Cached* value = values + static_cast<int64_t>(__shfl_sync(kAll, cache_row, key)) * head_dim;
#pragma unroll
    for (int i = 0; i < kMaxHeadDim / 32; ++i) {
      const int32_t column = lane + 32 * i;
      if (column < head_dim) chunk.value[i] = fmaf(key_weight, widened(value[column]), chunk.value[i]);
    }
  }
  return chunk;
}

template <class Cached>
__global__ void __launch_bounds__(kWarps* kWarp) attention_scalar_kernel(const ScalarTask<Cached> task) {
  __shared__ float queries[kWarps][kMaxHeadDim];
  __shared__ int32_t extras[kWarps][kMaxExtraKeys];
  follow();
  const int32_t lane = static_cast<int32_t>(threadIdx.x) % kWarp,
                warp = static_cast<int32_t>(threadIdx.x) / kWarp;
  const int32_t item = static_cast<int32_t>(blockIdx.x) * kWarps + warp, head_dim = task.heads.head_dim;
  const int32_t row = item / task.heads.n_q_heads, head = item % task.heads.n_q_heads;
  if (row >= task.rows.n_rows) return;

  float* q = queries[warp];
  for (int32_t i = lane; i < head_dim; i += kWarp)
    q[i] = task.q[static_cast<int64_t>(row) * task.qkv_cols + head * head_dim + i];
  const int32_t words = task.rows.bit_words;
  const int32_t n_extra = list_extras(task.rows.extra_bits + static_cast<int64_t>(row) * words, words,
                                      task.rows.cache_row, extras[warp]);
  __syncwarp();

  const int32_t n_contiguous = task.rows.n_contiguous[row], n_keys = n_contiguous + n_extra;
  const int32_t first_key = task.rows.first_key[row];
  const int64_t head_at =
      static_cast<int64_t>(head / (task.heads.n_q_heads / task.heads.n_kv_heads)) * task.capacity * head_dim;
  const Cached *keys = task.keys + head_at, *values = task.values + head_at;
  Softmax<kMaxHeadDim / 32> all;
  for (int32_t first = 0; first < n_keys; first += kWarp) {
    const int32_t at = first + lane;
    int32_t cache_row = 0;
    float score = kNoKeys;
    if (at < n_keys) {
      cache_row = at < n_contiguous ? first_key + at : extras[warp][at - n_contiguous];
      score = __fmul_rn(dot(q, keys + static_cast<int64_t>(cache_row) * head_dim, head_dim), task.scale);
    }
    fold(all, weigh_chunk(score, cache_row, min(n_keys - first, kWarp), values, head_dim));
  }
#pragma unroll
  for (int i = 0; i < kMaxHeadDim / 32; ++i) {
    const int32_t column = lane + 32 * i;
    if (column >= head_dim) break;
    put(task.out, row, head * head_dim + column, softmax_result(all.value[i], all.sum));
  }
}

template <class Cached>
void launch_scalar(Act qkv, HeadLayout heads, KvView kv, int32_t layer, const RowsView& rows, Act out,
                   LaunchStream stream) {
  const int64_t layer_at = static_cast<int64_t>(layer) * kv.n_kv_heads * kv.capacity * kv.head_dim;
  ScalarTask<Cached> task;
  task.q = qkv.data;
  task.qkv_cols = qkv.cols;
  task.out = out;
  task.keys = static_cast<const Cached*>(kv.keys) + layer_at;
  task.values = static_cast<const Cached*>(kv.values) + layer_at;
  task.capacity = kv.capacity;
  task.heads = heads;
  task.scale = static_cast<float>(kLog2E / std::sqrt(static_cast<double>(heads.head_dim)));
  task.rows = rows;
  const int32_t n_items = rows.n_rows * heads.n_q_heads;
  launch(attention_scalar_kernel<Cached>, dim3(ceil_div(n_items, kWarps)), dim3(kWarps * kWarp), 0, stream,
         task);
}

}  // namespace

void attention_scalar(Act qkv, HeadLayout heads, KvView kv, int32_t layer, const RowsView& rows, Act out,
                      LaunchStream stream) {
  if (kv.is_bf16)
    launch_scalar<__nv_bfloat16>(qkv, heads, kv, layer, rows, out, stream);
  else
    launch_scalar<float>(qkv, heads, kv, layer, rows, out, stream);
}

}  // namespace draftscope::cuda
