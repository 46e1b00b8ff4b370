// Rounds on the emulated device, set up from the engine's own types and read back into them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "engine/speculate/budget.h"
#include "kernels/cuda/round_buffers.h"
#include "kernels/shared/frontier.h"
#include "tests/speculate/random_inputs.h"

namespace draftscope::cuda {

template <class T>
void put(const std::vector<T>& from, T* to) {
  if (from.empty()) return;
  CUDA_CHECK(cudaMemcpy(to, from.data(), from.size() * sizeof(T), cudaMemcpyHostToDevice));
}
template <class T>
std::vector<T> get(const T* from, int32_t n) {
  std::vector<T> to(static_cast<size_t>(n));
  if (n > 0) CUDA_CHECK(cudaMemcpy(to.data(), from, to.size() * sizeof(T), cudaMemcpyDeviceToHost));
  return to;
}
inline RoundState state_of(const RoundView& view) { return get(view.state, 1)[0]; }
inline TextRound text_of(const RoundView& view, int32_t text = 0) { return get(view.texts + text, 1)[0]; }

/// Buffers and a view on them that fit `q`, for one text or several of drafts as large.
struct DeviceRound {
  RoundLimits limits;
  RoundBuffers buffers;
  RoundView view;
  RoundParams params;
  RoundState state;
  std::vector<TextRound> texts;

  DeviceRound(const Marginals& q, int32_t max_nodes, int32_t answer_ranks = 1, int32_t n_texts = 1)
      : limits{.max_texts = n_texts, .max_nodes = max_nodes, .n_depths = q.n_depths, .n_ranks = q.n_ranks,
               .max_rows = max_nodes + n_texts, .answer_ranks = answer_ranks, .max_contexts = 8, .ring_slots = 2,
               .ring_ranks = 4},
        buffers(limits),
        view(buffers.view()),
        texts(static_cast<size_t>(n_texts)) {
    params.max_nodes = max_nodes;
    params.has_draft = 1;
    for (TextRound& text : texts) text.draws.n_ranks = answer_ranks;
    set_buckets({1, 2, 4, 8, 16, 24, 32, 64, 128, 256, 512});
    set_marginals(q);
  }
  DeviceRound(const DeviceRound&) = delete;

  void set_marginals(const Marginals& q, int32_t text = 0) {
    const ptrdiff_t first = ptrdiff_t{text} * q.n_depths * q.n_ranks;
    put(q.token, view.marginals.token + first);
    put(q.log_q, view.marginals.log_p + first);
  }
  /// Those that fit below one for the most nodes.
  void set_buckets(const std::vector<int32_t>& rows) {
    params.n_buckets = 0;
    for (const int32_t n : rows) {
      if (n < limits.max_rows) params.bucket_rows[params.n_buckets++] = n;
    }
    params.bucket_rows[params.n_buckets++] = limits.max_rows;
  }
  int32_t bucket_of(int32_t n_rows) const {
    return *std::lower_bound(params.bucket_rows, params.bucket_rows + params.n_buckets, n_rows);
  }
  /// One context only.
  void set_cost(const RoundCost& cost) {
    params.n_contexts = 1;
    params.overhead_s = cost.overhead_s;
    buffers.set_cost({{0}, {cost.draft_s}, cost.verify_s, cost.faithful_s}, nullptr);
  }
  void set_rule(const BudgetRule& rule) {
    params.budget = rule.budget;
    params.max_nodes = rule.max_nodes;
    params.fill_rows = rule.bucket_rows;
    switch (rule.method) {
      case Method::kDflash: params.rule = GrowRule::kChain; break;
      case Method::kDdtree: params.rule = GrowRule::kFixed; break;
      case Method::kCaddtree: params.rule = GrowRule::kThetaFalls; break;
      case Method::kExact: params.rule = GrowRule::kExact; break;
      case Method::kExactFill: params.rule = GrowRule::kExactFill; break;
      default: params.rule = GrowRule::kRoot;
    }
  }
  void upload() {
    buffers.set_params(params, nullptr);
    buffers.set_state(state, nullptr);
    buffers.set_texts(texts, nullptr);
  }
  /// Grows from the params and state as they stand here.
  void run_grow() {
    upload();
    grow(view, nullptr);
    read_back();
  }
  void read_back() {
    state = state_of(view);
    texts = get(view.texts, static_cast<int32_t>(texts.size()));
  }

  DraftTree tree(int32_t text = 0) const {
    const TextRound& of = texts[static_cast<size_t>(text)];
    const int32_t n = of.n_grown + 1, first = of.first_row;
    return {get(view.tree.token + first, n), get(view.tree.parent + first, n), get(view.tree.depth + first, n),
            get(view.tree.rank + first, n), get(view.tree.path_log_q + first, n)};
  }
};

inline void expect_same_tree(const DraftTree& device, const DraftTree& host) {
  EXPECT_EQ(device.token, host.token);
  EXPECT_EQ(device.parent, host.parent);
  EXPECT_EQ(device.depth, host.depth);
  EXPECT_EQ(device.rank, host.rank);
  EXPECT_EQ(device.path_log_q, host.path_log_q);  // bit for bit
}

/// Which cache rows a row of a pass on the device attends to, in order.
inline std::vector<int32_t> keys_of(const RowsView& rows, int32_t row) {
  const std::vector<int32_t> cache_row = get(rows.cache_row, rows.n_rows);
  const int32_t first = get(rows.first_key + row, 1)[0], n = get(rows.n_contiguous + row, 1)[0];
  std::vector<int32_t> keys;
  for (int32_t i = 0; i < n; ++i) keys.push_back(first + i);
  const std::vector<uint32_t> bits = get(rows.extra_bits + row * rows.bit_words, rows.bit_words);
  for (int32_t j = 0; j < rows.n_rows; ++j) {
    if (bits[static_cast<size_t>(j / 32)] >> j % 32 & 1) keys.push_back(cache_row[static_cast<size_t>(j)]);
  }
  return keys;
}

/// A device's exp may differ from the host's in the last bit: of two sizes as good as each other, either may win.
inline bool is_near_tie(const BudgetDecision& host, int32_t n) {
  const std::vector<double>& theta = host.theta_tokens_per_s;
  const double best = theta[static_cast<size_t>(host.chosen)];
  return n < static_cast<int32_t>(theta.size()) && std::abs(theta[static_cast<size_t>(n)] - best) <= 1e-12 * best;
}

}  // namespace draftscope::cuda
