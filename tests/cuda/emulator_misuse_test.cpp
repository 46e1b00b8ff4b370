// What a device would punish with wrong numbers or a hang stops the emulated one with a sentence.
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <utility>

#include "kernels/cuda/device.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/memory.cuh"

namespace draftscope::cuda {
namespace {

// The address sanitizer sees a write beyond an allocation before the guard bytes do.
#ifdef __SANITIZE_ADDRESS__
constexpr const char* kBeyond = "AddressSanitizer: use-after-poison";
constexpr const char* kBeyondShared = kBeyond;
constexpr const char* kHidden = "AddressSanitizer: SEGV";
#else
constexpr const char* kBeyond =
    "guard bytes after a buffer of 40 bytes were overwritten, found after .*write_at";
constexpr const char* kBeyondShared =
    "write_shared.*the block wrote to byte 36 of 32 bytes of dynamic shared memory";
constexpr const char* kHidden = "";
#endif

__global__ void write_at(int* x, int i) { x[i] = 1; }

TEST(EmulatedDeviceMisuse, AWriteBeyondABufferIsFound) {
  const DeviceBuffer<int> x(10);
  launch(write_at, 1, 1, 0, nullptr, x.data(), 9);
  EXPECT_DEATH(launch(write_at, 1, 1, 0, nullptr, x.data(), 10), kBeyond);
}

__global__ void write_shared(int i) {
  extern __shared__ uint4 dynamic_shared[];
  reinterpret_cast<int*>(dynamic_shared)[i] = 1;
}

TEST(EmulatedDeviceMisuse, AWriteBeyondDynamicSharedMemoryIsFound) {
  launch(write_shared, 1, 1, 32, nullptr, 7);
  EXPECT_DEATH(launch(write_shared, 1, 1, 32, nullptr, 9), kBeyondShared);
}

__global__ void half_a_barrier(bool half) {
  if (half && threadIdx.x >= 32) return;
  __syncthreads();
}

TEST(EmulatedDeviceMisuse, ABarrierThatNotAllThreadsReachIsFound) {
  launch(half_a_barrier, 2, 64, 0, nullptr, false);
  EXPECT_DEATH(
      launch(half_a_barrier, 2, 64, 0, nullptr, true),
      "half_a_barrier\\(bool\\) of grid \\(2, 1, 1\\), block \\(64, 1, 1\\), in block \\(0, 0, 0\\).*"
      "of 64 threads 32 are at __syncthreads, 0 at a warp operation, 32 have returned");
}

__global__ void divergent_shuffle() {
  if (threadIdx.x < 5) (void)__shfl_sync(0xffffffffu, 1, 0);
}

TEST(EmulatedDeviceMisuse, AShuffleThatNotAllItsLanesReachIsFound) {
  EXPECT_DEATH(launch(divergent_shuffle, 1, 32, 0, nullptr),
               "5 at a warp operation such as __shfl_sync, 27 have returned");
}

__global__ void shuffle_outside() { (void)__shfl_sync(threadIdx.x < 16 ? 0xffffu : 0xffff0000u, 1, 3); }

TEST(EmulatedDeviceMisuse, AShuffleFromALaneOutsideTheMaskIsFound) {
  EXPECT_DEATH(launch(shuffle_outside, 1, 32, 0, nullptr),
               "reads lane 3, which is not in its mask 0xffff0000");
}

__global__ void different_operations() {
  if (threadIdx.x % 2 == 0) {
    __syncwarp();
  } else {
    (void)__ballot_sync(0xffffffffu, 1);
  }
}

TEST(EmulatedDeviceMisuse, LanesAtDifferentOperationsAreFound) {
  EXPECT_DEATH(launch(different_operations, 1, 32, 0, nullptr),
               "lane 1 is at __ballot_sync .* lane 0 waits at __syncwarp");
}

/// Two batches of copies; seen[i] is word i after waiting until all but the last `unfinished` are there.
__global__ void copy_late(const uint4* from, int unfinished, unsigned* seen) {
  __shared__ uint4 to[2];
  for (uint4& word : to) word = make_uint4(7, 7, 7, 7);
  for (int i = 0; i < 2; ++i) {
    start_copy(&to[i], &from[i], true);
    close_batch();
  }
  if (unfinished == 1) wait_for_batches<1>();
  for (int i = 0; i < 2; ++i) seen[i] = to[i].x;
  if (unfinished != 2) wait_for_batches<0>();
}

TEST(EmulatedDeviceMisuse, ACopyNobodyWaitedForIsNotThere) {
  const DeviceBuffer<uint4> from(2);
  const DeviceBuffer<unsigned> seen(2);
  from.data()[0] = from.data()[1] = make_uint4(1, 1, 1, 1);
  launch(copy_late, 1, 1, 0, nullptr, from.data(), 0, seen.data());
  EXPECT_EQ(std::pair(seen.data()[0], seen.data()[1]), std::pair(7u, 7u));
  launch(copy_late, 1, 1, 0, nullptr, from.data(), 1, seen.data());
  EXPECT_EQ(std::pair(seen.data()[0], seen.data()[1]), std::pair(1u, 7u));
  EXPECT_DEATH(launch(copy_late, 1, 1, 0, nullptr, from.data(), 2, seen.data()),
               "the thread ends while copies to shared memory are on their way");
}

TEST(EmulatedDeviceMisuse, AnOverlappingLaunchThatDoesNotWaitIsFound) {
  const DeviceBuffer<int> x(10);
  EXPECT_DEATH(launch(write_at, 1, 1, 0, LaunchStream(nullptr, true), x.data(), 9),
               "write_at.*the thread ends without having waited for the launch ahead");
}

TEST(EmulatedDeviceMisuse, AParameterInHostMemoryIsFound) {
  int x = 0;
  EXPECT_DEATH(launch(write_at, 1, 1, 0, nullptr, &x, 0),
               "pointer parameter 1 of 1 is neither device nor pinned memory");
}

TEST(EmulatedDeviceMisuse, HostCodeCannotTouchHiddenDeviceMemory) {
  const DeviceBuffer<int> x(1);
  emulated::hide_device_memory(true);
  launch(write_at, 1, 1, 0, nullptr, x.data(), 0);
  int seen = 0;
  CUDA_CHECK(cudaMemcpy(&seen, x.data(), sizeof seen, cudaMemcpyDeviceToHost));
  EXPECT_EQ(seen, 1);
  EXPECT_DEATH(*static_cast<volatile int*>(x.data()) = 2, kHidden);
  emulated::hide_device_memory(false);
}

}  // namespace
}  // namespace draftscope::cuda
