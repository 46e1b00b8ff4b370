// Philox 4x32-10, a counter-based random generator (Salmon et al., SC 2011): a draw is a function of its key and
// counter alone, so host and device agree on it without sharing any state.
#pragma once

#include <cstdint>

#include "kernels/shared/host_device.h"

namespace draftscope {

struct PhiloxBits {
  uint32_t x, y, z, w;
};

DS_HOST_DEVICE inline PhiloxBits philox(PhiloxBits counter, uint32_t key_low, uint32_t key_high) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53u} * counter.x, b = uint64_t{0xCD9E8D57u} * counter.z;
    counter = {static_cast<uint32_t>(b >> 32) ^ counter.y ^ key_low, static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter.w ^ key_high, static_cast<uint32_t>(a)};
    key_low += 0x9E3779B9u;
    key_high += 0xBB67AE85u;
  }
  return counter;
}

/// Uniform in [0, 1), a multiple of 2^-53, from key `seed` and counter `position`.
DS_HOST_DEVICE inline double philox_uniform(uint64_t seed, int64_t position) {
  const uint64_t where = static_cast<uint64_t>(position);
  const PhiloxBits bits = philox({static_cast<uint32_t>(where), static_cast<uint32_t>(where >> 32), 0, 0},
                                 static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32));
  const uint64_t wide = uint64_t{bits.x} << 21 ^ bits.y >> 11;  // 53 bits
  return static_cast<double>(wide) * 0x1p-53;
}

}  // namespace draftscope
