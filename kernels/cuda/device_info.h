// Which GPU there is, and in words why there is none.
#pragma once

#include <cuda_runtime.h>

#include <string>

namespace draftscope::cuda {

constexpr int kMinMajor = 8;  // compute capability of the oldest GPU with bf16 tensor cores, and of the oldest code embedded

/// Why no device can be used, from the status of the first call; `driver` and `runtime` as CUDA numbers its versions.
std::string no_device_reason(cudaError_t status, int driver, int runtime);

/// Whether the current device can begin a launch while the one before it ends: sm_90 and later.
bool can_overlap();

}  // namespace draftscope::cuda
