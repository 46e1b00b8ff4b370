// ModelTiles: what Intel's manual says of AMX's tile instructions, in plain code, so that the tile kernel's
// logic is tested on any processor. What the processor would refuse stops the test.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "engine/base/check.h"
#include "kernels/cpu/bf16.h"
#include "kernels/cpu/matmul_amx_impl.h"

namespace draftscope {

struct ModelTileState {
  TileConfig config;
  bool is_configured = false;
  uint8_t tile[8][16][64] = {};  // rows of bytes
};

class ModelTiles {
 public:
  static void configure(const TileConfig& config) {
    DS_CHECK(config.palette == 1 && config.start_row == 0);
    for (const uint8_t byte : config.reserved) DS_CHECK(byte == 0);
    for (int t = 0; t < 16; ++t) {
      DS_CHECK(config.rows[t] <= (t < 8 ? 16 : 0) && config.row_bytes[t] <= (t < 8 ? 64 : 0));
      DS_CHECK((config.rows[t] == 0) == (config.row_bytes[t] == 0));
    }
    state_ = {config, true};
    ++n_configured_;
  }
  static void release() {
    DS_CHECK(state_.is_configured);
    state_ = {};
  }
  template <int T>
  static void zero() {
    check_tile<T>();
    std::memset(state_.tile[T], 0, sizeof(state_.tile[T]));
  }
  template <int T>
  static void load(const void* data, int64_t stride_bytes) {
    zero<T>();
    for (int row = 0; row < state_.config.rows[T]; ++row)
      std::memcpy(state_.tile[T][row], static_cast<const char*>(data) + row * stride_bytes, row_bytes<T>());
  }
  template <int T>
  static void store(void* data, int64_t stride_bytes) {
    check_tile<T>();
    for (int row = 0; row < state_.config.rows[T]; ++row)
      std::memcpy(static_cast<char*>(data) + row * stride_bytes, state_.tile[T][row], row_bytes<T>());
  }
  template <int SUM, int A, int B>
  static void multiply() {
    static_assert(SUM != A && A != B && SUM != B);
    check_tile<SUM>(), check_tile<A>(), check_tile<B>();
    DS_CHECK(state_.config.rows[SUM] == state_.config.rows[A] && row_bytes<SUM>() == row_bytes<B>() &&
             row_bytes<A>() == 4u * state_.config.rows[B]);
    for (int row = 0; row < state_.config.rows[SUM]; ++row) {
      for (size_t col = 0; col < row_bytes<SUM>() / 4; ++col) {
        float even = 0, odd = 0;
        for (int pair = 0; pair < state_.config.rows[B]; ++pair) {
          even = multiply_add(half<A>(row, 2 * pair), half<B>(pair, 2 * col), even);
          odd = multiply_add(half<A>(row, 2 * pair + 1), half<B>(pair, 2 * col + 1), odd);
        }
        float sum;
        std::memcpy(&sum, &state_.tile[SUM][row][col * 4], 4);
        sum = no_denormal(no_denormal(sum) + no_denormal(even + odd));
        std::memcpy(&state_.tile[SUM][row][col * 4], &sum, 4);
      }
    }
  }

  static bool is_configured() { return state_.is_configured; }
  static int64_t n_configured() { return n_configured_; }
  /// Fused, with denormals taken and given as zeros.
  static float multiply_add(float a, float b, float sum) {
    return no_denormal(std::fma(no_denormal(a), no_denormal(b), no_denormal(sum)));
  }
  static float no_denormal(float value) {
    return std::abs(value) < std::numeric_limits<float>::min() ? std::copysign(0.0f, value) : value;
  }

 private:
  template <int T>
  static void check_tile() {
    static_assert(T >= 0 && T < 8);
    DS_CHECK(state_.is_configured && state_.config.rows[T] > 0, "tile {}", T);
  }
  template <int T>
  static size_t row_bytes() {
    return state_.config.row_bytes[T];
  }
  template <int T>
  static float half(int row, size_t element) {
    uint16_t bits;
    std::memcpy(&bits, &state_.tile[T][row][element * 2], 2);
    return float_of_bf16(bits);
  }

  static inline thread_local ModelTileState state_;
  static inline thread_local int64_t n_configured_ = 0;
};

}  // namespace draftscope
