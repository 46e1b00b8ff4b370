// The engine's tests on CUDA: against the emulated device or a real one, whichever this program is linked with.
#include <cstring>

#include "kernels/cpu/bf16.h"
#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/cuda_memory.h"
#include "tests/engine/tested_backends.h"
#include "tests/speculate/golden_files.h"

namespace draftscope {

std::vector<TestedBackend> tested_backends() {
  const Result<std::string> device = cuda_device();
  if (!device) return {};
  return {{*device, [](Precision precision) { return golden::must(make_cuda_backend({.precision = precision})); }}};
}

std::string missing_backend() {
  const Result<std::string> device = cuda_device();
  return device ? "" : device.error();
}

BackendChoice tested_choice() { return BackendChoice::kCuda; }

std::vector<float> cached(const KvStore& kv, int32_t length, bool keys) {
  const cuda::KvView view = static_cast<const cuda::CudaKv&>(kv).view;
  const size_t n_rows = static_cast<size_t>(view.n_layers) * view.n_kv_heads * view.capacity;
  CUDA_CHECK(cudaDeviceSynchronize());  // the backend's stream does not wait for the copy's
  std::vector<std::byte> bytes(n_rows * view.head_dim * (view.is_bf16 ? 2 : 4));
  CUDA_CHECK(cudaMemcpy(bytes.data(), keys ? view.keys : view.values, bytes.size(), cudaMemcpyDeviceToHost));
  std::vector<float> out;
  for (int64_t head = 0; head < static_cast<int64_t>(view.n_layers) * view.n_kv_heads; ++head) {
    const int64_t begin = head * view.capacity * view.head_dim, n = static_cast<int64_t>(length) * view.head_dim;
    for (int64_t i = begin; i < begin + n; ++i) {
      uint16_t half;
      float value;
      if (view.is_bf16) std::memcpy(&half, &bytes[static_cast<size_t>(i) * 2], 2), value = float_of_bf16(half);
      else std::memcpy(&value, &bytes[static_cast<size_t>(i) * 4], 4);
      out.push_back(value);
    }
  }
  return out;
}

}  // namespace draftscope
