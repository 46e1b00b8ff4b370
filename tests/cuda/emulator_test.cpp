// The emulated device does what CUDA says a device does.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "kernels/cuda/device.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/mma.cuh"

namespace draftscope::cuda {
namespace {

template <class T>
DeviceBuffer<T> to_device(const std::vector<T>& values) {
  DeviceBuffer<T> buffer(values.size());
  CUDA_CHECK(cudaMemcpy(buffer.data(), values.data(), buffer.n_bytes(), cudaMemcpyHostToDevice));
  return buffer;
}
template <class T>
std::vector<T> to_host(const DeviceBuffer<T>& buffer) {
  std::vector<T> values(buffer.size());
  CUDA_CHECK(cudaMemcpy(values.data(), buffer.data(), buffer.n_bytes(), cudaMemcpyDeviceToHost));
  return values;
}

/// sum[blockIdx.x] = sum of the block's n values.
__global__ void __launch_bounds__(256) sum_blocks(const float* x, int n, float* sum) {
  __shared__ float partial[kWarp];
  float value = 0;
  for (int i = threadIdx.x; i < n; i += blockDim.x) value += x[blockIdx.x * n + i];
#pragma unroll
  for (int step = kWarp / 2; step > 0; step /= 2) value += __shfl_down_sync(0xffffffffu, value, step);
  if (threadIdx.x % kWarp == 0) partial[threadIdx.x / kWarp] = value;
  __syncthreads();
  if (threadIdx.x != 0) return;
  float total = 0;
  for (unsigned w = 0; w < blockDim.x / kWarp; ++w) total += partial[w];
  sum[blockIdx.x] = total;
}

TEST(EmulatedDevice, ABlockReducesThroughShufflesAndSharedMemory) {
  std::vector<float> x(3 * 1000);
  std::iota(x.begin(), x.end(), 0.0f);
  const auto device_x = to_device(x);
  for (const bool backwards : {false, true}) {
    emulated::run_backwards(backwards);
    DeviceBuffer<float> sum(3);
    launch(sum_blocks, 3, 256, 0, nullptr, device_x.data(), 1000, sum.data());
    EXPECT_EQ(to_host(sum), (std::vector<float>{499500, 1499500, 2499500}));
  }
  emulated::run_backwards(false);
}

/// Turns the block's values round, in dynamic shared memory.
__global__ void reverse(int* x) {
  extern __shared__ uint4 dynamic_shared[];
  int* values = reinterpret_cast<int*>(dynamic_shared);
  values[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  x[threadIdx.x] = values[blockDim.x - 1 - threadIdx.x];
}

TEST(EmulatedDevice, DynamicSharedMemoryHasTheSizeOfTheLaunch) {
  std::vector<int> x(1000), reversed(1000);
  std::iota(x.begin(), x.end(), 0);
  std::reverse_copy(x.begin(), x.end(), reversed.begin());
  const auto device_x = to_device(x);
  launch(reverse, 1, 1000, 1000 * sizeof(int), nullptr, device_x.data());
  EXPECT_EQ(to_host(device_x), reversed);
}

TEST(EmulatedDevice, MoreThan48KibOfSharedMemoryHasToBeAllowed) {
  DeviceBuffer<int> x(32);
  cudaLaunchConfig_t config = {
      .gridDim = 1, .blockDim = 32, .dynamicSmemBytes = 100 * 1024, .stream = nullptr};
  EXPECT_EQ(cudaLaunchKernelEx(&config, reverse, x.data()), cudaErrorInvalidValue);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidValue);
  allow_shared(reverse, 100 * 1024);
  EXPECT_EQ(cudaLaunchKernelEx(&config, reverse, x.data()), cudaSuccess);
}

struct Votes {
  unsigned ballot, max, min, sum, own;
  int any, all, up, exchanged;
  double half;
  long long place;
};

__global__ void vote(Votes* votes) {
  const int lane = threadIdx.x;
  const unsigned full = 0xffffffffu, mine = lane < 16 ? 0xffffu : 0xffff0000u;
  Votes& v = votes[lane];
  v.ballot = __ballot_sync(full, lane % 3 == 0);
  v.any = __any_sync(full, lane == 7);
  v.all = __all_sync(full, lane == 7);
  v.max = __reduce_max_sync(full, static_cast<unsigned>(lane * 7 % 32));
  v.min = __reduce_min_sync(full, static_cast<unsigned>(lane + 5));
  v.sum = __reduce_add_sync(full, static_cast<unsigned>(lane));
  v.own = __reduce_add_sync(mine, 1u << lane);  // two halves, each on its own
  v.up = __shfl_up_sync(full, lane, 1);
  v.exchanged = __shfl_xor_sync(full, lane, 5);
  v.half = __shfl_sync(full, lane * 0.5, 3, 8);
  v.place = __shfl_down_sync(full, lane + (1LL << 40), 2, 4);
}

TEST(EmulatedDevice, WarpOperationsFollowTheProgrammingGuide) {
  DeviceBuffer<Votes> votes(32);
  launch(vote, 1, 32, 0, nullptr, votes.data());
  const std::vector<Votes> v = to_host(votes);
  for (int lane = 0; lane < 32; ++lane) {
    EXPECT_EQ(v[lane].ballot, 0x49249249u);
    EXPECT_TRUE(v[lane].any && !v[lane].all);
    EXPECT_EQ(v[lane].max, 31u);
    EXPECT_EQ(v[lane].min, 5u);
    EXPECT_EQ(v[lane].sum, 496u);
    EXPECT_EQ(v[lane].own, lane < 16 ? 0xffffu : 0xffff0000u);
    EXPECT_EQ(v[lane].up, lane == 0 ? 0 : lane - 1);
    EXPECT_EQ(v[lane].exchanged, lane ^ 5);
    EXPECT_EQ(v[lane].half, (lane / 8 * 8 + 3) * 0.5);
    EXPECT_EQ(v[lane].place, (lane % 4 < 2 ? lane + 2 : lane) + (1LL << 40));
  }
}

/// d (16, 8) += a (16, 16) b (16, 8), by one warp; fragments as mma.cuh documents them.
__global__ void product(const float* a, const float* b, float* d) {
  const int g = threadIdx.x / 4, t = threadIdx.x % 4;
  const auto pair_a = [&](int row, int col) { return pack_bf16(a[row * 16 + col], a[row * 16 + col + 1]); };
  const auto pair_b = [&](int row) { return pack_bf16(b[row * 8 + g], b[(row + 1) * 8 + g]); };
  const uint32_t fragment_a[4] = {pair_a(g, 2 * t), pair_a(g + 8, 2 * t), pair_a(g, 2 * t + 8),
                                  pair_a(g + 8, 2 * t + 8)};
  const uint32_t fragment_b[2] = {pair_b(2 * t), pair_b(2 * t + 8)};
  float* out[4] = {d + g * 8 + 2 * t, d + g * 8 + 2 * t + 1, d + (g + 8) * 8 + 2 * t,
                   d + (g + 8) * 8 + 2 * t + 1};
  float fragment_d[4] = {*out[0], *out[1], *out[2], *out[3]};
  mma_bf16(fragment_d, fragment_a, fragment_b);
  for (int i = 0; i < 4; ++i) *out[i] = fragment_d[i];
}

TEST(EmulatedDevice, TheTensorCoreGivesThePlainProduct) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  std::vector<float> a(16 * 16), b(16 * 8), d(16 * 8);
  for (auto* values : {&a, &b, &d}) {
    for (float& value : *values) value = __bfloat162float(__float2bfloat16_rn(normal(random)));
  }
  std::vector<float> expected = d;
  for (int row = 0; row < 16; ++row) {
    for (int col = 0; col < 8; ++col) {
      for (int k = 0; k < 16; ++k) expected[row * 8 + col] += a[row * 16 + k] * b[k * 8 + col];
    }
  }
  const auto device_a = to_device(a), device_b = to_device(b), device_d = to_device(d);
  launch(product, 1, 32, 0, nullptr, device_a.data(), device_b.data(), device_d.data());
  EXPECT_EQ(to_host(device_d), expected);
}

TEST(EmulatedDevice, Bf16RoundsToNearestEven) {
  const auto bits = [](float x) { return __bfloat16_as_ushort(__float2bfloat16_rn(x)); };
  EXPECT_EQ(bits(1.0f), 0x3f80);
  EXPECT_EQ(bits(1.0f + 1.0f / 256), 0x3f80);  // halfway, down to even
  EXPECT_EQ(bits(1.0f + 3.0f / 256), 0x3f82);  // halfway, up to even
  EXPECT_EQ(bits(3.4e38f), 0x7f80);            // overflows
  EXPECT_EQ(bits(std::nanf("")), 0x7fff);
  EXPECT_EQ(pack_bf16(1.0f, -2.0f), 0xc0003f80u);
  EXPECT_EQ(__half_as_ushort(__float2half_rn(1.0f + 1.0f / 2048)), 0x3c00);
}

__global__ void add_one(int* x) { atomicAdd(x, 1); }

TEST(EmulatedDevice, ACapturedGraphRunsWhenLaunchedAndNotBefore) {
  const auto x = to_device(std::vector<int>{0});
  PinnedBuffer<int> seen(1);
  *seen.host() = -1;
  const Stream stream = make_stream();
  const GraphExec graph = capture(stream.get(), [&] {
    launch(add_one, 2, 16, 0, stream.get(), x.data());
    CUDA_CHECK(cudaMemcpyAsync(seen.device(), x.data(), sizeof(int), cudaMemcpyDeviceToDevice, stream.get()));
  });
  EXPECT_EQ(*seen.host(), -1);
  const int64_t before = emulated::n_launches();
  for (int i = 1; i <= 3; ++i) {
    CUDA_CHECK(cudaGraphLaunch(graph.get(), stream.get()));
    CUDA_CHECK(cudaStreamSynchronize(stream.get()));
    EXPECT_EQ(*seen.host(), 32 * i);
  }
  EXPECT_EQ(emulated::n_launches() - before, 3);
}

TEST(EmulatedDevice, AllocatingSpoilsACapture) {
  const Stream stream = make_stream();
  CUDA_CHECK(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal));
  void* memory = nullptr;
  EXPECT_EQ(cudaMalloc(&memory, 16), cudaErrorStreamCaptureUnsupported);
  cudaGraph_t graph = nullptr;
  EXPECT_EQ(cudaStreamEndCapture(stream.get(), &graph), cudaErrorStreamCaptureInvalidated);
  EXPECT_EQ(graph, nullptr);
  (void)cudaGetLastError();
}

