// What the head does with one row's logits: log-sum-exp and the choice of the best.
#pragma once

#include <bit>
#include <cstdint>

namespace draftscope {

/// A logit and its token as one number: larger is better, and of equal logits the smaller token. Distinct for
/// distinct tokens, so the best k do not depend on who found them first.
using LogitKey = int64_t;

// Ordered as integers like the floats; its own inverse. NaN excluded, zero positive.
inline int32_t ordered_bits(int32_t bits) { return bits ^ ((bits >> 31) & 0x7fffffff); }

inline LogitKey key_of(float logit, int32_t token) {
  const int64_t high = ordered_bits(std::bit_cast<int32_t>(logit));
  return static_cast<int64_t>(static_cast<uint64_t>(high) << 32 | static_cast<uint32_t>(~token));
}
inline float logit_of(LogitKey key) {
  return std::bit_cast<float>(ordered_bits(static_cast<int32_t>(key >> 32)));
}
inline int32_t token_of(LogitKey key) { return static_cast<int32_t>(~static_cast<uint32_t>(key)); }

/// Maximum of some logits and the sum of e^(logit - maximum).
struct PartialSum {
  float max;
  float sum;
};

struct LogitOps {
  /// Makes logits (n,) finite in place, NaN the lowest and -0 a 0, and sums them in ascending order of lanes;
  /// fills up to the next multiple of 16 with the lowest number.
  PartialSum (*scan)(float* logits, int64_t n);
  /// Writes the keys of logits (n,), of tokens first_token and up, that are above `floor`; returns how many.
  /// `logits` is readable up to the next multiple of 16; `out` has room for n + 8 keys.
  int64_t (*filter)(const float* logits, int64_t n, int32_t first_token, LogitKey floor, LogitKey* out);
  /// Moves the best of n > k distinct keys to the front: at least k, at most k + slack. Returns how many, and
  /// raises `floor` below the worst of them.
  int64_t (*keep_best)(LogitKey* keys, int64_t n, int64_t k, int64_t slack, LogitKey& floor);
};

const LogitOps& logit_ops_plain();
const LogitOps& logit_ops_avx2();
const LogitOps& logit_ops_avx512();

}  // namespace draftscope
