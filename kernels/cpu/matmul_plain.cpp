#include <algorithm>

#include "kernels/cpu/bf16.h"
#include "kernels/cpu/matmul.h"

namespace draftscope {

// The definition: one float32 accumulator per output, inputs in ascending order, no fused multiply-add.
void matmul_plain(const MatmulInput& x, const PackedMatrix& w, int64_t first_block, int64_t last_block,
                  float* out, int64_t stride) {
  const int64_t n_in = w.n_pairs * 2;
  for (int64_t block = first_block; block < last_block; ++block) {
    for (int64_t row = 0; row < x.rows; ++row) {
      const float* x_row = x.f32 + row * n_in;
      float sum[kBlockCols] = {};
      for (int64_t in = 0; in < n_in; ++in) {
        for (int64_t col = 0; col < kBlockCols; ++col) {
          const float weight =
              w.is_bf16 ? float_of_bf16(w.bf16_block(block)[(in / 2) * 2 * kBlockCols + col * 2 + in % 2])
                        : w.f32_block(block)[in * kBlockCols + col];
          sum[col] += x_row[in] * weight;
        }
      }
      std::copy_n(sum, kBlockCols, out + row * stride + (block - first_block) * kBlockCols);
    }
  }
}

}  // namespace draftscope
