#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/cpu/ops.h"

namespace draftscope {
namespace {

constexpr int64_t kVocabBlocks = 16;  // packed blocks per task: 256 logits of every row at once

struct Candidate {
  float logit;
  int32_t token;
};
// A total order, so the best k do not depend on who found them first.
bool better(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

// The best k candidates seen; pruned when it holds twice as many.
class Best {
 public:
  void reset(int32_t k) {
    k_ = k;
    kept_.clear();
    kept_.reserve(2 * static_cast<size_t>(k));
  }
  /// Logits of ascending tokens, `max` the largest of them.
  void offer(const float* logits, int64_t n, float max, int32_t first_token) {
    // Each thread sees tokens in ascending order, so a logit equal to the floor is worse than it.
    if (has_floor_ && max <= floor_.logit) return;
    for (int64_t i = 0; i < n; ++i) offer({logits[i], first_token + static_cast<int32_t>(i)});
  }
  const std::vector<Candidate>& kept() const { return kept_; }

 private:
  void offer(Candidate candidate) {
    if (has_floor_ && !better(candidate, floor_)) return;
    kept_.push_back(candidate);
    if (kept_.size() >= 2 * static_cast<size_t>(k_)) prune();
  }
  void prune() {
    std::nth_element(kept_.begin(), kept_.begin() + (k_ - 1), kept_.end(), better);
    kept_.resize(k_);
    floor_ = kept_[k_ - 1];
    has_floor_ = true;
  }
  int32_t k_ = 0;
  bool has_floor_ = false;
  Candidate floor_{};
  std::vector<Candidate> kept_;
};

// Maximum over all blocks and the log of the sum relative to it, combined in ascending order; partials
// (n_tasks,).
struct LogSum {
  double max, log_sum;
};
LogSum combine(const PartialSum* partials, int64_t n_tasks) {
  double max = partials[0].max;
  for (int64_t task = 1; task < n_tasks; ++task) max = std::max<double>(max, partials[task].max);
  double sum = 0;
  for (int64_t task = 0; task < n_tasks; ++task)
    sum += partials[task].sum * std::exp(partials[task].max - max);
  return {max, std::log(sum)};
}

}  // namespace

void head_top_k(const MatmulInput& x, const PackedMatrix& head, MatmulKernel kernel, const RowOps& ops,
                int32_t k, ThreadPool& pool, TopK& out) {
  const int64_t rows = x.rows;
  k = static_cast<int32_t>(std::min<int64_t>(k, head.n_out));
  const int64_t n_tasks = (head.n_blocks + kVocabBlocks - 1) / kVocabBlocks;
  std::vector<PartialSum> partials(static_cast<size_t>(rows * n_tasks));  // (rows, n_tasks)
  std::vector<Best> best(static_cast<size_t>(pool.n_threads()) * rows);   // (n_threads, rows)
  for (Best& each : best) each.reset(k);
  constexpr int64_t kCols = kVocabBlocks * kBlockCols;
  std::vector<float> logits(static_cast<size_t>(pool.n_threads()) * rows * kCols);  // (n_threads, rows, 256)

  pool.run(n_tasks, [&](int64_t task, int32_t thread) {
    float* tile = logits.data() + thread * rows * kCols;
    const int64_t first_block = task * kVocabBlocks;
    const int64_t last_block = std::min(first_block + kVocabBlocks, head.n_blocks);
    kernel(x, head, first_block, last_block, tile, kCols);
    const int64_t n = std::min(last_block * kBlockCols, head.n_out) - first_block * kBlockCols;
    for (int64_t row = 0; row < rows; ++row) {
      const PartialSum partial = ops.scan_logits(tile + row * kCols, n);
      partials[row * n_tasks + task] = partial;
      best[thread * rows + row].offer(tile + row * kCols, n, partial.max,
                                      static_cast<int32_t>(first_block * kBlockCols));
    }
  });

  out.rows = static_cast<int32_t>(rows);
  out.k = k;
  out.token.resize(static_cast<size_t>(rows) * k);
  out.log_p.resize(static_cast<size_t>(rows) * k);
  std::vector<Candidate> merged;
  for (int64_t row = 0; row < rows; ++row) {
    merged.clear();
    for (int32_t thread = 0; thread < pool.n_threads(); ++thread) {
      const std::vector<Candidate>& kept = best[thread * rows + row].kept();
      merged.insert(merged.end(), kept.begin(), kept.end());
    }
    std::partial_sort(merged.begin(), merged.begin() + k, merged.end(), better);
    const LogSum total = combine(partials.data() + row * n_tasks, n_tasks);
    for (int32_t rank = 0; rank < k; ++rank) {
      out.token[row * k + rank] = merged[rank].token;
      const double log_p = (merged[rank].logit - total.max) - total.log_sum;
      out.log_p[row * k + rank] =
          static_cast<float>(std::max<double>(log_p, std::numeric_limits<float>::lowest()));
    }
  }
}

}  // namespace draftscope
