// Log-sum-exp and selection on one row's logits; compiled once per instruction set with the same bits (see
// vec8.h).
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <limits>

#include "kernels/cpu/logit_ops.h"
#include "kernels/cpu/vec8.h"

namespace draftscope {
namespace {

PartialSum scan(float* logits, int64_t n) {
  const F16 lowest = all16(std::numeric_limits<float>::lowest());
  const F16 highest = all16(std::numeric_limits<float>::max());
  std::fill(logits + n, logits + (n + 15) / 16 * 16, std::numeric_limits<float>::lowest());
  F16 max = lowest;
  for (int64_t i = 0; i < n; i += 16) {
    const F16 finite = smaller(larger(load16(logits + i), lowest), highest) + all16(0.0f);
    store16(logits + i, finite);
    max = larger(finite, max);
  }
  const float top = max8(larger(low8(max), high8(max)));
  F16 sum = all16(0.0f);
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) sum = sum + exp16(load16(logits + i) - top);
  if (i < n) {  // padding adds nothing; a row of NaN alone counts each of them
    float last[16];
    store16(last, exp16(load16(logits + i) - top));
    std::fill(last + (n - i), last + 16, 0.0f);
    sum = sum + load16(last);
  }
  return {top, sum8(fold16(sum))};
}

#if defined(__AVX512F__)
using I64 = int64_t __attribute__((vector_size(64)));

int64_t filter(const float* logits, int64_t n, int32_t first_token, LogitKey floor, LogitKey* out) {
  const __m512i floors = _mm512_set1_epi64(floor);
  // The low halves, ~token, as unsigned numbers; they fall by 8 from one step to the next.
  I64 low = static_cast<int64_t>(static_cast<uint32_t>(~first_token)) - I64{0, 1, 2, 3, 4, 5, 6, 7};
  int64_t n_out = 0;
  for (int64_t i = 0; i < n; i += 8, low -= 8) {
    I8 bits;
    std::memcpy(&bits, logits + i, sizeof(bits));
    bits ^= (bits >> 31) & 0x7fffffff;  // ordered_bits
    const auto keys = reinterpret_cast<__m512i>((__builtin_convertvector(bits, I64) << 32) | low);
    const auto in_range = static_cast<__mmask8>(n - i < 8 ? (1 << (n - i)) - 1 : 0xff);
    const __mmask8 above = _mm512_mask_cmpgt_epi64_mask(in_range, keys, floors);
    // Whole registers are stored: compressing straight to memory is slow on some processors.
    _mm512_storeu_si512(out + n_out, _mm512_maskz_compress_epi64(above, keys));
    n_out += __builtin_popcount(above);
  }
  return n_out;
}
#else
// Whether any of eight logits is at least `bound`.
bool any_at_least(const float* logits, float bound) {
  const I8 at_least = load8(logits) >= bound;
#if defined(__AVX2__)
  return _mm256_movemask_ps(reinterpret_cast<__m256>(at_least)) != 0;
#else
  bool any = false;
  for (int i = 0; i < 8; ++i) any |= at_least[i] != 0;
  return any;
#endif
}

int64_t filter(const float* logits, int64_t n, int32_t first_token, LogitKey floor, LogitKey* out) {
  // The lowest key of all is no float; nothing is below the lowest one.
  const float bound =
      floor == std::numeric_limits<LogitKey>::min() ? std::numeric_limits<float>::lowest() : logit_of(floor);
  int64_t n_out = 0;
  for (int64_t i = 0; i < n; i += 8) {
    if (!any_at_least(logits + i, bound)) continue;
    for (int64_t j = i; j < std::min(i + 8, n); ++j) {
      const LogitKey key = key_of(logits[j], first_token + static_cast<int32_t>(j));
      out[n_out] = key;  // overwritten by the next one unless it counts: no branch to mispredict
      n_out += key > floor;
    }
  }
  return n_out;
}
#endif

int64_t count_at_least(const LogitKey* keys, int64_t n, LogitKey bound) {
  int64_t count = 0;
  for (int64_t i = 0; i < n; ++i) count += keys[i] >= bound;
  return count;
}

int64_t keep_best(LogitKey* keys, int64_t n, int64_t k, int64_t slack, LogitKey& floor) {
  // Bisection on the bound: counting is vector code, unlike the swaps of a quickselect. At least k keys are
  // >= low, fewer than k are >= high.
  LogitKey low = keys[0], high = keys[0];
  for (int64_t i = 1; i < n; ++i) {
    low = std::min(low, keys[i]);
    high = std::max(high, keys[i]);
  }
  high += 1;
  for (int64_t count = n; count > k + slack;) {
    const LogitKey middle =
        low + static_cast<int64_t>((static_cast<uint64_t>(high) - static_cast<uint64_t>(low)) / 2);
    const int64_t above = count_at_least(keys, n, middle);
    if (above >= k) {
      low = middle;
      count = above;
    } else {
      high = middle;
    }
  }
  int64_t n_kept = 0;
  for (int64_t i = 0; i < n; ++i) {
    const LogitKey key = keys[i];
    keys[n_kept] = key;
    n_kept += key >= low;
  }
  floor = low - 1;
  return n_kept;
}

constexpr LogitOps kLogitOps{scan, filter, keep_best};

}  // namespace
}  // namespace draftscope
