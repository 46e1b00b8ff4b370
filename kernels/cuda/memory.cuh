// Loads that say where they pass, or that nobody waits for yet.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace draftscope::cuda {

/// Begins to copy 16 bytes to shared memory past registers and past L1, so that what other blocks of the launch wrote is
/// seen; zeros unless `wanted`, and then `from` is not touched.
__device__ __forceinline__ void start_copy(uint4* to_shared, const uint4* from, bool wanted) {
#if defined(__CUDACC__)
  const auto to = static_cast<uint32_t>(__cvta_generic_to_shared(to_shared));
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(wanted ? 16 : 0)
               : "memory");
#else
  ::emulated::start_async_copy({to_shared, wanted ? from : nullptr});
#endif
}
/// Makes a batch of this thread's copies since the last batch.
__device__ __forceinline__ void close_batch() {
#if defined(__CUDACC__)
  asm volatile("cp.async.commit_group;" ::: "memory");
#else
  ::emulated::close_async_batch();
#endif
}
/// Waits until all but this thread's last kUnfinished batches have arrived. The thread itself sees them then; others
/// after a barrier.
template <int kUnfinished>
__device__ __forceinline__ void wait_for_batches() {
#if defined(__CUDACC__)
  asm volatile("cp.async.wait_group %0;" ::"n"(kUnfinished) : "memory");
#else
  ::emulated::wait_for_async_batches(kUnfinished);
#endif
}

/// Begins to bring n floats, which no launch writes, from memory to L2; by all kThreads of a block.
template <int kThreads>
__device__ __forceinline__ void ask_for([[maybe_unused]] const float* from, [[maybe_unused]] int32_t n) {
#if defined(__CUDACC__)
  constexpr int32_t kLine = 32;
  for (int32_t i = kLine * static_cast<int32_t>(threadIdx.x); i < n; i += kLine * kThreads)
    asm volatile("prefetch.global.L2 [%0];" ::"l"(from + i));
#endif
}

}  // namespace draftscope::cuda
