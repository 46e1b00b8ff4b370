#include "kernels/cpu/matmul_amx_impl.h"

namespace draftscope {
namespace {

// The compiler's own intrinsics want literal tile numbers, and do not tell it that loads read memory.
struct ProcessorTiles {
  static void configure(const TileConfig& config) { asm volatile("ldtilecfg %0" ::"m"(config)); }
  static void release() { asm volatile("tilerelease" ::: "memory"); }
  template <int T>
  static void zero() {
    asm volatile("tilezero %%tmm%c0" ::"i"(T));
  }
  template <int T>
  static void load(const uint16_t* data, int64_t stride_bytes) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(data), "r"(stride_bytes), "i"(T) : "memory");
  }
  template <int SUM, int A, int B>
  static void multiply() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(SUM), "i"(A), "i"(B));
  }
  template <int T>
  static void store(float* data, int64_t stride_bytes) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(data), "r"(stride_bytes), "i"(T) : "memory");
  }
};

}  // namespace

void matmul_amx(const MatmulInput& x, const PackedMatrix& w, int64_t first_block, int64_t last_block,
                float* out, int64_t stride) {
  matmul_tiles<ProcessorTiles>(x, w, first_block, last_block, out, stride);
}

}  // namespace draftscope
