#include "tests/bench/machine_ceilings.h"

#include <immintrin.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <vector>

#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/thread_pool.h"

namespace draftscope {
namespace {

constexpr int64_t kWords = int64_t{40} << 20;  // 320 MB
constexpr int64_t kChunk = 1 << 20;            // 8 MB per task

// Eight streams side by side, each `stream_words` long, with software prefetch: one stream alone understates
// what the memory gives, and how far apart they should lie differs between machines.
__attribute__((target("avx2"))) int64_t sum_chunk(const int64_t* words, int64_t stream_words) {
  constexpr int kStreams = 8;
  __m256i sums[kStreams] = {};
  for (int64_t first = 0; first < kChunk; first += kStreams * stream_words) {
    for (int64_t i = first; i < first + stream_words; i += 8) {
#pragma GCC unroll 8
      for (int stream = 0; stream < kStreams; ++stream) {
        const int64_t* at = words + stream * stream_words + i;
        _mm_prefetch(reinterpret_cast<const char*>(at) + 1536, _MM_HINT_T0);
        sums[stream] =
            _mm256_xor_si256(sums[stream], _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
        sums[stream] =
            _mm256_xor_si256(sums[stream], _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + 4)));
      }
    }
  }
  __m256i total = sums[0];
  for (int stream = 1; stream < kStreams; ++stream) total = _mm256_xor_si256(total, sums[stream]);
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
  static const std::vector<int64_t> buffer(kWords, 1);
  ThreadPool pool(n_threads);
  std::atomic<int64_t> sink{0};
  double seconds = 1e30;
  for (const int64_t stream_words : {512, 4096, 16384, 131072}) {
    const auto read_all = [&] {
      pool.run(kWords / kChunk, [&](int64_t task, int32_t) {
        sink ^= sum_chunk(buffer.data() + task * kChunk, stream_words);
      });
    };
    seconds = std::min(seconds, best_s(4, n_threads == 1, read_all));
  }
  return static_cast<double>(kWords) * 8 / seconds;
}

double bf16_dot_peak(int32_t n_threads) {
  if (supported_cpu_paths().back() != CpuPath::kAvx512Bf16) return 0;
  constexpr int64_t kLoops = 200000;
  ThreadPool pool(n_threads);
  std::atomic<float> sink{0};
  const double seconds = best_s(
      5, n_threads == 1, [&] { pool.run(n_threads, [&](int64_t, int32_t) { sink = dot_burst(kLoops); }); });
  return static_cast<double>(kLoops) * 24 * 64 * n_threads / seconds;
}

}  // namespace draftscope
