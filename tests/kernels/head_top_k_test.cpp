#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <random>

#include "tests/kernels/kernel_test.h"

namespace draftscope {
namespace {

using reference::Table;
using reference::Weights;

class HeadTopKTest : public KernelTest {
 protected:
  TopK run(Backend& backend, const Table& x, const Weights& head, int32_t k) const {
    const Tensor tensor = head.tensor();
    const auto packed = backend.pack({&tensor, 1});
    const auto in = reference::to_act(backend, x);
    TopK top;
    backend.head_top_k(in->act, *packed, k, top);
    return top;
  }
  // Logits of a one-column head: the head's values themselves.
  TopK of_logits(const std::vector<double>& logits, int32_t k) const {
    Table column(static_cast<int64_t>(logits.size()), 1);
    column.data = logits;
    Table one(1, 1);
    one.data = {1.0};
    return run(*backend_, one, reference::store(DType::kF32, column), k);
  }
};

void expect_same(const TopK& a, const TopK& b) {
  EXPECT_EQ(a.token, b.token);
  EXPECT_EQ(a.log_p, b.log_p);
}

TEST_P(HeadTopKTest, EqualsSortedLogSoftmaxInDouble) {
  for (const auto& [rows, n_vocab, n_in, k] :
       {std::array{1, 5, 3, 2}, {3, 300, 33, 8}, {9, 1000, 64, 64}, {70, 777, 18, 1}}) {
    SCOPED_TRACE(fmt::format("{} rows, {} tokens, k {}", rows, n_vocab, k));
    const Weights head = reference::random_weights(DType::kBf16, n_vocab, n_in, 1);
    const Table x = reference::random_table(rows, n_in, 2);
    const TopK top = run(*backend_, x, head, k);
    ASSERT_EQ(top.rows, rows);
    ASSERT_EQ(top.k, k);
    const Table log_p = reference::log_softmax(reference::matmul(as_multiplied(x), head.values));
    for (int32_t r = 0; r < rows; ++r) {
      std::vector<double> sorted(log_p.data.begin() + r * n_vocab, log_p.data.begin() + (r + 1) * n_vocab);
      std::sort(sorted.begin(), sorted.end(), std::greater<>());
      for (int32_t i = 0; i < k; ++i) {
        ASSERT_NEAR(top.log_p[r * k + i], sorted[i], 1e-4);
        ASSERT_NEAR(log_p.at(r, top.token[r * k + i]), sorted[i], 1e-4);
      }
    }
  }
}

TEST_P(HeadTopKTest, TiesGoToTheSmallerId) {
  std::vector<double> logits(1000, 0.5);
  for (const int32_t best : {990, 17, 400, 401}) logits[best] = 2.0;
  const TopK top = of_logits(logits, 7);
  EXPECT_EQ(top.token, (std::vector<int32_t>{17, 400, 401, 990, 0, 1, 2}));
  EXPECT_EQ(of_logits(std::vector<double>(700, -3.0), 5).token, (std::vector<int32_t>{0, 1, 2, 3, 4}));
}

// Logits on a coarse grid, so that ties straddle the k-th place, tiles and threads.
TEST_P(HeadTopKTest, ManyOfManyEqualAStableSort) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal(-2.0f, 3.0f);
  std::vector<double> logits(4100);
  for (double& value : logits) value = std::round(normal(random) * 16) / 16;
  std::vector<int32_t> sorted(logits.size());
  std::iota(sorted.begin(), sorted.end(), 0);
  std::stable_sort(sorted.begin(), sorted.end(), [&](int32_t a, int32_t b) { return logits[a] > logits[b]; });
  for (const int32_t n_threads : {1, 3}) {
    backend_ = make(n_threads);
    for (const int32_t k : {1, 2, 7, 16, 255, 256, 257, 1000, 4099, 4100}) {
      const TopK top = of_logits(logits, k);
      EXPECT_EQ(top.token, std::vector<int32_t>(sorted.begin(), sorted.begin() + k)) << n_threads << ' ' << k;
      ASSERT_EQ(top.log_p.size(), static_cast<size_t>(k));
      for (int32_t i = 0; i < k; ++i) {
        ASSERT_NEAR(top.log_p[i] - top.log_p[0], logits[sorted[i]] - logits[sorted[0]], 2e-6) << i;
      }
    }
  }
}

// A product that underflows to -0 equals 0 and so yields to it only by its token.
TEST_P(HeadTopKTest, NegativeZeroTiesWithZero) {
  Table head(40, 2), x(1, 2);  // the second product is the last one added
  for (int32_t token = 0; token < 40; token += 2) head.data[token * 2 + 1] = -0x1p-100;
  x.data = {0.0, 0x1p-100};
  const TopK top = run(*backend_, x, reference::store(DType::kF32, head), 4);
  EXPECT_EQ(top.token, (std::vector<int32_t>{0, 1, 2, 3}));
}

TEST_P(HeadTopKTest, LogSumExpIsExactToAMillionth) {
  std::mt19937 random(9);
  std::normal_distribution<float> normal(0.0f, 2.5f);
  std::vector<double> logits(20011);
  for (double& value : logits) value = normal(random);
  logits[5] = 12.0;  // a log probability near -1: its own float32 steps are far below the bound
  double sum = 0;
  for (const double value : logits) sum += std::exp(value - 12.0);
  const TopK top = of_logits(logits, 1);
  EXPECT_EQ(top.token[0], 5);
  EXPECT_NEAR(top.log_p[0], -std::log(sum), 1e-6);
}

TEST_P(HeadTopKTest, AscendingAndDescendingLogitsKeepTheBest) {
  std::vector<double> rising(5000);
  std::iota(rising.begin(), rising.end(), 0.0);
  for (double& value : rising) value *= 0.001;
  EXPECT_EQ(of_logits(rising, 3).token, (std::vector<int32_t>{4999, 4998, 4997}));
  std::reverse(rising.begin(), rising.end());
  EXPECT_EQ(of_logits(rising, 3).token, (std::vector<int32_t>{0, 1, 2}));
}

TEST_P(HeadTopKTest, MoreThanTheVocabularyGivesTheWholeVocabulary) {
  const TopK top = of_logits({0.0, 3.0, 1.0}, 64);
  EXPECT_EQ(top.k, 3);
  EXPECT_EQ(top.token, (std::vector<int32_t>{1, 2, 0}));
  double total = 0;
  for (const float log_p : top.log_p) total += std::exp(log_p);
  EXPECT_NEAR(total, 1.0, 1e-6);
}

TEST_P(HeadTopKTest, ThreadCountAndBatchChangeNoBit) {
  const Weights head = reference::random_weights(DType::kBf16, 12001, 40, 3);
  const Table x = reference::random_table(20, 40, 4);
  const TopK all = run(*backend_, x, head, 12);
  for (const int32_t n_threads : {2, 3}) expect_same(run(*make(n_threads), x, head, 12), all);
  for (int32_t r = 0; r < 20; ++r) {
    const TopK alone = run(*backend_, reference::row_of(x, r), head, 12);
    EXPECT_TRUE(std::equal(alone.token.begin(), alone.token.end(), all.token.begin() + r * 12));
    EXPECT_TRUE(std::equal(alone.log_p.begin(), alone.log_p.end(), all.log_p.begin() + r * 12));
  }
  // The best k are a prefix of the best k + 1.
  const TopK fewer = run(*backend_, x, head, 5);
  for (int32_t r = 0; r < 20; ++r) {
    for (int32_t i = 0; i < 5; ++i) {
      EXPECT_EQ(fewer.token[r * 5 + i], all.token[r * 12 + i]);
      EXPECT_EQ(fewer.log_p[r * 5 + i], all.log_p[r * 12 + i]);
    }
  }
}

TEST_P(HeadTopKTest, HugeLogitsKeepLogProbabilitiesFinite) {
  const TopK top = of_logits({-3e38, 3e38, 0.0, 2e38}, 4);
  EXPECT_EQ(top.token, (std::vector<int32_t>{1, 3, 2, 0}));
  EXPECT_EQ(top.log_p[0], 0.0f);
  for (const float log_p : top.log_p) EXPECT_TRUE(std::isfinite(log_p)) << log_p;
}

TEST_P(HeadTopKTest, NanNeverWinsAndIsOrderedLast) {
  std::vector<double> logits(600, 0.0);
  for (size_t i = 0; i < logits.size(); i += 3) logits[i] = NAN;
  logits[31] = 1.0;
  logits[1] = -INFINITY;
  const TopK top = of_logits(logits, 4);
  EXPECT_EQ(top.token, (std::vector<int32_t>{31, 2, 4, 5}));
  // The probabilities are those of the 398 ordinary logits.
  EXPECT_NEAR(top.log_p[0], 1.0 - std::log(398.0 + std::exp(1.0)), 1e-5);
  const TopK all_nan = of_logits(std::vector<double>(50, NAN), 3);
  EXPECT_EQ(all_nan.token, (std::vector<int32_t>{0, 1, 2}));
  EXPECT_NEAR(all_nan.log_p[0], -std::log(50.0), 1e-5);
  const TopK infinite = of_logits({0.0, INFINITY, 1.0}, 2);
  EXPECT_EQ(infinite.token[0], 1);
  EXPECT_EQ(infinite.log_p[0], 0.0f);
}

INSTANTIATE_TEST_SUITE_P(Paths, HeadTopKTest, all_settings(), setting_name);

}  // namespace
}  // namespace draftscope
