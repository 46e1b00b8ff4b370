// Softmax over a part of a row's keys, and how two parts become one.
//
// A part holds weights 2^(score - max) relative to its own largest score, so parts can be computed anywhere
// and in any order; only folding has an order. Folding in a part without keys changes nothing but perhaps the
// sign of a zero, and so does folding a part into nothing; results lose the sign of zeros in the end, so
// their bits do not show such steps.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/shared/host_device.h"

namespace draftscope::cuda {

constexpr float kNoKeys = -INFINITY;           // the largest score of no keys
constexpr double kLog2E = 1.4426950408889634;  // scores are scaled by it, so that weights are powers of 2

/// 2^x; exactly 1 at 0 and 0 at minus infinity. On the device the hardware's, 2 ulp.
DS_HOST_DEVICE inline float exp2_fast(float x) {
#ifdef __CUDA_ARCH__
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  return std::exp2(x);
#endif
}

struct FoldWeights {
  float kept, added;  // of what was there and of what comes; the one with the larger score weighs exactly 1
  float max;          // of both
};

DS_HOST_DEVICE inline FoldWeights fold_weights(float kept_max, float added_max) {
  const float max = fmaxf(kept_max, added_max);
  return {kept_max == max ? 1.0f : exp2_fast(kept_max - max),
          added_max == max ? 1.0f : exp2_fast(added_max - max), max};
}

/// Weighted sum, rounded in the same order everywhere.
DS_HOST_DEVICE inline float fold(float kept, float added, const FoldWeights& w) {
  return fmaf(added, w.added, kept * w.kept);
}

/// N columns of a part.
template <int N>
struct Softmax {
  float max = kNoKeys;
  float sum = 0.0f;     // of the weights
  float value[N] = {};  // sums of weight * value
};

template <int N>
DS_HOST_DEVICE inline void fold(Softmax<N>& into, const Softmax<N>& added) {
  const FoldWeights w = fold_weights(into.max, added.max);
  into.max = w.max;
  into.sum = fold(into.sum, added.sum, w);
  for (int i = 0; i < N; ++i) into.value[i] = fold(into.value[i], added.value[i], w);
}

/// Weighted value over the sum of weights; + 0 turns -0 into 0.
DS_HOST_DEVICE inline float softmax_result(float value, float sum) { return value / sum + 0.0f; }

}  // namespace draftscope::cuda