TEST(EmulatedDevice, FreshMemoryIsNaNAndFreedMemoryIsCounted) {
  const size_t before = emulated::live_bytes();
  {
    const DeviceBuffer<float> x(100);
    EXPECT_EQ(emulated::live_bytes() - before, 400u);
    for (const float value : to_host(x)) EXPECT_TRUE(std::isnan(value));
  }
  EXPECT_EQ(emulated::live_bytes(), before);
}

TEST(EmulatedDevice, MemoryRunsOut) {
  emulated::set_memory_bytes(1 << 20);
  EXPECT_THROW(DeviceBuffer<float>(1 << 20), std::bad_alloc);
  emulated::set_memory_bytes(size_t{8} << 30);
  EXPECT_NO_THROW(DeviceBuffer<float>(1 << 20));
}

TEST(EmulatedDevice, CopiesTellDeviceMemoryFromHostMemory) {
  const DeviceBuffer<int> x(4);
  int host[4] = {};
  EXPECT_EQ(cudaMemcpy(x.data(), host, sizeof host, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(x.data() + 1, host, sizeof host, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(x.data(), host, sizeof host, cudaMemcpyHostToDevice), cudaSuccess);
  (void)cudaGetLastError();
}

TEST(EmulatedDevice, EventsMeasureTime) {
  const Event start = make_event(), end = make_event();
  CUDA_CHECK(cudaEventRecord(start.get()));
  CUDA_CHECK(cudaEventRecord(end.get()));
  float ms = -1;
  CUDA_CHECK(cudaEventElapsedTime(&ms, start.get(), end.get()));
  EXPECT_GE(ms, 0);
}

TEST(EmulatedDevice, CanBeMissing) {
  emulated::set_device_error(cudaErrorNoDevice);
  int n = -1;
  EXPECT_EQ(cudaGetDeviceCount(&n), cudaErrorNoDevice);
  EXPECT_EQ(n, 0);
  EXPECT_STREQ(cudaGetErrorName(cudaGetLastError()), "cudaErrorNoDevice");
  void* memory = nullptr;
  EXPECT_EQ(cudaMalloc(&memory, 16), cudaErrorNoDevice);
  emulated::set_device_error(cudaSuccess);
  EXPECT_EQ(cudaGetDeviceCount(&n), cudaSuccess);
  EXPECT_EQ(n, 1);
  (void)cudaGetLastError();
}

}  // namespace
}  // namespace draftscope::cuda
