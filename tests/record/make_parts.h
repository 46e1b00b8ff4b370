// Parts of the messages of make_record.h: token texts, marginals, trees and budgets that look like real ones.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/utf8.h"
#include "engine/record/round.h"

namespace draftscope::test {

// Word starts, code, controls, several scripts, and characters split over tokens.
// clang-format off
inline constexpr std::string_view kTexts[] = {
    " the", " of", " draft", " tree", "ing", "er", "s", ".", ",", " a", "\n", "\n\n", "    ", "\t", "def", "(", ")",
    ":", " return", " x", " =", " +", "1", "0", "{", "}", "</", ">", "\"", "'", "\\n", "你好", "世", "界", "，", "。",
    "日本", "語", "の", "한국", "어", "été", " naïve", "ß", "Ω", "∑", " →", "🙂", "\xF0\x9F", "\x98\x80", "\xE4\xBD",
    "\xA0", "e\u0301", "שלום", "مرحبا", "नम", "<|im_end|>", "\x01", " verification", "internationalisation", "##",
    "**", "%d", ""};
// clang-format on
inline constexpr int32_t kTexts_n = std::size(kTexts);
inline constexpr int32_t kDepths = 15;

inline int32_t token_id(int32_t text) { return 11 + 2357 * text; }
inline std::string bytes_of(int32_t token) { return std::string(kTexts[(token - 11) / 2357]); }

struct Random {
  std::mt19937_64 engine;
  double unit() { return static_cast<double>(engine() >> 11) * 0x1p-53; }  // [0, 1)
  int32_t below(int32_t n) { return static_cast<int32_t>(unit() * n); }
  int64_t around_ns(double mean_s) { return static_cast<int64_t>(mean_s * (0.9 + 0.2 * unit()) * 1e9); }
};

/// n_ranks tokens at each of kDepths depths, less certain with depth; rows sum to 0.97.
inline Marginals make_marginals(Random& random, int32_t n_ranks) {
  Marginals q{kDepths, n_ranks, {}, {}};
  for (int32_t depth = 0; depth < kDepths; ++depth) {
    std::vector<int32_t> texts(kTexts_n);
    for (int32_t i = 0; i < kTexts_n; ++i) texts[i] = i;
    std::shuffle(texts.begin(), texts.end(), random.engine);
    std::vector<double> weight(n_ranks);
    const double fall = 0.3 + 1.7 * random.unit() / (1 + 0.2 * depth);
    for (int32_t rank = 0; rank < n_ranks; ++rank)
      weight[rank] = std::exp(-fall * rank - 0.2 * random.unit());
    std::sort(weight.begin(), weight.end(), std::greater<>());
    double sum = 0;
    for (const double w : weight) sum += w;
    for (int32_t rank = 0; rank < n_ranks; ++rank) {
      q.token.push_back(token_id(texts[rank]));
      q.log_q.push_back(static_cast<float>(std::log(0.97 * weight[rank] / sum)));
    }
  }
  return q;
}

/// The n_nodes likeliest prefixes, best first, below root_token.
inline DraftTree make_tree(const Marginals& q, int32_t root_token, int32_t n_nodes) {
  struct Candidate {
    double log_q;
    int32_t parent, depth, rank;
    bool operator<(const Candidate& other) const { return log_q < other.log_q; }
  };
  DraftTree tree{{root_token}, {-1}, {0}, {0}, {0.0}};
  std::priority_queue<Candidate> open;
  const auto offer = [&](int32_t parent, int32_t depth, int32_t rank) {
    if (depth > q.n_depths || rank >= q.n_ranks) return;
    open.push({tree.path_log_q[parent] + q.log_q_at(depth - 1, rank), parent, depth, rank});
  };
  offer(0, 1, 0);
  while (tree.size() <= n_nodes && !open.empty()) {
    const Candidate node = open.top();
    open.pop();
    tree.token.push_back(q.token_at(node.depth - 1, node.rank));
    tree.parent.push_back(node.parent);
    tree.depth.push_back(node.depth);
    tree.rank.push_back(node.rank);
    tree.path_log_q.push_back(node.log_q);
    offer(node.parent, node.depth, node.rank + 1);
    offer(tree.size() - 1, node.depth + 1, 0);
  }
  return tree;
}

/// Seconds of verifying n + 1 rows: a floor, a slope, and a step every 16 rows.
inline double make_cost_s(int32_t n) { return 0.020 + 0.00012 * n + 0.0009 * (n / 16); }

inline BudgetDecision make_decision(const DraftTree& tree) {
  BudgetDecision decision;
  double expected_tokens = 0;
  for (int32_t n = 0; n < tree.size(); ++n) {
    expected_tokens += std::exp(tree.path_log_q[n]);
    decision.expected_tokens.push_back(expected_tokens);
    decision.cost_s.push_back(0.006 + make_cost_s(n));
    decision.theta_tokens_per_s.push_back(expected_tokens / decision.cost_s.back());
  }
  const std::vector<double>& theta = decision.theta_tokens_per_s;
  decision.global_best = static_cast<int32_t>(std::max_element(theta.begin(), theta.end()) - theta.begin());
  while (decision.faithful_stop + 1 < tree.size() &&
         theta[decision.faithful_stop + 1] > theta[decision.faithful_stop]) {
    ++decision.faithful_stop;
  }
  decision.runner_up = decision.global_best == 0 ? 0 : decision.global_best - 1;
  decision.chosen = decision.global_best;
  decision.stop = tree.size() == 1 ? StopReason::kNone : StopReason::kBoundProved;
  return decision;
}

}  // namespace draftscope::test
