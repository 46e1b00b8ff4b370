// Kernels with and without what orders their threads, for races_test.cpp.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace draftscope::cuda {

/// What a kernel leaves out.
enum class Without { kNothing, kFirst, kSecond };

/// A thread reads what its neighbour wrote, twice over.
__global__ void neighbours(int* out, Without without);
/// Every block writes the same place.
__global__ void same_place(int* out);
/// A lane reads what another lane of its warp wrote; a shuffle in between orders nothing.
__global__ void lanes(int* out, Without without);
/// Lanes of halves that meet apart.
__global__ void halves(int* value, bool across);
/// The last block to arrive adds up what all wrote.
__global__ void add_up(int* values, int32_t* arrived, int* sum);
/// The same with a fence where it orders nothing: before the barrier, or before the count only.
__global__ void add_up_wrongly(int* values, int32_t* arrived, int* sum, Without without);
/// Counts in shared memory; the total is read with or without a barrier.
__global__ void count(int* total, bool at_once);
/// Copies a word before or after it follows the launch ahead.
__global__ void copy_word(const int* from, int* to, bool follows_first);

}  // namespace draftscope::cuda
