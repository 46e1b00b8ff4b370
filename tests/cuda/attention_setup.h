// A KV cache, queries and key sets for the attention tests, the run on the device, and the formula in double.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cuda/device.h"
#include "kernels/cuda/ops.h"

namespace draftscope::cuda {

/// Row-major numbers, (rows, cols).
struct Floats {
  int32_t rows = 0, cols = 0;
  std::vector<float> data;

  Floats(int32_t n_rows, int32_t n_cols)
      : rows(n_rows), cols(n_cols), data(static_cast<size_t>(n_rows) * n_cols) {}
  float* row(int32_t r) { return data.data() + static_cast<size_t>(r) * cols; }
  const float* row(int32_t r) const { return data.data() + static_cast<size_t>(r) * cols; }
};
Floats random_floats(int32_t rows, int32_t cols, uint32_t seed, float scale = 1.0f);
float rounded_to_bf16(float x);

template <class T>
DeviceBuffer<T> to_device(const std::vector<T>& values) {
  DeviceBuffer<T> buffer(values.size());
  if (!values.empty())
    CUDA_CHECK(cudaMemcpy(buffer.data(), values.data(), buffer.n_bytes(), cudaMemcpyHostToDevice));
  return buffer;
}
template <class T>
std::vector<T> to_host(const DeviceBuffer<T>& buffer) {
  std::vector<T> values(buffer.size());
  if (!values.empty())
    CUDA_CHECK(cudaMemcpy(values.data(), buffer.data(), buffer.n_bytes(), cudaMemcpyDeviceToHost));
  return values;
}

/// A cache on the device whose rows start as NaN, and its numbers as stored.
class TestCache {
 public:
  TestCache(int32_t n_layers, HeadLayout heads, int32_t capacity, bool is_bf16);

  /// Key and value of every kv head of one layer at a cache row; columns [k heads | v heads] of `columns`.
  void put(int32_t layer, int32_t row, const float* columns);
  KvView view();
  /// Number `column` of a kv head's key or value as stored.
  float key(int32_t layer, int32_t kv_head, int32_t row, int32_t column) const {
    return keys_[static_cast<size_t>(at(layer, kv_head, row) + column)];
  }
  float value(int32_t layer, int32_t kv_head, int32_t row, int32_t column) const {
    return values_[static_cast<size_t>(at(layer, kv_head, row) + column)];
  }
  /// What lies on the device now.
  void read_back();

 private:
  int64_t at(int32_t layer, int32_t kv_head, int32_t row) const {
    return ((static_cast<int64_t>(layer) * heads_.n_kv_heads + kv_head) * capacity_ + row) * heads_.head_dim;
  }
  int32_t n_layers_;
  HeadLayout heads_;
  int32_t capacity_;
  bool is_bf16_;
  std::vector<float> keys_, values_;          // (n_layers, n_kv_heads, capacity, head_dim)
  DeviceBuffer<uint16_t> keys16_, values16_;  // the same on the device, if bf16
  DeviceBuffer<float> keys32_, values32_;     // otherwise
  bool is_stale_ = true;                      // the device lacks what was put
};

/// Key sets of a pass.
struct TestRows {
  std::vector<int32_t> position, cache_row, first_key, n_contiguous;
  std::vector<std::vector<int32_t>> extras;  // pass rows, ascending

  int32_t n() const { return static_cast<int32_t>(cache_row.size()); }
  void add(int32_t at, int32_t first, int32_t contiguous, std::vector<int32_t> extra = {});
  /// Row r for a pass of its own; it must have no extras.
  TestRows slice(int32_t first, int32_t n_rows) const;
  /// Cache rows that row r attends to, in order.
  std::vector<int32_t> keys_of(int32_t r) const;
  int32_t max_keys() const;
};

/// RowsView over device memory.
class DeviceRows {
 public:
  explicit DeviceRows(const TestRows& rows);
  const RowsView& view() const { return view_; }

 private:
  DeviceBuffer<int32_t> token_, position_, cache_row_, first_key_, n_contiguous_;
  DeviceBuffer<uint32_t> bits_;
  RowsView view_;
};

/// attention() of layer 0 into `out` (rows, q_cols); workspace: zeroed once, long ago.
void attend(TestCache& cache, HeadLayout heads, const Floats& qkv, const TestRows& rows, int32_t max_keys,
            void* workspace, Act out);
/// The same into poisoned memory.
Floats attend(TestCache& cache, HeadLayout heads, const Floats& qkv, const TestRows& rows, int32_t max_keys,
              void* workspace);
/// The same with a workspace of its own.
Floats attend(TestCache& cache, HeadLayout heads, const Floats& qkv, const TestRows& rows,
              int32_t max_keys = 0);

/// Softmax in double over the listed keys of layer 0; queries rounded to bf16 first if asked.
Floats attend_by_formula(const TestCache& cache, HeadLayout heads, const Floats& qkv, const TestRows& rows,
                         bool rounds_queries);
/// sqrt(sum (a - b)^2 / sum b^2); NaN where a or b has one.
double normalised_error(const Floats& a, const Floats& b);

}  // namespace draftscope::cuda
