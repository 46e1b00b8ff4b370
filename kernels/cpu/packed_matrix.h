// PackedMatrix: weights in the order in which the matrix kernels stream them.
#pragma once

#include <cstdint>
#include <span>

#include "engine/base/tensor.h"
#include "kernels/backend.h"
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

  const uint16_t* bf16_block(int64_t block) const { return bf16.data() + block * n_pairs * 2 * kBlockCols; }
  const float* f32_block(int64_t block) const { return f32.data() + block * n_pairs * 2 * kBlockCols; }
};

/// Stacks parts, each (n_out_i, n_in), along n_out. All bf16: kept as bf16; otherwise widened to float32.
std::unique_ptr<PackedMatrix> pack_matrix(std::span<const Tensor> parts);

/// Row `out` of what was packed, widened exactly; to: (n_in,).
void copy_row(const PackedMatrix& w, int64_t out, float* to);

/// Element `index` of a tensor, widened exactly; bytes need no alignment.
float element(const Tensor& tensor, int64_t index);

}  // namespace draftscope
