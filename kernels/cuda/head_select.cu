// From tiles of logits to the best tokens and their log probabilities. A block works on one row; ranking, on a part.
#include "kernels/cuda/head.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/logit_key.cuh"

namespace draftscope::cuda {
namespace {

constexpr int kTotalThreads = 256;  // that add up a row's tiles
constexpr int kBestThreads = kTotalThreads;
constexpr int kSelectThreads = 1024;
constexpr int kMaxCandidates = 4096;  // that are sorted together; kMaxSelected at least
constexpr int kDigits = 256;

/// The words of the block's first kTotalThreads threads folded in pairs, a fixed order; shared (kTotalThreads,). All
/// threads call it.
template <class Fold>
__device__ __forceinline__ uint64_t fold_block(uint64_t value, uint64_t* shared, const Fold& fold) {
  const int thread = threadIdx.x;
  if (thread < kTotalThreads) shared[thread] = value;
  __syncthreads();
  for (int step = kTotalThreads / 2; step > 0; step /= 2) {
    if (thread < step) shared[thread] = fold(shared[thread], shared[thread + step]);
    __syncthreads();
  }
  const uint64_t folded = shared[0];
  __syncthreads();
  return folded;
}

__device__ uint64_t bits_of(double x) { return static_cast<uint64_t>(__double_as_longlong(x)); }
__device__ double double_of(uint64_t bits) { return __longlong_as_double(static_cast<long long>(bits)); }

/// A row's best token, and the log of the sum of e^(logit - best logit) over all tokens.
struct RowTotal {
  LogitKey best;
  double log_sum;

