#include "kernels/cuda/device.h"

#include "engine/base/check.h"

namespace draftscope::cuda {

OutOfMemory::OutOfMemory(size_t n_bytes) {
  size_t free = 0, total = 0;
  (void)cudaMemGetInfo(&free, &total);
  sentence_ = fmt::format("GPU memory: expected {} MiB more, found {} of {} MiB free", (n_bytes >> 20) + 1, free >> 20, total >> 20);
}

void check_call(cudaError_t status, const char* call, const char* file, int line) {
  if (status == cudaSuccess) return;
  check_failed(file, line, call, fmt::format("{} ({})", cudaGetErrorString(status), cudaGetErrorName(status)));
}

int device_attribute(cudaDeviceAttr attribute) {
  int device = 0, value = 0;
  CUDA_CHECK(cudaGetDevice(&device));
  CUDA_CHECK(cudaDeviceGetAttribute(&value, attribute, device));
  return value;
}

size_t most_shared_bytes() {
  static const auto most = static_cast<size_t>(device_attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin));
  return most;
}

}  // namespace draftscope::cuda
