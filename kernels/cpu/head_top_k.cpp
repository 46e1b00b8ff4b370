#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "kernels/cpu/ops.h"

namespace draftscope {
namespace {

constexpr int64_t kVocabBlocks = 16;                      // packed blocks per task:
constexpr int64_t kTileCols = kVocabBlocks * kBlockCols;  // 256 logits of every row at once
constexpr int64_t kNumbersPerTask = 4096;  // of the closing work per row: some microseconds, above a dispatch

constexpr int64_t kFewKeys = 1024;  // room at the start: what some hundred ranks never leave

// The best k keys seen, among others; pruned when there are twice as many.
class Best {
 public:
  /// Keys that `memory` must have room for.
  static int64_t room(int64_t k) { return std::min(2 * k, kFewKeys) + kTileCols + 8; }
  void reset(LogitKey* memory, int64_t k) {
    keys_ = memory;
    room_ = room(k);
    k_ = k;
  }
  /// Logits (n,) as LogitOps::scan leaves them, `max` the largest of them.
  void offer(const LogitOps& ops, const float* logits, int64_t n, float max, int32_t first_token) {
    if (key_of(max, first_token) <= floor_) return;
    if (k_ == 1) {
      const auto column = static_cast<int32_t>(std::find(logits, logits + n, max) - logits);
      const LogitKey key = key_of(max, first_token + column);
      if (key > floor_) keys_[0] = floor_ = key;
      n_ = 1;
      return;
    }
    if (n_ + n + 8 > room_) grow(n_ + n + 8);
    n_ += ops.filter(logits, n, first_token, floor_, keys_ + n_);
    if (n_ >= 2 * k_) n_ = ops.keep_best(keys_, n_, k_, k_ / 4, floor_);
  }
  const LogitKey* begin() const { return keys_; }
  const LogitKey* end() const { return keys_ + n_; }

 private:
  // A thread sees a part of the vocabulary: 2 k keys for every row and thread would be gigabytes where k is all of it.
  void grow(int64_t n_keys) {
    room_ = 2 * n_keys;
    auto more = std::make_unique_for_overwrite<LogitKey[]>(static_cast<size_t>(room_));
    std::copy(keys_, keys_ + n_, more.get());
    grown_ = std::move(more);
    keys_ = grown_.get();
  }

  LogitKey* keys_ = nullptr;  // into the memory given or grown_
  std::unique_ptr<LogitKey[]> grown_;
  int64_t room_ = 0, k_ = 0, n_ = 0;
  LogitKey floor_ = std::numeric_limits<LogitKey>::min();  // at least k keys are above it
};

// Maximum over all tasks and the log of the sum relative to it, combined in ascending order.
struct LogSum {
  double max, log_sum;
};
// partials: every stride-th of n_tasks * stride.
LogSum combine(const PartialSum* partials, int64_t n_tasks, int64_t stride) {
  double max = partials[0].max;
  for (int64_t i = 1; i < n_tasks; ++i) max = std::max<double>(max, partials[i * stride].max);
  double sum = 0;
  for (int64_t i = 0; i < n_tasks; ++i)
    sum += partials[i * stride].sum * std::exp(partials[i * stride].max - max);
  return {max, std::log(sum)};
}

// Writes one row's k best; `keys` holds what all threads kept.
void finish_row(const LogitOps& ops, std::vector<LogitKey>& keys, LogSum total, int64_t row, TopK& out) {
  auto n = static_cast<int64_t>(keys.size());
  LogitKey floor;
  if (n > out.k) n = ops.keep_best(keys.data(), n, out.k, 0, floor);
  std::sort(keys.begin(), keys.begin() + n, std::greater<>());
  for (int64_t rank = 0; rank < out.k; ++rank) {
    const double log_p = (logit_of(keys[rank]) - total.max) - total.log_sum;
    out.token[row * out.k + rank] = token_of(keys[rank]);
    out.log_p[row * out.k + rank] =
        static_cast<float>(std::max<double>(log_p, std::numeric_limits<float>::lowest()));
  }
}

}  // namespace

void head_top_k(const MatmulInput& x, const PackedMatrix& head, MatmulKernel kernel, const LogitOps& ops,
                int32_t k, ThreadPool& pool, TopK& out) {
  const int64_t rows = x.rows, n_threads = pool.n_threads();
  out.rows = static_cast<int32_t>(rows);
  out.k = k = static_cast<int32_t>(std::min<int64_t>(k, head.n_out));
  out.token.resize(static_cast<size_t>(rows) * k);
  out.log_p.resize(static_cast<size_t>(rows) * k);
  const int64_t n_tasks = (head.n_blocks + kVocabBlocks - 1) / kVocabBlocks;
  std::vector<PartialSum> partials(static_cast<size_t>(n_tasks * rows));  // (n_tasks, rows)
  std::vector<Best> best(static_cast<size_t>(n_threads * rows));          // (n_threads, rows)
  const auto keys = std::make_unique_for_overwrite<LogitKey[]>(best.size() * Best::room(k));
  for (size_t i = 0; i < best.size(); ++i) best[i].reset(keys.get() + i * Best::room(k), k);
  const auto logits = std::make_unique_for_overwrite<float[]>(n_threads * rows * kTileCols);

  pool.run(n_tasks, [&](int64_t task, int32_t thread) {
    float* tile = logits.get() + thread * rows * kTileCols;
    const int64_t first_block = task * kVocabBlocks;
    const int64_t last_block = std::min(first_block + kVocabBlocks, head.n_blocks);
    kernel(x, head, first_block, last_block, tile, kTileCols);
    const int64_t first_token = first_block * kBlockCols;
    const int64_t n = std::min(last_block * kBlockCols, head.n_out) - first_token;
    for (int64_t row = 0; row < rows; ++row) {
      float* of_row = tile + row * kTileCols;
      const PartialSum partial = ops.scan(of_row, n);
      partials[task * rows + row] = partial;
      best[thread * rows + row].offer(ops, of_row, n, partial.max, static_cast<int32_t>(first_token));
    }
  });

  const int64_t rows_per_task = std::max<int64_t>(1, kNumbersPerTask / (n_tasks + n_threads * k));
  pool.run((rows + rows_per_task - 1) / rows_per_task, [&](int64_t task, int32_t) {
    std::vector<LogitKey> kept;
    for (int64_t row = task * rows_per_task; row < std::min((task + 1) * rows_per_task, rows); ++row) {
      kept.clear();
      for (int64_t thread = 0; thread < n_threads; ++thread) {
        const Best& of_thread = best[thread * rows + row];
        kept.insert(kept.end(), of_thread.begin(), of_thread.end());
      }
      finish_row(ops, kept, combine(partials.data() + row, n_tasks, rows), row, out);
    }
  });
}

}  // namespace draftscope