  __device__ float log_p(LogitKey key) const {
    const double log_p = (static_cast<double>(logit_of(key)) - static_cast<double>(logit_of(best))) - log_sum;
    return static_cast<float>(log_p > -FLT_MAX ? log_p : -FLT_MAX);
  }
};

/// Tiles are added in an order that depends on their number alone, the same in every kernel; shared (kTotalThreads,).
/// All threads call it.
__device__ __forceinline__ RowTotal total_of_row(const HeadView& head, int64_t row, uint64_t* shared) {
  const int64_t first = row * head.n_tiles;
  const int n_tiles = threadIdx.x < kTotalThreads ? head.n_tiles : 0;
  LogitKey best = 0;
  for (int tile = threadIdx.x; tile < n_tiles; tile += kTotalThreads) {
    const LogitKey key = key_of(head.stats.max[first + tile], head.stats.token[first + tile]);
    best = key > best ? key : best;
  }
  best = fold_block(best, shared, [](LogitKey a, LogitKey b) { return a > b ? a : b; });
  const double max = logit_of(best);
  double sum = 0;
  for (int tile = threadIdx.x; tile < n_tiles; tile += kTotalThreads) {
    sum = fma(static_cast<double>(head.stats.sum[first + tile]),
              exp(static_cast<double>(head.stats.max[first + tile]) - max), sum);
  }
  const auto add = [](uint64_t a, uint64_t b) { return bits_of(double_of(a) + double_of(b)); };
  return {best, log(double_of(fold_block(bits_of(sum), shared, add)))};
}

__global__ void __launch_bounds__(kBestThreads, 2) best_kernel(HeadView head, TopKView out) {
  __shared__ uint64_t shared[kBestThreads];
  follow();
  const RowTotal total = total_of_row(head, blockIdx.x, shared);
  if (threadIdx.x != 0) return;
  out.token[blockIdx.x] = token_of(total.best);
  out.log_p[blockIdx.x] = total.log_p(total.best);
}

struct SelectShared {
  LogitKey keys[kMaxCandidates];
  unsigned counts[kDigits];  // of keys by their digit
  int digit, rank, n_keys;
};

/// Finds the digit of the key that is rank-th from the largest (1, 2, ...): shared.digit, and its rank among the keys
/// of that digit: shared.rank. One warp takes part; a lane counts eight digits.
__device__ void find_digit(int rank, SelectShared& shared) {
  constexpr int kEach = kDigits / kWarp;
  const int lane = threadIdx.x, first = kDigits - 1 - lane * kEach;
  int own = 0;
  for (int i = 0; i < kEach; ++i) own += static_cast<int>(shared.counts[first - i]);
  int through = own;  // keys of this lane's digits and of all larger ones
  for (int step = 1; step < kWarp; step *= 2) {
    const int of_other = __shfl_up_sync(0xffffffffu, through, step);
    if (lane >= step) through += of_other;
  }
  int left = rank - (through - own);
  if (left < 1 || left > own) return;
  for (int digit = first;; --digit) {
    const auto count = static_cast<int>(shared.counts[digit]);
    if (left <= count) {
      shared.digit = digit;
      shared.rank = left;
      return;
    }
    left -= count;
  }
}

/// The rank-th largest of at least `rank` keys below 2^kBits, digit by digit; for_each hands each key to what it is
/// given. All threads call it.
template <int kBits, class ForEach>
__device__ uint64_t ranked_key(int rank, const ForEach& for_each, SelectShared& shared) {
  uint64_t found = 0;
  for (int shift = kBits - 8; shift >= 0; shift -= 8) {
    for (int i = threadIdx.x; i < kDigits; i += kSelectThreads) shared.counts[i] = 0;
    __syncthreads();
    for_each([&](uint64_t key) {
      if (key >> shift >> 8 == found) atomicAdd(&shared.counts[key >> shift & (kDigits - 1)], 1u);
    });
    __syncthreads();
    if (threadIdx.x < kWarp) find_digit(rank, shared);
    __syncthreads();
    found = found << 8 | static_cast<uint64_t>(shared.digit);
    rank = shared.rank;
    __syncthreads();
  }
  return found;
}

/// Hands every key of the row whose logit is at least `floor` (as ordered bits) to `take`; tiles without one are not
/// read.
template <class Take>
__device__ void for_each_logit(const HeadView& head, int64_t row, uint32_t floor, const Take& take) {
  constexpr int kWarps = kSelectThreads / kWarp, kAtOnce = 4;  // loads on their way
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  const float* max = head.stats.max + row * head.n_tiles;
  const auto* logits = reinterpret_cast<const float4*>(head.logits + row * head.n_tiles * kTileOut);
  for (int base = 0; base < head.n_tiles; base += kWarps * kWarp) {
    const int own = base + warp + lane * kWarps;
    unsigned wanted = __ballot_sync(0xffffffffu, own < head.n_tiles && ordered_bits(max[own]) >= floor);
    while (wanted != 0) {
      int tile[kAtOnce];
      float4 of_tile[kAtOnce];
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) {
        tile[i] = wanted != 0 ? base + warp + (__ffs(static_cast<int>(wanted)) - 1) * kWarps : -1;
        wanted &= wanted - 1;
        if (tile[i] >= 0) of_tile[i] = logits[tile[i] * (kTileOut / 4) + lane];
      }
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) {
        if (tile[i] < 0) continue;
        const float four[4] = {of_tile[i].x, of_tile[i].y, of_tile[i].z, of_tile[i].w};
        for (int e = 0; e < 4; ++e) {
          const int32_t token = tile[i] * kTileOut + 4 * lane + e;
          if (token < head.n_out && ordered_bits(four[e]) >= floor) take(key_of(four[e], token));
        }
      }
    }
  }
}

/// Sorts n keys, descending, among zeros that it appends.
__device__ void sort_descending(LogitKey* keys, int n) {
  int size = 2;
  while (size < n) size *= 2;
  for (int i = n + static_cast<int>(threadIdx.x); i < size; i += kSelectThreads) keys[i] = 0;
  __syncthreads();
  for (int width = 2; width <= size; width *= 2) {  // bitonic
    for (int step = width / 2; step > 0; step /= 2) {
      for (int i = threadIdx.x; i < size / 2; i += kSelectThreads) {
        const int low = 2 * i - (i & (step - 1)), high = low + step;
        const LogitKey a = keys[low], b = keys[high];
        if ((a < b) == ((low & width) == 0)) {
          keys[low] = b;
          keys[high] = a;
        }
      }
      __syncthreads();
    }
  }
}

