// Tensor: a typed, shaped view of bytes that somebody else owns (a mapped file, usually).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace draftscope {

enum class DType : uint8_t { kF32, kF16, kBf16 };

constexpr size_t size_bytes(DType dtype) { return dtype == DType::kF32 ? 4 : 2; }
constexpr const char* name(DType dtype) {
  return dtype == DType::kF32 ? "f32" : dtype == DType::kF16 ? "f16" : "bf16";
}

using Shape = std::vector<int64_t>;

/// Row-major view; bytes.size() == product(shape) * size_bytes(dtype). Bytes need no alignment.
struct Tensor {
  std::string name;  // as in the checkpoint, for messages
  DType dtype = DType::kF32;
  Shape shape;
  std::span<const std::byte> bytes;

  int64_t rows() const { return shape.empty() ? 0 : shape[0]; }
  int64_t cols() const { return shape.size() < 2 ? 1 : shape[1]; }
};

}  // namespace draftscope
