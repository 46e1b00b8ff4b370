#include "tests/bench/machine_ceilings.h"

#include <immintrin.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <span>

#include "engine/base/check.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/thread_pool.h"

namespace draftscope {
namespace {

constexpr int64_t kBufferBytes = int64_t{1}
                                 << 30;            // many times any last-level cache's share of a few threads
constexpr int64_t kChunkBytes = int64_t{8} << 20;  // per task
constexpr size_t kHugePage = size_t{2} << 20;

/// Memory in huge pages where the system gives them: with small ones, looking up addresses would be measured.
std::span<const std::byte> read_buffer() {
  static const std::unique_ptr<std::byte, decltype(&std::free)> memory = [] {
    auto* bytes = static_cast<std::byte*>(std::aligned_alloc(kHugePage, kBufferBytes));
    DS_CHECK(bytes != nullptr, "no memory for the read test");
    madvise(bytes, kBufferBytes, MADV_HUGEPAGE);
    std::memset(bytes, 1, kBufferBytes);
    return std::unique_ptr<std::byte, decltype(&std::free)>(bytes, &std::free);
  }();
  return {memory.get(), static_cast<size_t>(kBufferBytes)};
}

// Several streams side by side, software prefetch and eight sums: one stream alone understates what the
// memory gives, and how many are best differs between machines.
template <int kStreams>
__attribute__((target("avx2"))) int64_t sum_chunk(const std::byte* chunk) {
  constexpr int64_t kStream = kChunkBytes / kStreams, kStep = 128, kAhead = 1536;
  __m256i sums[8] = {};
  for (int64_t i = 0; i < kStream; i += kStep) {
#pragma GCC unroll 8
    for (int stream = 0; stream < kStreams; ++stream) {
      const std::byte* at = chunk + stream * kStream + i;
      _mm_prefetch(reinterpret_cast<const char*>(at) + kAhead, _MM_HINT_T0);
      _mm_prefetch(reinterpret_cast<const char*>(at) + kAhead + 64, _MM_HINT_T0);
#pragma GCC unroll 4
      for (int lane = 0; lane < 4; ++lane) {
        __m256i& sum = sums[(stream * 4 + lane) % 8];
        sum = _mm256_xor_si256(sum, _mm256_load_si256(reinterpret_cast<const __m256i*>(at + lane * 32)));
      }
    }
  }
  __m256i total = sums[0];
  for (int i = 1; i < 8; ++i) total = _mm256_xor_si256(total, sums[i]);
  return _mm256_extract_epi64(total, 0) ^ _mm256_extract_epi64(total, 1) ^ _mm256_extract_epi64(total, 2) ^
         _mm256_extract_epi64(total, 3);
}

__attribute__((target("avx512f,avx512bf16"))) float dot_burst(int64_t n) {
  constexpr int kChains = 24;  // enough independent sums to hide the instruction's latency
  __m512 sums[kChains];
  for (__m512& sum : sums) sum = _mm512_setzero_ps();
  __m512i left = _mm512_set1_epi32(0x3f803f80), right = _mm512_set1_epi32(0x3f003f00);
  for (int64_t i = 0; i < n; ++i) {
    asm volatile("" : "+v"(left), "+v"(right));  // the loop must multiply anew each time
#pragma GCC unroll 24
    for (int chain = 0; chain < kChains; ++chain) {
      sums[chain] =
          _mm512_dpbf16_ps(sums[chain], reinterpret_cast<__m512bh>(left), reinterpret_cast<__m512bh>(right));
    }
  }
  __m512 total = sums[0];
  for (int chain = 1; chain < kChains; ++chain) total = _mm512_add_ps(total, sums[chain]);
  return _mm512_cvtss_f32(total);
}

template <class Work>
double best_s(int repeats, bool one_thread, const Work& work) {
  double best = 1e30;
  for (int i = 0; i < repeats; ++i) {
    const double start = now_s(one_thread);
    work();
    best = std::min(best, now_s(one_thread) - start);
  }
  return best;
}

}  // namespace

double now_s(bool one_thread) {
  if (one_thread) return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double read_bandwidth(int32_t n_threads) {
  const std::span<const std::byte> buffer = read_buffer();
  ThreadPool pool(n_threads);
  std::atomic<int64_t> sink{0};
  double seconds = 1e30;
  for (const auto sum : {sum_chunk<1>, sum_chunk<2>, sum_chunk<4>, sum_chunk<8>}) {
    const auto read_all = [&] {
      pool.run(kBufferBytes / kChunkBytes,
               [&](int64_t task, int32_t) { sink ^= sum(buffer.data() + task * kChunkBytes); });
    };
    seconds = std::min(seconds, best_s(4, n_threads == 1, read_all));
  }
  return static_cast<double>(kBufferBytes) / seconds;
}

double bf16_dot_peak(int32_t n_threads) {
  if (supported_cpu_paths().back() < CpuPath::kAvx512Bf16) return 0;
  constexpr int64_t kLoops = 200000;
  ThreadPool pool(n_threads);
  std::atomic<float> sink{0};
  const double seconds = best_s(
      5, n_threads == 1, [&] { pool.run(n_threads, [&](int64_t, int32_t) { sink = dot_burst(kLoops); }); });
  return static_cast<double>(kLoops) * 24 * 64 * n_threads / seconds;
}

}  // namespace draftscope
