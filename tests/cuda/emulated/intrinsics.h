// Arithmetic, bits, caches and atomics of one thread. Atomics are plain: one thread runs at a time.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <type_traits>

#include "block.h"
#include "races.h"

// ---- bits ---------------------------------------------------------------------------------------------
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline long long __double_as_longlong(double x) { return std::bit_cast<long long>(x); }
inline double __longlong_as_double(long long x) { return std::bit_cast<double>(x); }
inline int __popc(unsigned x) { return std::popcount(x); }
inline int __popcll(unsigned long long x) { return std::popcount(x); }
inline int __clz(int x) { return std::countl_zero(static_cast<unsigned>(x)); }
inline int __clzll(long long x) { return std::countl_zero(static_cast<unsigned long long>(x)); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline unsigned __brev(unsigned x) {
  unsigned result = 0;
  for (int i = 0; i < 32; ++i) result |= (x >> i & 1) << (31 - i);
  return result;
}
inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>(uint64_t{a} * b >> 32); }

// ---- arithmetic ---------------------------------------------------------------------------------------
inline float __expf(float x) { return std::exp(x); }
inline float __logf(float x) { return std::log(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __fsqrt_rn(float x) { return std::sqrt(x); }
inline float __frcp_rn(float x) { return 1 / x; }
inline float __frsqrt_rn(float x) { return 1 / std::sqrt(x); }
inline float rsqrtf(float x) { return 1 / std::sqrt(x); }
inline float __saturatef(float x) { return x > 0 ? std::min(x, 1.0f) : 0.0f; }
inline int __float2int_rn(float x) { return static_cast<int>(std::nearbyint(x)); }
inline float __int2float_rn(int x) { return static_cast<float>(x); }

template <class T>
requires std::is_integral_v<T>
constexpr T min(T a, T b) { return b < a ? b : a; }
template <class T>
requires std::is_integral_v<T>
constexpr T max(T a, T b) { return a < b ? b : a; }
inline float min(float a, float b) { return std::fmin(a, b); }  // a NaN loses, as on the device
inline float max(float a, float b) { return std::fmax(a, b); }

// ---- memory -------------------------------------------------------------------------------------------
template <class T>
T __ldg(const T* p) {
  return *p;
}
template <class T>
T __ldcg(const T* p) {
  return *p;
}
template <class T>
T __ldcs(const T* p) {
  return *p;
}
template <class T>
void __stcg(T* p, T value) {
  *p = value;
}
template <class T>
void __stcs(T* p, T value) {
  *p = value;
}
inline void __threadfence() { emulated::races::fence(); }
inline void __threadfence_block() {}
inline void __threadfence_system() { emulated::races::fence(); }
inline void cudaGridDependencySynchronize() { emulated::wait_for_launch_ahead(); }
inline void cudaTriggerProgrammaticLaunchCompletion() {}
[[noreturn]] inline void __trap() { std::abort(); }

// ---- atomics: the old value ---------------------------------------------------------------------------
namespace emulated {
/// Puts step(old) where old was. Not one of the accesses that races are looked for in: an atomic operation is its own kind.
template <class T, class Step>
__attribute__((noinline, no_sanitize_thread)) T atomically(T* p, const Step& step) {
  races::atomic(p, sizeof(T));
  const T old = *p;
  *p = step(old);
  return old;
}
}  // namespace emulated

// The value's type follows the pointer, as in CUDA's overloads.
template <class T>
T atomicAdd(T* p, std::type_identity_t<T> value) {
  return emulated::atomically(p, [value](T old) { return static_cast<T>(old + value); });
}
template <class T>
T atomicSub(T* p, std::type_identity_t<T> value) {
  return emulated::atomically(p, [value](T old) { return static_cast<T>(old - value); });
}
template <class T>
T atomicMax(T* p, std::type_identity_t<T> value) {
  return emulated::atomically(p, [value](T old) { return std::max(old, value); });
}
template <class T>
T atomicMin(T* p, std::type_identity_t<T> value) {
  return emulated::atomically(p, [value](T old) { return std::min(old, value); });
}
template <class T>
T atomicAnd(T* p, std::type_identity_t<T> value) {
  return emulated::atomically(p, [value](T old) { return old & value; });
}
template <class T>
T atomicOr(T* p, std::type_identity_t<T> value) {
  return emulated::atomically(p, [value](T old) { return old | value; });
}
template <class T>
T atomicExch(T* p, std::type_identity_t<T> value) {
  return emulated::atomically(p, [value](T) { return value; });
}
template <class T>
T atomicCAS(T* p, std::type_identity_t<T> expected, std::type_identity_t<T> value) {
  return emulated::atomically(p, [=](T old) { return old == expected ? value : old; });
}
/// Counts up to `last`, then starts again at 0.
inline unsigned atomicInc(unsigned* p, unsigned last) {
  return emulated::atomically(p, [last](unsigned old) { return old >= last ? 0 : old + 1; });
}
