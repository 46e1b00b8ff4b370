// Activations as kernels see them: what kernels/types.h offers the host, for the device.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/types.h"

namespace draftscope::cuda {

__device__ __forceinline__ float* row_of(const Act& act, int32_t row) {
  return act.data + static_cast<int64_t>(row) * act.cols;
}
/// Number of pieces that the squares of a row are kept in.
__device__ __forceinline__ int32_t pieces_of(int32_t cols) { return (cols + kSquarePiece - 1) / kSquarePiece; }
__device__ __forceinline__ float* squares_of(const Act& act, int32_t row) {
  return act.squares + static_cast<int64_t>(row) * pieces_of(act.cols);
}

}  // namespace draftscope::cuda
