// Eight or sixteen floats at a time in portable vector arithmetic: the same operations, and so the same bits,
// whether the compiler lowers them to SSE2, AVX2 or AVX-512.
#pragma once

#include <cstdint>
#include <cstring>

namespace draftscope {

using F8 = float __attribute__((vector_size(32)));
using I8 = int32_t __attribute__((vector_size(32)));

// The same in memory, where floats need no more than their own alignment.
typedef float F8InMemory __attribute__((vector_size(32), aligned(4), may_alias));  // `using` loses the alignment

static inline F8 load8(const float* p) { return *reinterpret_cast<const F8InMemory*>(p); }
static inline void store8(float* p, const F8& v) { *reinterpret_cast<F8InMemory*>(p) = v; }

// Sums lanes as a balanced tree.
static inline float sum8(const F8& v) {
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

// {sum8(v[0]), ..., sum8(v[7])}, all eight at once.
static inline F8 sum_eight(const F8* v) {
  F8 four[4], two[2];  // lanes folded to four per sum, then to two
  for (int i = 0; i < 4; ++i) {
    four[i] = __builtin_shufflevector(v[2 * i], v[2 * i + 1], 0, 1, 2, 3, 8, 9, 10, 11) +
              __builtin_shufflevector(v[2 * i], v[2 * i + 1], 4, 5, 6, 7, 12, 13, 14, 15);
  }
  for (int i = 0; i < 2; ++i) {
    two[i] = __builtin_shufflevector(four[2 * i], four[2 * i + 1], 0, 1, 4, 5, 8, 9, 12, 13) +
             __builtin_shufflevector(four[2 * i], four[2 * i + 1], 2, 3, 6, 7, 10, 11, 14, 15);
  }
  return __builtin_shufflevector(two[0], two[1], 0, 2, 4, 6, 8, 10, 12, 14) +
         __builtin_shufflevector(two[0], two[1], 1, 3, 5, 7, 9, 11, 13, 15);
}

static inline float max8(const F8& v) {
  float max = v[0];
  for (int i = 1; i < 8; ++i) max = v[i] > max ? v[i] : max;
  return max;
}

// Sixteen floats: one register where there are 512 bits, a pair of eights elsewhere.
#if defined(__AVX512F__)
using F16 = float __attribute__((vector_size(64)));

typedef float F16InMemory __attribute__((vector_size(64), aligned(4), may_alias));

static inline F16 load16(const float* p) { return *reinterpret_cast<const F16InMemory*>(p); }
static inline void store16(float* p, const F16& v) { *reinterpret_cast<F16InMemory*>(p) = v; }
// Lane i plus lane i + 8.
static inline F8 fold16(const F16& v) {
  return __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
         __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
}
#else
struct F16 {
  F8 low, high;
};
static inline F16 load16(const float* p) { return {load8(p), load8(p + 8)}; }
static inline void store16(float* p, const F16& v) {
  store8(p, v.low);
  store8(p + 8, v.high);
}
static inline F16 operator+(const F16& a, const F16& b) { return {a.low + b.low, a.high + b.high}; }
static inline F16 operator*(const F16& a, const F16& b) { return {a.low * b.low, a.high * b.high}; }
static inline F16 operator*(const F16& a, float b) { return {a.low * b, a.high * b}; }
static inline F8 fold16(const F16& v) { return v.low + v.high; }
#endif

/// e^x for x in [-87, 88], relative error below 3e-7; smaller x gives 0.
static inline F8 exp8(const F8& x) {
  const I8 is_zero = x < -87.0f;
  const F8 low = is_zero ? F8{} - 87.0f : x;
  // x = n ln 2 + r with |r| <= ln 2 / 2; adding 1.5 * 2^23 rounds to an integer in the low bits.
  const F8 shifted = low * 1.44269504088896f + 12582912.0f;
  const F8 n = shifted - 12582912.0f;
  const F8 r = (low - n * 0.693359375f) + n * 2.12194440e-4f;  // ln 2 in two parts
  // Taylor coefficients 1 / i!: the ninth-order remainder is below half an ulp on this range.
  F8 y = r * (1.0f / 5040.0f) + (1.0f / 720.0f);
  y = y * r + (1.0f / 120.0f);
  y = y * r + (1.0f / 24.0f);
  y = y * r + (1.0f / 6.0f);
  y = y * r + 0.5f;
  y = y * r + 1.0f;
  y = y * r + 1.0f;
  I8 bits;
  std::memcpy(&bits, &shifted, sizeof(bits));
  const I8 exponent = ((bits - 0x4b400000) + 127) << 23;
  F8 power;
  std::memcpy(&power, &exponent, sizeof(power));
  const F8 result = y * power;
  return is_zero ? F8{} : result;
}

}  // namespace draftscope
