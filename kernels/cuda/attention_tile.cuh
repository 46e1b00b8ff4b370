// One warp, 16 queries, some keys: scores, weights and weighted values on tensor cores, straight from global
// memory.
//
// Lane (g, t) is lane 4 g + t. Products are m16n8k16 with bf16 operands; the order of the columns that a sum
// runs over is free as long as both operands share it, and so is the order of output columns, and that is
// what makes every load here 16 neighbouring bytes that a lane needs whole.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda/attention_plan.h"
#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/softmax_fold.h"

namespace draftscope::cuda {

constexpr uint32_t kAllLanes = 0xffffffffu;

__device__ inline int lane_id() { return static_cast<int>(threadIdx.x) % 32; }
__device__ inline int warp_id() { return static_cast<int>(threadIdx.x) / 32; }

/// 64 cache rows that follow each other; k and v at the first of them, HD bf16 numbers a row.
template <int HD>
struct PrefixKeys {
  static constexpr int kCount = kKeyBlock;
  static constexpr bool kMayEnd = false;
  const uint4 *k, *v;

  __device__ int count() const { return kCount; }
  __device__ const uint4* key(int i) const { return k + i * (HD / 8); }
  __device__ const uint4* value(int i) const { return v + i * (HD / 8); }
};

/// Up to 32 cache rows anywhere, n > 0 of them listed; k and v at the head's row 0.
template <int HD>
struct ListedKeys {
  static constexpr int kCount = kTailChunk;
  static constexpr bool kMayEnd = true;
  const uint4 *k, *v;
  const int32_t* cache_row;
  int n;

  __device__ int count() const { return n; }
  // Behind the end: the last key again, whose weight will be 0; other cache rows may hold anything, even NaN.
  __device__ int row(int i) const { return cache_row[i < n ? i : n - 1]; }
  __device__ const uint4* key(int i) const { return k + static_cast<int64_t>(row(i)) * (HD / 8); }
  __device__ const uint4* value(int i) const { return v + static_cast<int64_t>(row(i)) * (HD / 8); }
};

/// Words of a tile's queries in shared memory: the A operand of every product, as each lane takes it.
template <int HD>
constexpr int kQueryWords = HD / 16 * 32;

/// Rounds the 16 queries of a tile to bf16. query(slot) points at HD floats, or is null for an empty slot.
/// Threads first, first + step, ... write the words that they own.
template <int HD, class Query>
__device__ void load_queries(const Query& query, uint4* words, int first, int step) {
  for (int i = first; i < kQueryWords<HD>; i += step) {
    const int product = i / 32, g = i % 32 / 4, t = i % 4;
    const int column = product / 2 * 32 + t * 8 + product % 2 * 4;
    float4 low = make_float4(0.0f, 0.0f, 0.0f, 0.0f), high = low;
    if (const float* q = query(g)) low = *reinterpret_cast<const float4*>(q + column);
    if (const float* q = query(g + 8)) high = *reinterpret_cast<const float4*>(q + column);
    words[i] = make_uint4(pack_bf16(low.x, low.y), pack_bf16(high.x, high.y), pack_bf16(low.z, low.w),
                          pack_bf16(high.z, high.w));
  }
}

/// What the softmax makes of a tile's scores with N keys: bf16 weights as the A operand of the product with
/// the values, and for slots g and g + 8 the largest score and the sum of the weights as rounded, so that
/// they add up to 1.
template <int N>
struct KeyWeights {
  uint32_t packed[N / 16][4];
  float max[2], sum[2];
};

// Scores as products leave them: [i][0, 1] of slot g with keys 8 i + 2 t, + 1; [i][2, 3] of slot g + 8.
template <int HD, class Keys>
__device__ __forceinline__ void score_keys(const uint4* queries, const Keys& keys,
                                           float (&score)[Keys::kCount / 8][4]) {
  const int lane = lane_id(), g = lane / 4, t = lane % 4;
#pragma unroll
  for (int column = 0; column < HD; column += 32) {
    const uint4 q0 = queries[column / 16 * 32 + lane], q1 = queries[column / 16 * 32 + 32 + lane];
    const uint32_t a0[4] = {q0.x, q0.y, q0.z, q0.w}, a1[4] = {q1.x, q1.y, q1.z, q1.w};
#pragma unroll
    for (int i = 0; i < Keys::kCount / 8; ++i) {
      const uint4 k = keys.key(8 * i + g)[column / 8 + t];
      const uint32_t b0[2] = {k.x, k.y}, b1[2] = {k.z, k.w};
      mma_bf16(score[i], a0, b0);
      mma_bf16(score[i], a1, b1);
    }
  }
}

/// scale: log2(e) / sqrt(HD), so that weights are powers of 2.
template <int HD, class Keys>
__device__ __forceinline__ void weigh_keys(const uint4* queries, const Keys& keys, float scale,
                                           KeyWeights<Keys::kCount>& w) {
  constexpr int N = Keys::kCount;
  float score[N / 8][4] = {};
  score_keys<HD>(queries, keys, score);
  const int t = lane_id() % 4;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    float max = kNoKeys;
#pragma unroll
    for (int i = 0; i < N / 8; ++i) {
#pragma unroll
      for (int j = 0; j < 2; ++j) {
        float& s = score[i][2 * half + j];
        if (Keys::kMayEnd && 8 * i + 2 * t + j >= keys.count()) s = kNoKeys;
        max = fmaxf(max, s);
      }
    }
    max = fmaxf(max, __shfl_xor_sync(kAllLanes, max, 1));
    max = fmaxf(max, __shfl_xor_sync(kAllLanes, max, 2));
    w.max[half] =
        __fmul_rn(max, scale);  // on its own, or the compiler contracts it with a difference here and there
  }
  const uint32_t ones[2] = {0x3f803f80u, 0x3f803f80u};
  float sum[4] = {};  // a product with a column of ones
#pragma unroll
  for (int i = 0; i < N / 16; ++i) {
#pragma unroll
    for (int part = 0; part < 4; ++part) {
      const float* s = score[2 * i + part / 2] + 2 * (part % 2);
      const float max = w.max[part % 2];
      w.packed[i][part] = pack_bf16(exp2_fast(fmaf(s[0], scale, -max)), exp2_fast(fmaf(s[1], scale, -max)));
    }
    mma_bf16(sum, w.packed[i], ones);
  }
  w.sum[0] = sum[0];
  w.sum[1] = sum[2];
}

