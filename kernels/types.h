// Plain values that operations take on every backend. Free of anything that a device compiler cannot read.
#pragma once

#include <cstdint>

namespace draftscope {

/// How activations enter matrix products and are kept in the KV cache.
enum class Precision : uint8_t { kBf16, kF32 };

/// Who computes products with weights on a GPU. kInvariant: our own kernels; a row's bits do not depend on the other
/// rows of its pass, which lossless drafting stands on. kFastest: for passes of many rows whichever of ours and
/// cuBLASLt took less time on this GPU; a row's last bits may then depend on its pass.
enum class Numerics : uint8_t { kInvariant, kFastest };

/// Activations in the backend's memory, row-major (rows, cols); a view of an ActBuffer. Float32 in `data`; or, of a
/// product's input that its backend keeps as it is multiplied, bf16 in `bf16`, and `data` is null.
struct Act {
  float* data = nullptr;
  int32_t rows = 0;
  int32_t cols = 0;
  float* squares = nullptr;  // (rows, n_square_pieces(cols)) sums of squares of each piece, where a backend keeps them
  uint16_t* bf16 = nullptr;  // (rows, cols)

  float* row(int32_t r) const { return data + static_cast<int64_t>(r) * cols; }
  Act first_rows(int32_t n) const { return rows_from(0, n); }
  Act rows_from(int32_t first, int32_t n) const;  // rows [first, first + n)
};

constexpr int32_t kSquarePiece = 64;  // columns whose squares are summed together, for the norm that follows
constexpr int32_t n_square_pieces(int32_t cols) { return (cols + kSquarePiece - 1) / kSquarePiece; }

inline Act Act::rows_from(int32_t first, int32_t n) const {
  Act part = *this;
  part.rows = n;
  if (data != nullptr) part.data = row(first);
  if (squares != nullptr) part.squares += static_cast<int64_t>(first) * n_square_pieces(cols);
  if (bf16 != nullptr) part.bf16 += static_cast<int64_t>(first) * cols;
  return part;
}

/// Head sizes of one attention layer; qkv columns are [q heads | k heads | v heads] * head_dim.
struct HeadLayout {
  int32_t n_q_heads = 0;  // 0: keys and values only (a drafter's context features)
  int32_t n_kv_heads = 0;
  int32_t head_dim = 0;

  int32_t qkv_cols() const { return (n_q_heads + 2 * n_kv_heads) * head_dim; }
  int32_t q_cols() const { return n_q_heads * head_dim; }
};

}  // namespace draftscope
