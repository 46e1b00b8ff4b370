// float16 as <cuda_fp16.h> gives it to a kernel: conversions and pairs, no arithmetic.
#pragma once

#include <bit>

#include "vocabulary.h"

struct __half_raw {
  unsigned short x;
};

struct alignas(2) __half {
  __half() = default;
  __half(float value) : bits_(std::bit_cast<unsigned short>(static_cast<_Float16>(value))) {}
  constexpr __half(const __half_raw& raw) : bits_(raw.x) {}
  operator __half_raw() const { return {bits_}; }
  operator float() const { return static_cast<float>(std::bit_cast<_Float16>(bits_)); }

 private:
  unsigned short bits_;
};

struct alignas(4) __half2 {
  __half x, y;
  __half2() = default;
  __half2(const __half& low, const __half& high) : x(low), y(high) {}
};
using half = __half;
using half2 = __half2;

inline __half __float2half_rn(float x) { return __half(x); }
inline __half __float2half(float x) { return __half(x); }
inline float __half2float(__half x) { return static_cast<float>(x); }
inline unsigned short __half_as_ushort(__half x) { return static_cast<__half_raw>(x).x; }
inline __half __ushort_as_half(unsigned short x) { return __half_raw{x}; }

inline __half2 make_half2(__half x, __half y) { return {x, y}; }
inline __half2 __halves2half2(__half x, __half y) { return {x, y}; }
inline __half2 __floats2half2_rn(float x, float y) { return {__half(x), __half(y)}; }
inline float2 __half22float2(__half2 v) { return {static_cast<float>(v.x), static_cast<float>(v.y)}; }
