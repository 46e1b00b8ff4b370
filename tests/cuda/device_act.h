// Activations and weights in the memory of the (emulated) device, for the tests of operations.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/cpu/bf16.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/ops.h"
#include "tests/kernels/reference.h"

namespace draftscope::cuda {

template <class T>
DeviceBuffer<T> copy_to_device(const std::vector<T>& values) {
  DeviceBuffer<T> buffer(values.size());
  CUDA_CHECK(cudaMemcpy(buffer.data(), values.data(), buffer.n_bytes(), cudaMemcpyHostToDevice));
  return buffer;
}
template <class T>
std::vector<T> copy_to_host(const T* from, size_t n) {
  std::vector<T> values(n);
  CUDA_CHECK(cudaMemcpy(values.data(), from, n * sizeof(T), cudaMemcpyDeviceToHost));
  return values;
}

/// Activations with sums of squares; NaN where nothing was put.
class DeviceAct {
 public:
  DeviceAct(int64_t rows, int64_t cols) : DeviceAct(nan_table(rows, cols)) {}
  explicit DeviceAct(const reference::Table& values)
      : data_(copy_to_device(std::vector<float>(values.data.begin(), values.data.end()))),
        squares_(copy_to_device(
            std::vector<float>(static_cast<size_t>(values.rows) * n_square_pieces(static_cast<int32_t>(values.cols)),
                               std::numeric_limits<float>::quiet_NaN()))) {
    act = {data_.data(), static_cast<int32_t>(values.rows), static_cast<int32_t>(values.cols), squares_.data()};
  }
  std::vector<float> values() const { return copy_to_host(data_.data(), data_.size()); }
  std::vector<float> squares() const { return copy_to_host(squares_.data(), squares_.size()); }
  reference::Table table() const {
    reference::Table table(act.rows, act.cols);
    std::ranges::copy(values(), table.data.begin());
    return table;
  }

  Act act;

 private:
  static reference::Table nan_table(int64_t rows, int64_t cols) {
    reference::Table table(rows, cols);
    std::ranges::fill(table.data, std::numeric_limits<double>::quiet_NaN());
    return table;
  }
  DeviceBuffer<float> data_, squares_;
};

/// Activations that are kept as bf16; NaN where nothing was put.
class DeviceBf16 {
 public:
  DeviceBf16(int64_t rows, int64_t cols)
      : DeviceBf16(rows, cols, std::vector<uint16_t>(static_cast<size_t>(rows * cols), 0xffff)) {}
  explicit DeviceBf16(const reference::Table& values)
      : DeviceBf16(values.rows, values.cols, rounded(std::vector<float>(values.data.begin(), values.data.end()))) {}
  std::vector<uint16_t> bits() const { return copy_to_host(bits_.data(), bits_.size()); }
  static std::vector<uint16_t> rounded(const std::vector<float>& values) {
    std::vector<uint16_t> bits(values.size());
    std::ranges::transform(values, bits.begin(), bf16_of_float);
    return bits;
  }

  Act act;

 private:
  DeviceBf16(int64_t rows, int64_t cols, const std::vector<uint16_t>& bits) : bits_(copy_to_device(bits)) {
    act.rows = static_cast<int32_t>(rows);
    act.cols = static_cast<int32_t>(cols);
    act.bf16 = bits_.data();
  }
  DeviceBuffer<uint16_t> bits_;
};

/// A weight matrix; bf16 or float32.
class DeviceWeights {
 public:
  explicit DeviceWeights(const reference::Weights& weights) : bytes_(copy_to_device(weights.bytes)) {
    view.data = bytes_.data();
    view.n_out = static_cast<int32_t>(weights.values.rows);
    view.n_in = static_cast<int32_t>(weights.values.cols);
    view.is_bf16 = weights.dtype == DType::kBf16;
  }
  WeightsView view;

 private:
  DeviceBuffer<std::byte> bytes_;
};

/// Memory that is zero at first and full of NaN after its first `zeroed` bytes.
inline DeviceBuffer<std::byte> make_workspace(int64_t n_bytes, size_t zeroed) {
  DeviceBuffer<std::byte> workspace(static_cast<size_t>(n_bytes));
  if (workspace.size() == 0) return workspace;
  CUDA_CHECK(cudaMemset(workspace.data(), 0xff, workspace.n_bytes()));
  CUDA_CHECK(cudaMemset(workspace.data(), 0, std::min(zeroed, workspace.n_bytes())));
  return workspace;
}

inline reference::Table rounded_to_bf16(reference::Table x) {
  for (double& value : x.data) value = reference::rounded(DType::kBf16, value);
  return x;
}

/// Sum of squared errors over the sum of squares.
inline double normalised_error(const reference::Table& found, const reference::Table& expected) {
  double error = 0, size = 0;
  for (size_t i = 0; i < expected.data.size(); ++i) {
    error += (found.data[i] - expected.data[i]) * (found.data[i] - expected.data[i]);
    size += expected.data[i] * expected.data[i];
  }
  return error / size;
}

}  // namespace draftscope::cuda
