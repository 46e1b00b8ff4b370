// Random marginals, trees and costs with fixed seeds.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "engine/record/round.h"
#include "engine/speculate/cost.h"

namespace draftscope {

/// How the log probabilities of a row fall.
enum class Spread : uint8_t { kRandom, kTied, kSparse };

/// Rows sorted by descending log q; token = 100 * depth row + rank. kTied: few distinct values, all exact in
/// binary; kSparse: -inf from a random rank on.
inline Marginals random_marginals(std::mt19937& random, int32_t n_depths, int32_t n_ranks, Spread shape) {
  Marginals q{n_depths, n_ranks, {}, {}};
  std::uniform_real_distribution<float> uniform(-6.0f, -0.01f);
  for (int32_t depth = 0; depth < n_depths; ++depth) {
    std::vector<float> row;
    for (int32_t rank = 0; rank < n_ranks; ++rank) {
      const float value = uniform(random);
      row.push_back(shape == Spread::kTied ? -0.5f * static_cast<float>(1 + static_cast<int>(-value) / 3)
                                           : value);
      q.token.push_back(100 * depth + rank);
    }
    std::sort(row.begin(), row.end(), std::greater<>());
    if (shape == Spread::kSparse) {
      const size_t first_gone = random() % static_cast<size_t>(n_ranks + 1);
      std::fill(row.begin() + static_cast<ptrdiff_t>(first_gone), row.end(),
                -std::numeric_limits<float>::infinity());
    }
    q.log_q.insert(q.log_q.end(), row.begin(), row.end());
  }
  return q;
}

/// A drafter that is usually right: rank 0 takes most of each row, less with depth.
inline Marginals realistic_marginals(std::mt19937& random, int32_t n_depths, int32_t n_ranks) {
  Marginals q{n_depths, n_ranks, {}, {}};
  std::uniform_real_distribution<double> uniform(0.3, 1.0);
  for (int32_t depth = 0; depth < n_depths; ++depth) {
    const double top = uniform(random) * std::exp(-0.05 * depth);
    for (int32_t rank = 0; rank < n_ranks; ++rank) {
      const double p = rank == 0 ? top : (1 - top) / ((rank + 1.0) * (rank + 1.0));
      q.token.push_back(100 * depth + rank);
      q.log_q.push_back(static_cast<float>(std::log(rank == 0 ? p : std::min(p, top))));
    }
  }
  return q;
}

enum class CostShape : uint8_t { kAffine, kStairs, kNoisy, kDips, kFlat, kFalling };
inline constexpr CostShape kCostShapes[] = {CostShape::kAffine, CostShape::kStairs, CostShape::kNoisy,
                                            CostShape::kDips,   CostShape::kFlat,   CostShape::kFalling};

inline RoundCost random_cost(std::mt19937& random, int32_t max_nodes, CostShape shape) {
  std::uniform_real_distribution<double> uniform(0.0, 1.0);
  RoundCost cost{uniform(random) * 0.2, uniform(random) * 0.1, {}, {}, {}};
  const double slope = std::pow(10.0, -4.0 + 3.5 * uniform(random));
  const int32_t tile = 1 + static_cast<int32_t>(random() % 20);
  for (int32_t n = 0; n <= max_nodes; ++n) {
    double seconds = 1.0;
    if (shape == CostShape::kAffine) seconds += slope * n;
    if (shape == CostShape::kStairs) seconds += slope * tile * ((n + tile - 1) / tile);
    if (shape == CostShape::kNoisy) seconds += slope * n + 0.3 * uniform(random);
    if (shape == CostShape::kDips) seconds = 0.05 + uniform(random);
    if (shape == CostShape::kFalling) seconds = 0.5 + 1.0 / (1.0 + slope * n);
    cost.verify_s.push_back(seconds);
  }
  cost.faithful_s = cost.verify_s;
  cost.roofline_s = cost.verify_s;
  return cost;
}

}  // namespace draftscope
