#include "kernels/cpu/packed_matrix.h"

#include <algorithm>
#include <cstring>

#include "engine/base/check.h"

namespace draftscope {
namespace {

uint16_t half_bits(const Tensor& tensor, int64_t index) {
  uint16_t bits;
  std::memcpy(&bits, tensor.bytes.data() + index * 2, 2);
  return bits;
}

}  // namespace

float element(const Tensor& tensor, int64_t index) {
  if (tensor.dtype == DType::kBf16) return float_of_bf16(half_bits(tensor, index));
  if (tensor.dtype == DType::kF16) return float_of_f16(half_bits(tensor, index));
  float value;
  std::memcpy(&value, tensor.bytes.data() + index * 4, 4);
  return value;
}

std::unique_ptr<PackedMatrix> pack_matrix(std::span<const Tensor> parts) {
  DS_CHECK(!parts.empty());
  auto packed = std::make_unique<PackedMatrix>();
  packed->n_in = parts[0].cols();
  packed->is_bf16 = true;
  for (const Tensor& part : parts) {
    DS_CHECK(part.shape.size() == 2 && part.cols() == packed->n_in && is_weight(part.dtype), "{}", part.name);
    packed->n_out += part.rows();
    packed->is_bf16 = packed->is_bf16 && part.dtype == DType::kBf16;
  }
  packed->n_blocks = (packed->n_out + kBlockCols - 1) / kBlockCols;
  packed->n_pairs = (packed->n_in + 1) / 2;
  const int64_t n_elements = packed->n_blocks * packed->n_pairs * 2 * kBlockCols;
  if (packed->is_bf16)
    packed->bf16.assign(n_elements, 0);
  else
    packed->f32.assign(n_elements, 0.0f);
  packed->n_bytes = n_elements * (packed->is_bf16 ? 2 : 4);

  int64_t out = 0;  // row of the stack
  for (const Tensor& part : parts) {
    for (int64_t row = 0; row < part.rows(); ++row, ++out) {
      for (int64_t in = 0; in < packed->n_in; ++in) {
        const int64_t source = row * packed->n_in + in;
        if (packed->is_bf16)
          packed->bf16[packed->index(out, in)] = half_bits(part, source);
        else
          packed->f32[packed->index(out, in)] = element(part, source);
      }
    }
  }
  return packed;
}

Vector to_floats(const Tensor& tensor) {
  Vector values(tensor.bytes.size() / size_bytes(tensor.dtype));
  for (size_t i = 0; i < values.size(); ++i) values[i] = element(tensor, static_cast<int64_t>(i));
  return values;
}

}  // namespace draftscope
