// launch: the one way a kernel is started. Works inside graph capture.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>

#include "kernels/cuda/device.h"

namespace draftscope::cuda {

constexpr int kWarp = 32;

/// Starts kernel(args...) on `stream` with `shared_bytes` of dynamic shared memory. Arguments convert to the kernel's
/// parameter types. An empty grid starts nothing.
template <class... Params, class... Args>
void launch(void (*kernel)(Params...), dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream, Args... args) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  cudaLaunchConfig_t config = {};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared_bytes;
  config.stream = stream;
  CUDA_CHECK(cudaLaunchKernelEx(&config, kernel, static_cast<Params>(args)...));
}

/// Lets a kernel use more than 48 KiB of dynamic shared memory; once per kernel, before its first launch.
template <class... Params>
void allow_shared(void (*kernel)(Params...), size_t shared_bytes) {
  CUDA_CHECK(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                                  static_cast<int>(shared_bytes)));
}

}  // namespace draftscope::cuda
