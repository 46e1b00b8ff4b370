// Helpers of the golden engine tests: whole logits, comparisons, cached keys and values.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "engine/model/pair.h"
#include "engine/model/target.h"
#include "tests/engine/tested_backends.h"

namespace draftscope::golden {

/// |logit| differences allowed by the golden README, and on hidden states and caches.
constexpr double kLogitTolerance = 1e-4, kStateTolerance = 5e-5;

/// Log-probabilities of every token (rows, vocab) in the order of ids, from the fused head.
inline std::vector<float> all_log_p(const Target& target, Act hidden) {
  TopK top;
  const int32_t vocab = target.config().vocab;
  target.head(hidden, vocab, top);
  std::vector<float> log_p(top.token.size());
  for (size_t i = 0; i < top.token.size(); ++i) {
    log_p[i / vocab * vocab + top.token[i]] = top.log_p[i];
  }
  return log_p;
}

/// Reference logits (rows, vocab) less their log-sum-exp, in double.
inline std::vector<float> log_softmax(std::span<const float> logits, int32_t vocab) {
  std::vector<float> out(logits.size());
  for (size_t begin = 0; begin < logits.size(); begin += vocab) {
    const float top = *std::max_element(&logits[begin], &logits[begin] + vocab);
    double sum = 0;
    for (int32_t i = 0; i < vocab; ++i) sum += std::exp(static_cast<double>(logits[begin + i]) - top);
    for (int32_t i = 0; i < vocab; ++i) {
      out[begin + i] = static_cast<float>(static_cast<double>(logits[begin + i]) - top - std::log(sum));
    }
  }
  return out;
}

inline void expect_close(std::span<const float> found, std::span<const float> expected, double tolerance,
                         const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  double worst = 0;
  size_t where = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    const double gap = std::abs(static_cast<double>(found[i]) - expected[i]);
    if (!(gap <= worst)) worst = gap, where = i;
  }
  EXPECT_LE(worst, tolerance) << what << ": element " << where << " is " << found[where] << ", expected "
                              << expected[where];
}

inline std::vector<int32_t> counting(int32_t first, int32_t n) {
  std::vector<int32_t> values(n);
  std::iota(values.begin(), values.end(), first);
  return values;
}

}  // namespace draftscope::golden
