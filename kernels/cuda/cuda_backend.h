// The CUDA backend: the operations of kernels/backend.h on one NVIDIA GPU. Plain C++ for its callers; a build without
// CUDA has the same functions, which then say so.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "kernels/backend.h"

namespace draftscope {

/// What the first usable GPU is, e.g. "NVIDIA H200, sm_90, 140 GiB"; an Error with the reason when there is none, which is
/// a normal state: no driver, no device, a driver too old, a build without CUDA.
Result<std::string> cuda_device();

/// The operations on that GPU. Errors as cuda_device. bf16 weights stay bf16; others become float32.
Result<std::unique_ptr<Backend>> make_cuda_backend(Precision precision);

}  // namespace draftscope
