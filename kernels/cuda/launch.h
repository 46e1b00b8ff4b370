// launch: the one way a kernel is started. Works inside graph capture.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>

#include "kernels/cuda/device.h"
#include "kernels/cuda/launch_stream.h"

namespace draftscope::cuda {

constexpr int kWarp = 32;

/// Starts kernel(args...) on `stream` with `shared_bytes` of dynamic shared memory. Arguments convert to the kernel's
/// parameter types. An empty grid starts nothing.
template <class... Params, class... Args>
void launch(void (*kernel)(Params...), dim3 grid, dim3 block, size_t shared_bytes, LaunchStream stream, Args... args) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  cudaLaunchConfig_t config = {};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared_bytes;
  config.stream = stream;
  cudaLaunchAttribute overlap = {};
  overlap.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  overlap.val.programmaticStreamSerializationAllowed = 1;
  if (stream.overlaps) config.attrs = &overlap, config.numAttrs = 1;
  CUDA_CHECK(cudaLaunchKernelEx(&config, kernel, static_cast<Params>(args)...));
}

/// Every thread of every kernel calls it before it touches anything that a launch before this one reads or writes, so that
/// all launches ahead have ended once it returns: each has waited for its own. What no launch writes, such as weights,
/// may be asked for earlier. The next launch may then begin to fill the places that this one's blocks leave.
/// Without overlapping launches, and on chips before sm_90, it does nothing.
__device__ __forceinline__ void follow() {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
  cudaTriggerProgrammaticLaunchCompletion();
  cudaGridDependencySynchronize();
#endif
}

/// Lets a kernel use more than 48 KiB of dynamic shared memory; once per kernel, before its first launch.
template <class... Params>
void allow_shared(void (*kernel)(Params...), size_t shared_bytes) {
  CUDA_CHECK(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                                  static_cast<int>(shared_bytes)));
}

}  // namespace draftscope::cuda
