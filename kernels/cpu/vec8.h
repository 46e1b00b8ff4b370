// Eight floats at a time in portable vector arithmetic: the same operations, and so the same bits, whether
// the compiler lowers them to SSE2 or AVX2.
#pragma once

#include <cstdint>
#include <cstring>

namespace draftscope {

using F8 = float __attribute__((vector_size(32)));
using I8 = int32_t __attribute__((vector_size(32)));

static inline F8 load8(const float* p) {
  F8 v;
  std::memcpy(&v, p, sizeof(v));
  return v;
}
static inline void store8(float* p, const F8& v) { std::memcpy(p, &v, sizeof(v)); }

// Sums lanes as a balanced tree.
static inline float sum8(const F8& v) {
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

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
