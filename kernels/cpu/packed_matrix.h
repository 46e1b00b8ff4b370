// PackedMatrix: weights in the order in which the matrix kernels stream them.
#pragma once

#include <cstdint>
#include <span>

#include "engine/base/tensor.h"
#include "kernels/backend.h"
#include "kernels/cpu/bf16.h"
#include "kernels/cpu/page_memory.h"

namespace draftscope {

constexpr int64_t kBlockCols = 16;  // outputs of one packed block

/// Outputs in blocks of 16, padded with zeros; n_in padded to even. One block holds, for every pair of
/// inputs,
///   bf16: (n_pairs, 16 outputs, 2 inputs): one 512-bit load is 16 outputs x 2 inputs;
///   f32:  (n_pairs * 2 inputs, 16 outputs).
class PackedMatrix final : public Matrix {
 public:
  bool is_bf16 = false;
  int64_t n_blocks = 0;       // ceil(n_out / 16)
  int64_t n_pairs = 0;        // ceil(n_in / 2)
  PageVector<uint16_t> bf16;  // (n_blocks, n_pairs, 16, 2); empty for f32
  PageVector<float> f32;      // (n_blocks, n_pairs * 2, 16); empty for bf16

  /// Where weight (out, in) lies in `bf16` or `f32`.
  int64_t index(int64_t out, int64_t in) const {
    const int64_t block = out / kBlockCols * n_pairs * 2 * kBlockCols, col = out % kBlockCols;
    return block + (is_bf16 ? in / 2 * 2 * kBlockCols + col * 2 + in % 2 : in * kBlockCols + col);
  }
  /// Weight (out, in), widened exactly.
  float at(int64_t out, int64_t in) const {
    return is_bf16 ? float_of_bf16(bf16[index(out, in)]) : f32[index(out, in)];
  }
  const uint16_t* bf16_block(int64_t block) const { return bf16.data() + block * n_pairs * 2 * kBlockCols; }
  const float* f32_block(int64_t block) const { return f32.data() + block * n_pairs * 2 * kBlockCols; }
};

/// Stacks parts, each (n_out_i, n_in), along n_out. All bf16: kept as bf16; otherwise widened to float32.
std::unique_ptr<PackedMatrix> pack_matrix(std::span<const Tensor> parts);

/// Element `index` of a tensor, widened exactly; bytes need no alignment.
float element(const Tensor& tensor, int64_t index);

}  // namespace draftscope
