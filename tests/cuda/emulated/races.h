// Finds races: two accesses to the same bytes by different threads of a launch, one of them a write, that nothing orders.
// Only with DS_RACES, where the compiler makes kernels report every access (-fsanitize=thread, answered here instead of by
// its own library); elsewhere all of this is empty.
//
// What orders is what CUDA promises, whatever order the emulated device happens to run in: within a block __syncthreads,
// within a warp __syncwarp (and no shuffle), between blocks a fence before an atomic operation and a fence after one on the
// same address that came later. Of launches that overlap, a thread may read only what no launch has written until it has
// waited for the launch ahead.
#pragma once

#include <cstddef>
#include <cstdint>

namespace emulated::races {

#ifdef DS_RACES
void begin_launch();
void begin_block(int64_t number);
void block_barrier();
void warp_barrier(uint32_t lanes);  // of the running thread's warp
void fence();                       // of the running thread, for other blocks
void atomic(const void* p, size_t n_bytes);
/// Looks at [p, p + n) from now on, or no longer.
void watch(const void* p, size_t n_bytes);
void forget(const void* p, size_t n_bytes);
#else
inline void begin_launch() {}
inline void begin_block(int64_t /*number*/) {}
inline void block_barrier() {}
inline void warp_barrier(uint32_t /*lanes*/) {}
inline void fence() {}
inline void atomic(const void* /*p*/, size_t /*n_bytes*/) {}
inline void watch(const void* /*p*/, size_t /*n_bytes*/) {}
inline void forget(const void* /*p*/, size_t /*n_bytes*/) {}
#endif

}  // namespace emulated::races