/// The best k <= kMaxSelected tokens of a row, best first.
__global__ void __launch_bounds__(kSelectThreads) select_kernel(HeadView head, TopKView out) {
  __shared__ SelectShared shared;
  follow();
  const auto row = static_cast<int64_t>(blockIdx.x);
  const RowTotal total = total_of_row(head, row, shared.keys);
  // As many tiles as tokens are wanted have a maximum of at least `floor`: no worse token is among the best.
  const auto for_each_max = [&](const auto& take) {
    for (int tile = threadIdx.x; tile < head.n_tiles; tile += kSelectThreads)
      take(ordered_bits(head.stats.max[row * head.n_tiles + tile]));
  };
  const uint32_t floor = head.n_tiles < out.k ? 0 : static_cast<uint32_t>(ranked_key<32>(out.k, for_each_max, shared));
  const auto gather = [&](LogitKey at_least) {
    if (threadIdx.x == 0) shared.n_keys = 0;
    __syncthreads();
    for_each_logit(head, row, floor, [&](LogitKey key) {
      if (key < at_least) return;
      const int i = atomicAdd(&shared.n_keys, 1);
      if (i < kMaxCandidates) shared.keys[i] = key;
    });
    __syncthreads();
  };
  gather(0);
  if (shared.n_keys > kMaxCandidates) {  // many equal ones, or a small vocabulary: then the last one exactly
    const auto for_each = [&](const auto& take) { for_each_logit(head, row, floor, take); };
    gather(ranked_key<64>(out.k, for_each, shared));
  }
  sort_descending(shared.keys, shared.n_keys);
  for (int i = threadIdx.x; i < out.k; i += kSelectThreads) {
    out.token[row * out.k + i] = token_of(shared.keys[i]);
    out.log_p[row * out.k + i] = total.log_p(shared.keys[i]);
  }
}

/// Any k: a token's place is the number of better ones. Quadratic in the vocabulary.
__global__ void __launch_bounds__(kBestThreads) rank_kernel(HeadView head, TopKView out) {
  __shared__ uint64_t shared[kBestThreads];
  follow();
  const auto row = static_cast<int64_t>(blockIdx.y);
  const RowTotal total = total_of_row(head, row, shared);
  const float* logits = head.logits + row * head.n_tiles * kTileOut;
  const auto token = static_cast<int32_t>(blockIdx.x * kBestThreads + threadIdx.x);
  const LogitKey own = token < head.n_out ? key_of(logits[token], token) : 0;
  int rank = 0;
  for (int32_t first = 0; first < head.n_out; first += kBestThreads) {
    const int32_t other = first + static_cast<int32_t>(threadIdx.x);
    __syncthreads();
    shared[threadIdx.x] = other < head.n_out ? key_of(logits[other], other) : 0;
    __syncthreads();
    for (int i = 0; i < kBestThreads; ++i) rank += shared[i] > own;
  }
  if (token >= head.n_out || rank >= out.k) return;
  out.token[row * out.k + rank] = token;
  out.log_p[row * out.k + rank] = total.log_p(own);
}

}  // namespace

void take_best(const HeadView& view, TopKView out, LaunchStream stream) {
  launch(best_kernel, dim3(view.rows), dim3(kBestThreads), 0, stream, view, out);
}

void take_top_k(const HeadView& view, TopKView out, LaunchStream stream) {
  if (out.k <= kMaxSelected) {
    launch(select_kernel, dim3(view.rows), dim3(kSelectThreads), 0, stream, view, out);
  } else {
    const dim3 grid(ceil_div(view.n_out, kBestThreads), view.rows);
    launch(rank_kernel, grid, dim3(kBestThreads), 0, stream, view, out);
  }
}

}  // namespace draftscope::cuda
