#include <algorithm>

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
          sum[col] += x_row[in] * w.at(block * kBlockCols + col, in);
        }
      }
      std::copy_n(sum, kBlockCols, out + row * stride + (block - first_block) * kBlockCols);
    }
  }
}

}  // namespace draftscope
