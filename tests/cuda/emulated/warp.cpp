#include "warp.h"

#include <fmt/format.h>

#include <chrono>

#include "mma.h"

namespace emulated {
namespace {

using Four =
    float __attribute__((vector_size(16)));  // columns side by side: the compiler's own choice is slow

float low(uint32_t pair) { return std::bit_cast<float>(pair << 16); }
float high(uint32_t pair) { return std::bit_cast<float>(pair & 0xffff0000u); }

void mma_together(void* const* operands, uint32_t) {
  Fragments lanes[kLanes];
  for (int lane = 0; lane < kLanes; ++lane) lanes[lane] = *static_cast<const Fragments*>(operands[lane]);
  multiply_fragments(lanes);
}

}  // namespace

/// PTX ISA, "Matrix fragments for mma.m16n8k16 with floating point type": lane = 4 group + quad.
void multiply_fragments(const Fragments (&lanes)[kLanes]) {
  float a[16][16];
  Four b[16][2], d[16][2];
  for (int lane = 0; lane < kLanes; ++lane) {
    const int group = lane / 4, col = lane % 4 * 2;
    const Fragments& f = lanes[lane];
    for (int i = 0; i < 4; ++i) {  // a: rows group, group + 8; then the same of columns + 8
      const int row = group + i % 2 * 8, k = col + i / 2 * 8;
      a[row][k] = low(f.a[i]);
      a[row][k + 1] = high(f.a[i]);
    }
    for (int i = 0; i < 2; ++i) {
      b[col + i * 8][group / 4][group % 4] = low(f.b[i]);
      b[col + i * 8 + 1][group / 4][group % 4] = high(f.b[i]);
    }
    for (int i = 0; i < 4; ++i) d[group + i / 2 * 8][col / 4][col % 4 + i % 2] = f.d[i];
  }
  for (int row = 0; row < 16; ++row) {
    for (int k = 0; k < 16; ++k) {
      for (int half = 0; half < 2; ++half) d[row][half] += a[row][k] * b[k][half];
    }
  }
  for (int lane = 0; lane < kLanes; ++lane) {
    const int group = lane / 4, col = lane % 4 * 2;
    for (int i = 0; i < 4; ++i) lanes[lane].d[i] = d[group + i / 2 * 8][col / 4][col % 4 + i % 2];
  }
}

void mma_m16n8k16_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  if (blockDim.x * blockDim.y * blockDim.z % kLanes != 0) fail("mma in a block with a short warp");
  Fragments fragments = {d, a, b};
  warp_together(~uint32_t{0}, "mma.sync", &fragments, &mma_together);
}

uint64_t now_ns() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

void fail_source(const char* name, int source, uint32_t mask) {
  fail(fmt::format("{} reads lane {}, which is not in its mask {:#x}", name, source, mask));
}

}  // namespace emulated
