// Texts and costs for the lab's tests, random with fixed seeds.
#pragma once

#include <algorithm>
#include <cmath>
#include <random>

#include "engine/lab/dense.h"
#include "engine/record/cost_model.h"
#include "tests/speculate/random_inputs.h"

namespace draftscope {

/// Tokens are ranks, and the text follows one of the first `n_likely`; contexts begin at 10.
inline DenseText ranked_text(std::mt19937& random, int32_t n_tokens, int32_t max_nodes, int32_t n_depths = 6,
                             int32_t n_ranks = 8, uint32_t n_likely = 3) {
  DenseText text{0, max_nodes, {}};
  int32_t root = 0;
  for (int32_t i = 0; i < n_tokens; ++i) {
    const auto next = static_cast<int32_t>(random() % n_likely);
    DensePosition here{10 + i, root, next, realistic_marginals(random, n_depths, n_ranks)};
    for (int32_t& token : here.q.token) token %= 100;
    root = next;
    text.at.push_back(std::move(here));
  }
  return text;
}

/// Every token is drawn alone from the one distribution that the drafter states at every depth: a drafter whose
/// probabilities are right.
inline DenseText honest_text(std::mt19937& random, int32_t n_tokens, int32_t max_nodes) {
  const std::vector<double> p = {0.5, 0.2, 0.12, 0.08, 0.05, 0.03, 0.02};
  std::discrete_distribution<int32_t> draw(p.begin(), p.end());
  Marginals q{8, static_cast<int32_t>(p.size()), {}, {}};
  for (int32_t depth = 0; depth < q.n_depths; ++depth) {
    for (int32_t rank = 0; rank < q.n_ranks; ++rank) {
      q.token.push_back(rank);
      q.log_q.push_back(static_cast<float>(std::log(p[static_cast<size_t>(rank)])));
    }
  }
  DenseText text{1, max_nodes, {}};
  int32_t root = 0;
  for (int32_t i = 0; i < n_tokens; ++i) {
    const int32_t next = draw(random);
    text.at.push_back({10 + i, root, next, q});
    root = next;
  }
  return text;
}

/// Bumpy passes of 1 to 2 ms and a steady rise, on two contexts.
inline CostModel bumpy_cost(std::mt19937& random) {
  std::uniform_real_distribution<double> uniform(0.0, 1.0);
  CostModel cost;
  cost.label = "bumpy";
  cost.context = {0, 80};
  cost.rows = {1, 2, 3, 5, 8, 16, 24, 32, 48, 65};
  const double slope_s = 5e-5 * uniform(random);
  for (size_t c = 0; c < cost.context.size(); ++c) {
    for (const int32_t rows : cost.rows) cost.verify_s.push_back(1e-3 * (1 + uniform(random)) + slope_s * rows);
    cost.draft_s.push_back(1e-4 * (1 + uniform(random)));
  }
  cost.overhead_s = 2e-5;
  return cost;
}

}  // namespace draftscope
