// Made-up dense texts whose drafter is wrong in a known way: the text comes first, then every row puts its next token
// at a rank drawn from the truth, whatever the row states.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <random>
#include <vector>

#include "engine/lab/dense.h"

namespace draftscope {

/// One row before it is drawn: what the drafter says of each rank, descending, and how often the rank is right. The
/// rest of the truth is a token that the row does not keep.
struct DraftedRow {
  std::vector<double> stated, truth;
};

/// n_tokens positions of n_depths rows. `row` draws the row at a depth below a node that is on the chain of ranks 0 or
/// is not.
inline DenseText drafted_text(std::mt19937& random, int32_t n_tokens, int32_t n_depths, int32_t max_nodes,
                              const std::function<DraftedRow(int32_t depth, bool on_spine)>& row) {
  DenseText text{0, max_nodes, {}};
  for (int32_t i = 0; i < n_tokens; ++i) {
    DensePosition here{100 + i, i, i + 1, {n_depths, 0, {}, {}}};
    bool on_spine = true;
    for (int32_t depth = 1; depth <= n_depths; ++depth) {
      const DraftedRow drawn = row(depth, on_spine);
      std::vector<double> weight = drawn.truth;
      weight.push_back(std::max(0.0, 1 - std::accumulate(weight.begin(), weight.end(), 0.0)));
      const size_t answer = std::discrete_distribution<size_t>(weight.begin(), weight.end())(random);
      here.q.n_ranks = static_cast<int32_t>(drawn.stated.size());
      for (size_t rank = 0; rank < drawn.stated.size(); ++rank) {
        const int32_t wrong = 1'000'000 + static_cast<int32_t>(rank);
        here.q.token.push_back(rank == answer ? i + depth : wrong);
        here.q.log_q.push_back(static_cast<float>(std::log(drawn.stated[rank])));
      }
      on_spine = on_spine && answer == 0;
    }
    text.at.push_back(std::move(here));
  }
  return text;
}

/// softmax(sharpness * logits), descending; logits: normal, so wide that the first rank has half of the mass or so.
struct DrawnLogits {
  explicit DrawnLogits(std::mt19937& random, size_t n_ranks) {
    std::normal_distribution<double> normal(0, 1.5);
    for (size_t i = 0; i < n_ranks; ++i) logit.push_back(normal(random));
    std::sort(logit.begin(), logit.end(), std::greater<>());
  }
  std::vector<double> softmax(double sharpness) const {
    std::vector<double> p;
    for (const double value : logit) p.push_back(std::exp(sharpness * value));
    const double sum = std::accumulate(p.begin(), p.end(), 0.0);
    for (double& value : p) value /= sum;
    return p;
  }
  std::vector<double> logit;
};

}  // namespace draftscope
