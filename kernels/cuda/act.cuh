// Activations as kernels see them: what kernels/types.h offers the host, for the device.
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda/mma.cuh"
#include "kernels/types.h"

namespace draftscope::cuda {

__device__ __forceinline__ float* row_of(const Act& act, int32_t row) {
  return act.data + static_cast<int64_t>(row) * act.cols;
}
__device__ __forceinline__ uint16_t* bf16_row_of(const Act& act, int32_t row) {
  return act.bf16 + static_cast<int64_t>(row) * act.cols;
}
/// One number, widened where `act` is bf16.
__device__ __forceinline__ float get(const Act& act, int32_t row, int32_t col) {
  return act.bf16 == nullptr ? row_of(act, row)[col] : __uint_as_float(uint32_t{bf16_row_of(act, row)[col]} << 16);
}
/// Writes one number, rounded where `act` is bf16.
__device__ __forceinline__ void put(const Act& act, int32_t row, int32_t col, float value) {
  if (act.bf16 == nullptr)
    row_of(act, row)[col] = value;
  else
    bf16_row_of(act, row)[col] = __bfloat16_as_ushort(__float2bfloat16_rn(value));
}
/// Writes two neighbours, the first in an even column of an even number.
__device__ __forceinline__ void put(const Act& act, int32_t row, int32_t col, float2 pair) {
  if (act.bf16 == nullptr)
    *reinterpret_cast<float2*>(row_of(act, row) + col) = pair;
  else
    *reinterpret_cast<uint32_t*>(bf16_row_of(act, row) + col) = pack_bf16(pair.x, pair.y);
}
/// Number of pieces that the squares of a row are kept in.
__device__ __forceinline__ int32_t pieces_of(int32_t cols) { return (cols + kSquarePiece - 1) / kSquarePiece; }
__device__ __forceinline__ float* squares_of(const Act& act, int32_t row) {
  return act.squares + static_cast<int64_t>(row) * pieces_of(act.cols);
}

}  // namespace draftscope::cuda
