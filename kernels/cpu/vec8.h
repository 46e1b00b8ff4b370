// Eight or sixteen floats at a time in portable vector arithmetic: the same operations, and so the same bits,
// whether the compiler lowers them to SSE2, AVX2 or AVX-512. Only add_product rounds as its processor does.
#pragma once

#if defined(__FMA__)
#include <immintrin.h>
#endif

#include <cstdint>
#include <cstring>

namespace draftscope {

using F8 = float __attribute__((vector_size(32)));
using I8 = int32_t __attribute__((vector_size(32)));

// The same in memory, where floats need no more than their own alignment.
typedef float F8InMemory
    __attribute__((vector_size(32), aligned(4), may_alias));  // `using` loses the alignment

static inline F8 load8(const float* p) { return *reinterpret_cast<const F8InMemory*>(p); }
static inline void store8(float* p, const F8& v) { *reinterpret_cast<F8InMemory*>(p) = v; }

// bf16 widened exactly.
using U8 = uint32_t __attribute__((vector_size(32)));
typedef uint16_t H8InMemory __attribute__((vector_size(16), aligned(2), may_alias));

static inline F8 load8(const uint16_t* p) {
  const U8 bits = __builtin_convertvector(*reinterpret_cast<const H8InMemory*>(p), U8) << 16;
  F8 v;
  std::memcpy(&v, &bits, sizeof(v));
  return v;
}

// The same value, of which g++ 12 no longer knows that memory has it: otherwise it loads again at every use.
static inline F8 held([[maybe_unused]] F8 v) {
#if defined(__AVX__)
  asm("" : "+x"(v));
#endif
  return v;
}

static inline F8 all8(float value) { return F8{value, value, value, value, value, value, value, value}; }

// sum + a * b, rounded once where the processor multiplies and adds in one instruction, else twice.
static inline F8 add_product(const F8& sum, const F8& a, const F8& b) {
#if defined(__FMA__)
  return _mm256_fmadd_ps(a, b, sum);
#else
  return sum + a * b;
#endif
}

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

// The larger, or smaller, of each pair of lanes; NaN in `a` gives `b`.
static inline F8 larger(const F8& a, const F8& b) { return a > b ? a : b; }
static inline F8 smaller(const F8& a, const F8& b) { return a < b ? a : b; }

static inline float max8(const F8& v) {
  const F8 four = larger(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3));
  const F8 two = larger(four, __builtin_shufflevector(four, four, 2, 3, 0, 1, 6, 7, 4, 5));
  return two[0] > two[1] ? two[0] : two[1];
}

// e^x lane by lane, see exp8; V of floats, I of as many 32-bit integers.
template <class V, class I>
static inline V exp_lanes(const V& x) {
  const I is_zero = x < -87.0f;
  const V low = is_zero ? V{} - 87.0f : x;
  // x = n ln 2 + r with |r| <= ln 2 / 2; adding 1.5 * 2^23 rounds to an integer in the low bits.
  const V shifted = low * 1.44269504088896f + 12582912.0f;
  const V n = shifted - 12582912.0f;
  const V r = (low - n * 0.693359375f) + n * 2.12194440e-4f;  // ln 2 in two parts
  // Taylor coefficients 1 / i!: the ninth-order remainder is below half an ulp on this range.
  V y = r * (1.0f / 5040.0f) + (1.0f / 720.0f);
  y = y * r + (1.0f / 120.0f);
  y = y * r + (1.0f / 24.0f);
  y = y * r + (1.0f / 6.0f);
  y = y * r + 0.5f;
  y = y * r + 1.0f;
  y = y * r + 1.0f;
  I bits;
  std::memcpy(&bits, &shifted, sizeof(bits));
  const I exponent = ((bits - 0x4b400000) + 127) << 23;
  V power;
  std::memcpy(&power, &exponent, sizeof(power));
  const V result = y * power;
  return is_zero ? V{} : result;
}

/// e^x for x in [-87, 88], relative error below 3e-7; smaller x gives 0.
static inline F8 exp8(const F8& x) { return exp_lanes<F8, I8>(x); }

// Sixteen floats: one register where there are 512 bits, a pair of eights elsewhere.
#if defined(__AVX512F__)
using F16 = float __attribute__((vector_size(64)));
using I16 = int32_t __attribute__((vector_size(64)));

typedef float F16InMemory __attribute__((vector_size(64), aligned(4), may_alias));

static inline F16 load16(const float* p) { return *reinterpret_cast<const F16InMemory*>(p); }
static inline F16 load16(const uint16_t* p) {
  using U16 = uint32_t __attribute__((vector_size(64)));
  typedef uint16_t H16InMemory __attribute__((vector_size(32), aligned(2), may_alias));
  const U16 bits = __builtin_convertvector(*reinterpret_cast<const H16InMemory*>(p), U16) << 16;
  F16 v;
  std::memcpy(&v, &bits, sizeof(v));
  return v;
}
static inline void store16(float* p, const F16& v) { *reinterpret_cast<F16InMemory*>(p) = v; }
static inline F16 held(F16 v) {
  asm("" : "+v"(v));
  return v;
}
static inline F16 add_product(const F16& sum, const F16& a, const F16& b) { return _mm512_fmadd_ps(a, b, sum); }
static inline F16 all16(float value) { return _mm512_set1_ps(value); }
static inline F8 low8(const F16& v) { return __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7); }
static inline F8 high8(const F16& v) { return __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15); }
static inline F16 larger(const F16& a, const F16& b) { return a > b ? a : b; }
static inline F16 smaller(const F16& a, const F16& b) { return a < b ? a : b; }
static inline F16 exp16(const F16& x) { return exp_lanes<F16, I16>(x); }
#else
struct F16 {
  F8 low, high;
};
template <class T>
static inline F16 load16(const T* p) {
  return {load8(p), load8(p + 8)};
}
static inline void store16(float* p, const F16& v) {
  store8(p, v.low);
  store8(p + 8, v.high);
}
static inline F16 operator+(const F16& a, const F16& b) { return {a.low + b.low, a.high + b.high}; }
static inline F16 operator-(const F16& a, float b) { return {a.low - b, a.high - b}; }
static inline F16 operator*(const F16& a, float b) { return {a.low * b, a.high * b}; }
static inline F16 held(const F16& v) { return {held(v.low), held(v.high)}; }
static inline F16 add_product(const F16& sum, const F16& a, const F16& b) {
  return {add_product(sum.low, a.low, b.low), add_product(sum.high, a.high, b.high)};
}
static inline F16 all16(float value) { return {all8(value), all8(value)}; }
static inline F8 low8(const F16& v) { return v.low; }
static inline F8 high8(const F16& v) { return v.high; }
static inline F16 larger(const F16& a, const F16& b) {
  return {larger(a.low, b.low), larger(a.high, b.high)};
}
static inline F16 smaller(const F16& a, const F16& b) {
  return {smaller(a.low, b.low), smaller(a.high, b.high)};
}
static inline F16 exp16(const F16& x) { return {exp8(x.low), exp8(x.high)}; }
#endif

// Lane i plus lane i + 8.
static inline F8 fold16(const F16& v) { return low8(v) + high8(v); }

}  // namespace draftscope
