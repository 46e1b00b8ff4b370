// In a file of its own: these report their accesses, and the test framework does not.
#include "tests/cuda/racing_kernels.h"

#include "kernels/cuda/arrival.cuh"
#include "kernels/cuda/launch.h"

namespace draftscope::cuda {

__global__ void neighbours(int* out, Without without) {
  __shared__ int value[64];
  const int thread = threadIdx.x;
  for (int turn = 0; turn < 2; ++turn) {
    value[thread] = thread + turn;
    if (without != Without::kFirst) __syncthreads();
    out[thread] = value[(thread + 1) % 64];
    if (without != Without::kSecond) __syncthreads();
  }
}

__global__ void same_place(int* out) { out[threadIdx.x] = 1; }

__global__ void lanes(int* out, Without without) {
  __shared__ int value[64];
  const int thread = threadIdx.x;
  value[thread] = thread;
  (void)__shfl_xor_sync(0xffffffffu, thread, 1);
  if (without != Without::kFirst) __syncwarp();
  out[thread] = value[without == Without::kSecond ? 63 - thread : thread ^ 31];
}

__global__ void halves(int* value, bool across) {
  const int thread = threadIdx.x;
  value[thread] = thread;
  __syncwarp(thread < 16 ? 0xffffu : 0xffff0000u);
  value[64 + thread] = value[across ? 31 - thread : thread ^ 15];
}

__global__ void add_up(int* values, int32_t* arrived, int* sum) {
  values[blockIdx.x * 64 + threadIdx.x] = 1;
  if (!arrives_last(arrived, static_cast<int32_t>(gridDim.x))) return;
  if (threadIdx.x != 0) return;
  *sum = 0;
  for (unsigned i = 0; i < gridDim.x * 64; ++i) *sum += values[i];
}

__global__ void add_up_wrongly(int* values, int32_t* arrived, int* sum, Without without) {
  values[blockIdx.x * 64 + threadIdx.x] = 1;
  __shared__ bool is_last;
  if (without == Without::kFirst) __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) {
    if (without == Without::kSecond) __threadfence();
    is_last = atomicAdd(arrived, 1) == static_cast<int>(gridDim.x) - 1;
    if (without == Without::kFirst) __threadfence();
  }
  __syncthreads();
  if (!is_last || threadIdx.x != 0) return;
  *sum = 0;
  for (unsigned i = 0; i < gridDim.x * 64; ++i) *sum += values[i];
}

__global__ void count(int* total, bool at_once) {
  __shared__ int counted;
  if (threadIdx.x == 0) counted = 0;
  __syncthreads();
  atomicAdd(&counted, 1);
  if (!at_once) __syncthreads();
  if (threadIdx.x == 63) *total = counted;
}

__global__ void copy_word(const int* from, int* to, bool follows_first) {
  if (follows_first) follow();
  const int word = *from;
  if (!follows_first) follow();
  *to = word;
}

}  // namespace draftscope::cuda
