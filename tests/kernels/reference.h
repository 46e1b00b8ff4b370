// What the kernel tests compare against: the textbook formulas in double precision, written without a look
// at the kernels, and random inputs that every element type can hold exactly.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "engine/base/tensor.h"
#include "kernels/backend.h"
#include "kernels/cpu/cpu_backend.h"

namespace draftscope::reference {

/// Row-major numbers, (rows, cols).
struct Table {
  int64_t rows = 0, cols = 0;
  std::vector<double> data;

  Table() = default;
  Table(int64_t n_rows, int64_t n_cols)
      : rows(n_rows), cols(n_cols), data(static_cast<size_t>(n_rows * n_cols)) {}
  double& at(int64_t r, int64_t c) { return data[static_cast<size_t>(r * cols + c)]; }
  double at(int64_t r, int64_t c) const { return data[static_cast<size_t>(r * cols + c)]; }
};

/// Nearest number of an element type, ties to even; double in, double out.
double rounded(DType dtype, double value);
/// Bits of a number that `rounded` returned; the low half for 16-bit types.
uint32_t bits_of(DType dtype, double value);

/// Numbers of one element type and the tensor over their bytes.
struct Weights {
  Table values;  // exactly as stored
  std::vector<std::byte> bytes;
  Tensor tensor() const { return {"weights", dtype, {values.rows, values.cols}, bytes}; }
  DType dtype = DType::kF32;
};
Weights store(DType dtype, const Table& values);
Weights random_weights(DType dtype, int64_t rows, int64_t cols, uint32_t seed, double scale = 1.0);

/// Normally distributed float32 numbers.
Table random_table(int64_t rows, int64_t cols, uint32_t seed, double scale = 1.0);
/// New activations of a backend with these numbers.
std::unique_ptr<ActBuffer> to_act(Backend& backend, const Table& values);
Table to_table(const Act& act);
Table row_of(const Table& values, int64_t row);

/// x w^T, (rows, n_out); `magnitude` gets the same sum over absolute values, the scale of rounding errors.
Table matmul(const Table& x, const Table& w, Table* magnitude = nullptr);
Table rms_norm(const Table& x, const std::vector<float>& weight, double eps);
Table silu_mul(const Table& gate_up);
/// Rotates each head of `head_dim` columns to its row's position.
Table rotate(const Table& x, int64_t head_dim, double theta, const std::vector<int32_t>& positions);

/// One query head over listed keys: softmax(q . k / sqrt(d)) . v; q, result (1, d); keys, values (n_keys, d).
std::vector<double> attend(const std::vector<double>& q, const Table& keys, const Table& values);

/// log softmax of each row.
Table log_softmax(const Table& logits);

/// A backend; the calling test fails when it cannot be made.
std::unique_ptr<Backend> make_backend(CpuPath path, Precision precision, int32_t n_threads);
bool is_supported(CpuPath path);

}  // namespace draftscope::reference
