#include "kernels/cuda/cuda_memory.h"

#include <algorithm>
#include <unordered_map>

namespace draftscope::cuda {
namespace {

/// A tensor's numbers as they go to the device: its own bytes, or widened to float32 in `widened`.
const void* numbers_of(const Tensor& tensor, bool as_bf16, Vector& widened) {
  if (as_bf16 || tensor.dtype == DType::kF32) return tensor.bytes.data();
  widened = to_floats(tensor);
  return widened.data();
}

std::unique_ptr<CudaMatrix> make_matrix(std::span<const Tensor> parts) {
  DS_CHECK(!parts.empty());
  auto matrix = std::make_unique<CudaMatrix>();
  matrix->n_in = parts[0].cols();
  bool is_bf16 = true;
  for (const Tensor& part : parts) {
    DS_CHECK(part.shape.size() == 2 && part.cols() == matrix->n_in && is_weight(part.dtype), "{}", part.name);
    matrix->n_out += part.rows();
    is_bf16 = is_bf16 && part.dtype == DType::kBf16;
  }
  DS_CHECK(matrix->n_in % 8 == 0, "{}: {} inputs", parts[0].name, matrix->n_in);
  matrix->n_bytes = matrix->n_out * matrix->n_in * (is_bf16 ? 2 : 4);
  matrix->memory = DeviceBuffer<std::byte>(static_cast<size_t>(matrix->n_bytes));
  matrix->view = {matrix->memory.data(), static_cast<int32_t>(matrix->n_out), static_cast<int32_t>(matrix->n_in), is_bf16,
                  false};
  return matrix;
}

}  // namespace

std::unique_ptr<CudaMatrix> upload(std::span<const Tensor> parts) {
  std::unique_ptr<CudaMatrix> matrix = make_matrix(parts);
  std::byte* to = matrix->memory.data();
  Vector widened;
  for (const Tensor& part : parts) {
    const size_t n_bytes = static_cast<size_t>(part.rows() * part.cols()) * (matrix->view.is_bf16 ? 2 : 4);
    CUDA_CHECK(cudaMemcpy(to, numbers_of(part, matrix->view.is_bf16, widened), n_bytes, cudaMemcpyHostToDevice));
    to += n_bytes;
  }
  CUDA_CHECK(cudaStreamSynchronize(nullptr));  // a copy from pageable memory may return before it arrived
  return matrix;
}

std::unique_ptr<CudaMatrix> upload_gate_up(const Tensor& gate, const Tensor& up) {
  const Tensor parts[] = {gate, up};
  DS_CHECK(gate.rows() == up.rows() && gate.rows() % 8 == 0, "{}: {} outputs", gate.name, gate.rows());
  std::unique_ptr<CudaMatrix> matrix = make_matrix(parts);
  matrix->view.gate_up = true;
  const size_t eight_rows = static_cast<size_t>(8 * gate.cols()) * (matrix->view.is_bf16 ? 2 : 4);
  std::byte* to = matrix->memory.data();
  Vector widened;
  for (const Tensor& part : parts) {
    CUDA_CHECK(cudaMemcpy2D(to, 2 * eight_rows, numbers_of(part, matrix->view.is_bf16, widened), eight_rows, eight_rows,
                            static_cast<size_t>(part.rows() / 8), cudaMemcpyHostToDevice));
    to += eight_rows;
  }
  CUDA_CHECK(cudaStreamSynchronize(nullptr));
  return matrix;
}

PackedRows pack_rows(const PassRows& rows) {
  const size_t n = static_cast<size_t>(rows.n);
  const KeySets& keys = rows.keys;
  DS_CHECK(rows.position.size() == n && rows.cache_row.size() == n);
  PackedRows packed;
  packed.bit_words = (rows.n + 31) / 32;
  packed.numbers.resize(n * (5 + static_cast<size_t>(packed.bit_words)));
  const auto array = [&](size_t i) { return packed.numbers.begin() + static_cast<ptrdiff_t>(i * n); };
  if (!rows.token.empty()) std::copy(rows.token.begin(), rows.token.end(), array(0));
  std::copy(rows.position.begin(), rows.position.end(), array(1));
  std::copy(rows.cache_row.begin(), rows.cache_row.end(), array(2));
  std::copy(keys.first_key.begin(), keys.first_key.end(), array(3));
  std::copy(keys.n_contiguous.begin(), keys.n_contiguous.end(), array(4));

  std::unordered_map<int32_t, int32_t> row_at;  // of the pass, by cache row
  for (int32_t row = 0; row < rows.n; ++row) row_at[rows.cache_row[row]] = row;
  for (int32_t row = 0; row < rows.n; ++row) {
    const int32_t n_extra = keys.extra_begin[row + 1] - keys.extra_begin[row];
    DS_CHECK(n_extra <= kMaxExtraKeys, "{} extra keys", n_extra);
    packed.max_keys = std::max(packed.max_keys, keys.n_contiguous[row] + n_extra);
    for (int32_t i = keys.extra_begin[row]; i < keys.extra_begin[row + 1]; ++i) {
      const auto found = row_at.find(keys.extra[i]);
      DS_CHECK(found != row_at.end(), "extra key {} is no row of the pass", keys.extra[i]);
      int32_t& word = *(array(5) + static_cast<ptrdiff_t>(row) * packed.bit_words + found->second / 32);
      word = static_cast<int32_t>(static_cast<uint32_t>(word) | uint32_t{1} << found->second % 32);
    }
  }
  return packed;
}

RowsView view_of(const int32_t* numbers, int32_t n, int32_t bit_words) {
  const auto array = [&](int64_t i) { return numbers + i * n; };
  return {n, bit_words, array(0), array(1), array(2), array(3), array(4), reinterpret_cast<const uint32_t*>(array(5))};
}

}  // namespace draftscope::cuda
