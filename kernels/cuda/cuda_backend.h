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

struct CudaOptions {
  Precision precision = Precision::kBf16;
  Numerics numerics = Numerics::kInvariant;
  bool launches_overlap = true;  // where the chip can: a launch begins while the one before it ends; bits are the same
  std::string cache_folder;  // where the times behind Numerics::kFastest are kept; empty: nowhere
};

/// The operations on that GPU. Errors as cuda_device. bf16 weights stay bf16; others become float32. Where kFastest
/// cannot be had (no cuBLASLt, float32 activations) products stay invariant, and note() of the backend says why.
Result<std::unique_ptr<Backend>> make_cuda_backend(const CudaOptions& options);

}  // namespace draftscope
