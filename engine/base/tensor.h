// Tensor: a typed, shaped view of bytes that somebody else owns (a mapped file, usually).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace draftscope {

/// The first three are what weights may be; the others occur in data files.
enum class DType : uint8_t { kF32, kF16, kBf16, kF64, kI64, kI32, kI16, kU8, kBool };

constexpr bool is_weight(DType dtype) { return dtype <= DType::kBf16; }

constexpr size_t size_bytes(DType dtype) {
  switch (dtype) {
    case DType::kF64: case DType::kI64: return 8;
    case DType::kF32: case DType::kI32: return 4;
    case DType::kF16: case DType::kBf16: case DType::kI16: return 2;
    case DType::kU8: case DType::kBool: return 1;
  }
  return 0;
}

constexpr const char* name(DType dtype) {
  switch (dtype) {
    case DType::kF32: return "f32";
    case DType::kF16: return "f16";
    case DType::kBf16: return "bf16";
    case DType::kF64: return "f64";
    case DType::kI64: return "i64";
    case DType::kI32: return "i32";
    case DType::kI16: return "i16";
    case DType::kU8: return "u8";
    case DType::kBool: return "bool";
  }
  return "unknown";
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
