// Barriers and warp operations. Every lane of a mask takes part, converged or not.
#pragma once

#include <bit>
#include <cstring>
#include <type_traits>

#include "block.h"
#include "place.h"
#include "races.h"

inline void __syncthreads() { ::emulated::block_barrier(); }

namespace emulated {

constexpr int kLanes = 32;
inline int lane_here() {
  return static_cast<int>((threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % kLanes);
}

/// A shuffle asks for the value of lane `source`.
template <class T>
struct Shuffle {
  T value;
  int source;
};
[[noreturn]] void fail_source(const char* name, int source, uint32_t mask);

template <class T>
void shuffle_together(void* const* operands, uint32_t mask) {
  T values[kLanes];
  for (uint32_t left = mask; left != 0; left &= left - 1) {
    const int lane = std::countr_zero(left);
    values[lane] = static_cast<Shuffle<T>*>(operands[lane])->value;
  }
  for (uint32_t left = mask; left != 0; left &= left - 1) {
    auto& ask = *static_cast<Shuffle<T>*>(operands[std::countr_zero(left)]);
    if ((mask >> ask.source & 1) == 0) fail_source("a shuffle", ask.source, mask);
    ask.value = values[ask.source];
  }
}
template <class T>
T shuffle(uint32_t mask, const char* name, T value, int source) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);
  Shuffle<T> ask = {value, source};
  warp_together(mask, name, &ask, &shuffle_together<T>);
  return ask.value;
}

/// One 32-bit word in, the same result for all.
template <class Fold>
uint32_t fold(uint32_t mask, const char* name, uint32_t value) {
  warp_together(mask, name, &value, [](void* const* operands, uint32_t lanes) {
    uint32_t result = Fold::kStart;
    for (uint32_t left = lanes; left != 0; left &= left - 1) {
      const int lane = std::countr_zero(left);
      result = Fold::step(result, *static_cast<uint32_t*>(operands[lane]), lane);
    }
    for (uint32_t left = lanes; left != 0; left &= left - 1) {
      *static_cast<uint32_t*>(operands[std::countr_zero(left)]) = result;
    }
  });
  return value;
}
struct FoldBallot {
  static constexpr uint32_t kStart = 0;
  static uint32_t step(uint32_t a, uint32_t b, int lane) { return a | static_cast<uint32_t>(b != 0) << lane; }
};
struct FoldAdd {
  static constexpr uint32_t kStart = 0;
  static uint32_t step(uint32_t a, uint32_t b, int) { return a + b; }
};
struct FoldMax {
  static constexpr uint32_t kStart = 0;
  static uint32_t step(uint32_t a, uint32_t b, int) { return a > b ? a : b; }
};
struct FoldMin {
  static constexpr uint32_t kStart = ~uint32_t{0};
  static uint32_t step(uint32_t a, uint32_t b, int) { return a < b ? a : b; }
};
struct FoldAnd {
  static constexpr uint32_t kStart = ~uint32_t{0};
  static uint32_t step(uint32_t a, uint32_t b, int) { return a & b; }
};
struct FoldOr {
  static constexpr uint32_t kStart = 0;
  static uint32_t step(uint32_t a, uint32_t b, int) { return a | b; }
};
struct FoldXor {
  static constexpr uint32_t kStart = 0;
  static uint32_t step(uint32_t a, uint32_t b, int) { return a ^ b; }
};
constexpr uint32_t kSignBit = uint32_t{1} << 31;  // flipping it orders signed words as unsigned ones

}  // namespace emulated

inline void __syncwarp(unsigned mask = 0xffffffffu) {
  emulated::warp_together(mask, "__syncwarp", nullptr, [](void* const*, uint32_t lanes) { emulated::races::warp_barrier(lanes); });
}

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
  const int first = emulated::lane_here() & ~(width - 1);
  return emulated::shuffle(mask, "__shfl_sync", value, first | (source & (width - 1)));
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  const int lane = emulated::lane_here(), first = lane & ~(width - 1),
            source = lane - static_cast<int>(delta);
  return emulated::shuffle(mask, "__shfl_up_sync", value, source < first ? lane : source);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  const int lane = emulated::lane_here(), last = lane | (width - 1), source = lane + static_cast<int>(delta);
  return emulated::shuffle(mask, "__shfl_down_sync", value, source > last ? lane : source);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32) {
  const int lane = emulated::lane_here(), last = lane | (width - 1), source = lane ^ lane_mask;
  return emulated::shuffle(mask, "__shfl_xor_sync", value, source > last ? lane : source);
}

inline unsigned __ballot_sync(unsigned mask, int predicate) {
  return emulated::fold<emulated::FoldBallot>(mask, "__ballot_sync", predicate != 0);
}
inline int __any_sync(unsigned mask, int predicate) {
  return static_cast<int>(emulated::fold<emulated::FoldOr>(mask, "__any_sync", predicate != 0));
}
inline int __all_sync(unsigned mask, int predicate) {
  return static_cast<int>(emulated::fold<emulated::FoldAnd>(mask, "__all_sync", predicate != 0));
}

inline unsigned __reduce_add_sync(unsigned mask, unsigned value) {
  return emulated::fold<emulated::FoldAdd>(mask, "__reduce_add_sync", value);
}
inline unsigned __reduce_max_sync(unsigned mask, unsigned value) {
  return emulated::fold<emulated::FoldMax>(mask, "__reduce_max_sync", value);
}
inline unsigned __reduce_min_sync(unsigned mask, unsigned value) {
  return emulated::fold<emulated::FoldMin>(mask, "__reduce_min_sync", value);
}
inline int __reduce_add_sync(unsigned mask, int value) {
  return static_cast<int>(__reduce_add_sync(mask, static_cast<unsigned>(value)));
}
inline int __reduce_max_sync(unsigned mask, int value) {
  return static_cast<int>(__reduce_max_sync(mask, static_cast<unsigned>(value) ^ emulated::kSignBit) ^
                          emulated::kSignBit);
}
inline int __reduce_min_sync(unsigned mask, int value) {
  return static_cast<int>(__reduce_min_sync(mask, static_cast<unsigned>(value) ^ emulated::kSignBit) ^
                          emulated::kSignBit);
}
inline unsigned __reduce_and_sync(unsigned mask, unsigned value) {
  return emulated::fold<emulated::FoldAnd>(mask, "__reduce_and_sync", value);
}
inline unsigned __reduce_or_sync(unsigned mask, unsigned value) {
  return emulated::fold<emulated::FoldOr>(mask, "__reduce_or_sync", value);
}
inline unsigned __reduce_xor_sync(unsigned mask, unsigned value) {
  return emulated::fold<emulated::FoldXor>(mask, "__reduce_xor_sync", value);
}
