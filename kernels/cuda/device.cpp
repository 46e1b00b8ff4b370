#include "kernels/cuda/device.h"

#include "engine/base/check.h"

namespace draftscope::cuda {

void check_call(cudaError_t status, const char* call, const char* file, int line) {
  if (status == cudaSuccess) return;
  check_failed(file, line, call, fmt::format("{} ({})", cudaGetErrorString(status), cudaGetErrorName(status)));
}

}  // namespace draftscope::cuda