__device__ __forceinline__ uint32_t low_halves(uint32_t a, uint32_t b) { return (a & 0xffffu) | (b << 16); }
__device__ __forceinline__ uint32_t high_halves(uint32_t a, uint32_t b) {
  return (a >> 16) | (b & 0xffff0000u);
}

/// Weighted values of columns [64 piece, 64 piece + 64). Lane (g, t) gets columns 64 piece + 16 t + [0, 16):
/// column j < 8 of slot g in sum[j][0], of slot g + 8 in sum[j][2]; column j + 8 in sum[j][1] and sum[j][3].
template <int HD, class Keys>
__device__ __forceinline__ void weigh_values(const KeyWeights<Keys::kCount>& w, const Keys& keys, int piece,
                                             float (&sum)[8][4]) {
  const int lane = lane_id(), g = lane / 4, t = lane % 4;
#pragma unroll
  for (int j = 0; j < 8; ++j) sum[j][0] = sum[j][1] = sum[j][2] = sum[j][3] = 0.0f;
#pragma unroll
  for (int i = 0; i < Keys::kCount / 16; ++i) {
    const int key = 16 * i + 2 * t, at = 8 * piece + g;
    const uint4 v0 = keys.value(key)[at], v1 = keys.value(key + 1)[at];
    const uint4 v8 = keys.value(key + 8)[at], v9 = keys.value(key + 9)[at];
    const uint32_t w0[4] = {v0.x, v0.y, v0.z, v0.w}, w1[4] = {v1.x, v1.y, v1.z, v1.w};
    const uint32_t w8[4] = {v8.x, v8.y, v8.z, v8.w}, w9[4] = {v9.x, v9.y, v9.z, v9.w};
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const uint32_t even[2] = {low_halves(w0[j], w1[j]), low_halves(w8[j], w9[j])};
      const uint32_t odd[2] = {high_halves(w0[j], w1[j]), high_halves(w8[j], w9[j])};
      mma_bf16(sum[2 * j], w.packed[i], even);
      mma_bf16(sum[2 * j + 1], w.packed[i], odd);
    }
  }
}

/// Column 64 piece + 16 t + 4 quarter + [0, 4) of slot g + 8 half, from what weigh_values left.
__device__ __forceinline__ float4 four_columns(const float (&sum)[8][4], int half, int quarter) {
  const int j = quarter % 2 * 4, at = 2 * half + quarter / 2;
  return make_float4(sum[j][at], sum[j + 1][at], sum[j + 2][at], sum[j + 3][at]);
}

}  // namespace draftscope::cuda
