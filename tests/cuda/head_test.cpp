// The head on the device: against log softmax in double, and against a stable sort.
#include <gtest/gtest.h>

#include <array>
#include <numeric>

#include "kernels/cuda/head.h"
#include "tests/cuda/device_act.h"
#include "tests/cuda/device_control.h"

namespace draftscope::cuda {
namespace {

using reference::Table;
using reference::Weights;

constexpr size_t kCounterBytes = kMaxCounters * sizeof(int32_t);

struct Setting {
  DType weights;
  Precision precision;
  const char* name;
};
void PrintTo(const Setting& setting, std::ostream* out) { *out << setting.name; }
class CudaHeadTest : public testing::TestWithParam<Setting> {
 protected:
  Weights weights(int64_t n_out, int64_t n_in, uint32_t seed) const {
    return reference::random_weights(GetParam().weights, n_out, n_in, seed);
  }
  Table as_multiplied(const Table& x) const {
    return GetParam().precision == Precision::kBf16 ? rounded_to_bf16(x) : x;
  }
  TopK run(const Table& x, const Weights& head, int32_t k, std::byte* workspace) const {
    const DeviceAct floats(x);
    const DeviceBf16 halves(x);
    const Act in = GetParam().precision == Precision::kBf16 ? halves.act : floats.act;
    const DeviceWeights on_device(head);
    const auto n = static_cast<size_t>(x.rows) * static_cast<size_t>(k);
    const auto token = copy_to_device(std::vector<int32_t>(n, -1));
    const auto log_p = copy_to_device(std::vector<float>(n, NAN));
    head_top_k(in, on_device.view, GetParam().precision, {token.data(), log_p.data(), k}, workspace, nullptr);
    return {static_cast<int32_t>(x.rows), k, copy_to_host(token.data(), n), copy_to_host(log_p.data(), n)};
  }
  /// With a workspace of exactly the size asked for, full of NaN.
  TopK run(const Table& x, const Weights& head, int32_t k) const {
    const auto n_out = static_cast<int32_t>(head.values.rows);
    const auto workspace = make_workspace(head_workspace_bytes(static_cast<int32_t>(x.rows), n_out, k), kCounterBytes);
    return run(x, head, k, workspace.data());
  }
  /// Logits that the weights and the activations can hold exactly: the head's first column times one.
  TopK of_logits(const std::vector<double>& logits, int32_t k) const {
    Table head(static_cast<int64_t>(logits.size()), 8), one(1, 8);
    for (size_t token = 0; token < logits.size(); ++token) head.at(static_cast<int64_t>(token), 0) = logits[token];
    one.at(0, 0) = 1.0;
    return run(one, reference::store(GetParam().weights, head), k);
  }
};

TEST_P(CudaHeadTest, EqualsSortedLogSoftmaxInDouble) {
  for (const auto& [rows, n_vocab, n_in, k] : {std::array{1, 5, 8, 2},
                                               {3, 300, 40, 8},
                                               {9, 1000, 72, 64},
                                               {20, 129, 264, 1},
                                               {70, 777, 24, 1},
                                               {70, 200, 24, 3}}) {
    SCOPED_TRACE(fmt::format("{} rows, {} tokens, k {}", rows, n_vocab, k));
    const Weights head = weights(n_vocab, n_in, 1);
    const Table x = reference::random_table(rows, n_in, 2);
    const TopK top = run(x, head, k);
    const Table log_p = reference::log_softmax(reference::matmul(as_multiplied(x), head.values));
    for (int32_t r = 0; r < rows; ++r) {
      std::vector<double> sorted(log_p.data.begin() + r * n_vocab, log_p.data.begin() + (r + 1) * n_vocab);
      std::ranges::sort(sorted, std::greater<>());
      for (int32_t i = 0; i < k; ++i) {  // logits are up to 60: some ulp of them
        ASSERT_NEAR(top.log_p[r * k + i], sorted[i], 1e-4);
        ASSERT_NEAR(log_p.at(r, top.token[r * k + i]), sorted[i], 1e-4);
      }
    }
  }
}

TEST_P(CudaHeadTest, TiesGoToTheSmallerId) {
  std::vector<double> logits(1000, 0.5);
  for (const int32_t best : {990, 17, 400, 401}) logits[best] = 2.0;
  EXPECT_EQ(of_logits(logits, 7).token, (std::vector<int32_t>{17, 400, 401, 990, 0, 1, 2}));
  EXPECT_EQ(of_logits(logits, 1).token, (std::vector<int32_t>{17}));
  EXPECT_EQ(of_logits(std::vector<double>(700, -3.0), 5).token, (std::vector<int32_t>{0, 1, 2, 3, 4}));
}

// More equal logits than are sorted together, so that the last token is found digit by digit.
TEST_P(CudaHeadTest, ThousandsOfEqualLogitsAreCutAtTheSmallerIds) {
  std::vector<double> logits(5000, 1.0);
  logits[4321] = 2.0;
  for (const int32_t k : {2, 100, 1024}) {
    const TopK top = of_logits(logits, k);
    EXPECT_EQ(top.token[0], 4321);
    for (int32_t i = 1; i < k; ++i) ASSERT_EQ(top.token[i], i - 1) << k;
  }
}

// Logits on a coarse grid that bf16 holds, so that ties straddle the k-th place and tiles.
TEST_P(CudaHeadTest, ManyOfManyEqualAStableSort) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal(-2.0f, 3.0f);
  std::vector<double> logits(4600);
  for (double& value : logits) value = std::round(normal(random) * 8) / 8;
  std::vector<int32_t> sorted(logits.size());
  std::iota(sorted.begin(), sorted.end(), 0);
  std::ranges::stable_sort(sorted, [&](int32_t a, int32_t b) { return logits[a] > logits[b]; });
  for (const int32_t k : {1, 2, 7, 16, 35, 36, 37, 257, 1023, 1024, 1025, 4600}) {
    const TopK top = of_logits(logits, k);
    EXPECT_EQ(top.token, std::vector<int32_t>(sorted.begin(), sorted.begin() + k)) << k;
    for (int32_t i = 0; i < k; ++i)
      ASSERT_NEAR(top.log_p[i] - top.log_p[0], logits[sorted[i]] - logits[sorted[0]], 2e-6) << i;
  }
}

TEST_P(CudaHeadTest, NegativeZeroTiesWithZero) {
  Table head(40, 8), x(1, 8);  // even tokens' products underflow to -0
  for (int32_t token = 0; token < 40; token += 2) head.at(token, 1) = -0x1p-100;
  x.at(0, 1) = 0x1p-100;
  EXPECT_EQ(run(x, reference::store(GetParam().weights, head), 4).token, (std::vector<int32_t>{0, 1, 2, 3}));
}

TEST_P(CudaHeadTest, LogSumExpIsExactToAMillionth) {
  std::mt19937 random(9);
  std::normal_distribution<float> normal(0.0f, 2.25f);
  std::vector<double> logits(40011);  // more tiles than add them up at once
  for (double& value : logits) value = reference::rounded(DType::kBf16, normal(random));
  logits[5] = 12.0;  // a log probability near -1: its own float32 steps are far below the bound
  double sum = 0;
  for (const double value : logits) sum += std::exp(value - 12.0);
  for (const int32_t k : {1, 2}) {
    const TopK top = of_logits(logits, k);
    EXPECT_EQ(top.token[0], 5);
    EXPECT_NEAR(top.log_p[0], -std::log(sum), 1e-6);
    EXPECT_EQ(top.log_p[0], of_logits(logits, 3).log_p[0]);  // to the bit, though k decides which kernel adds up
  }
}

TEST_P(CudaHeadTest, TheWholeVocabularyAddsUpToOne) {
  const TopK top = of_logits({0.0, 3.0, 1.0}, 3);
  EXPECT_EQ(top.token, (std::vector<int32_t>{1, 2, 0}));
  double total = 0;
  for (const float log_p : top.log_p) total += std::exp(log_p);
  EXPECT_NEAR(total, 1.0, 1e-6);
}

TEST_P(CudaHeadTest, BatchAndKChangeNoBit) {
  const int64_t n_rows = 67, n_in = 40;
  const Weights head = weights(300, n_in, 3);
  const Table x = reference::random_table(n_rows, n_in, 4);
  const TopK all = run(x, head, 12), best = run(x, head, 1);
  const auto expect_row = [&](const TopK& found, int64_t at, int64_t row) {
    for (int32_t i = 0; i < found.k; ++i) {
      ASSERT_EQ(found.token[at * found.k + i], all.token[row * 12 + i]);
      ASSERT_EQ(found.log_p[at * found.k + i], all.log_p[row * 12 + i]);
    }
  };
  for (int64_t row = 0; row < n_rows; ++row) expect_row(best, row, row);
  for (const int64_t row : {0, 1, 63, 64, 66}) {
    for (const int32_t k : {1, 5, 12}) expect_row(run(reference::row_of(x, row), head, k), 0, row);
  }
  for (const int64_t n : {16, 17, 33, 64, 65}) {
    Table part(n, n_in);
    std::copy_n(x.data.end() - n * n_in, n * n_in, part.data.begin());
    const TopK found = run(part, head, 12);
    for (int64_t r = 0; r < n; ++r) expect_row(found, r, n_rows - n + r);
  }
}

// Many rows of a large vocabulary: blocks are two tiles wide, the last one half used.
class CudaTensorHeadTest : public CudaHeadTest {};
TEST_P(CudaTensorHeadTest, WideBlocksGiveTheBitsOfNarrowOnes) {
  const Weights head = weights(126 * kTileOut + 70, 16, 13);
  const Table x = reference::random_table(34, 16, 14);
  for (const int32_t k : {1, 9}) {
    const TopK all = run(x, head, k);
    for (const int64_t row : {0, 20, 33}) {
      const TopK own = run(reference::row_of(x, row), head, k);
      for (int32_t i = 0; i < k; ++i) {
        ASSERT_EQ(own.token[i], all.token[row * k + i]) << row;
        ASSERT_EQ(own.log_p[i], all.log_p[row * k + i]) << row;
      }
    }
  }
}

TEST_P(CudaHeadTest, OneWorkspaceServesAgainAndNeverTouchesTheCountersOfProducts) {
  const Weights head = weights(300, 40, 5);
  const auto workspace = make_workspace(head_workspace_bytes(9, 300, 12), kCounterBytes);
  for (const int32_t k : {12, 1, 12, 1}) {
    const Table x = reference::random_table(9, 40, static_cast<uint32_t>(6 + k));
    const TopK fresh = run(x, head, k), again = run(x, head, k, workspace.data());
    EXPECT_EQ(again.token, fresh.token);
    EXPECT_EQ(again.log_p, fresh.log_p);
  }
  const auto counters = copy_to_host(reinterpret_cast<const int32_t*>(workspace.data()), kMaxCounters);
  EXPECT_EQ(std::ranges::count(counters, 0u), kMaxCounters);
}

TEST_P(CudaHeadTest, TheOrderInWhichThreadsRunChangesNothing) {
  const Weights head = weights(700, 40, 7);
  const Table x = reference::random_table(3, 40, 8);
  for (const int32_t k : {1, 50}) {
    const TopK forwards = run(x, head, k);
    run_backwards(true);
    const TopK backwards = run(x, head, k);
    run_backwards(false);
    EXPECT_EQ(forwards.token, backwards.token);
    EXPECT_EQ(forwards.log_p, backwards.log_p);
  }
}

TEST_P(CudaHeadTest, HugeLogitsKeepLogProbabilitiesFinite) {
  const int32_t order[] = {1, 3, 2, 0};
  for (const int32_t k : {1, 4}) {
    const TopK top = of_logits({-3e38, 3e38, 0.0, 2e38}, k);
    EXPECT_TRUE(std::equal(top.token.begin(), top.token.end(), order));
    EXPECT_EQ(top.log_p[0], 0.0f);
    for (const float log_p : top.log_p) EXPECT_TRUE(std::isfinite(log_p)) << log_p;
  }
}

TEST_P(CudaHeadTest, NanNeverWinsAndIsOrderedLast) {
  std::vector<double> logits(600, 0.0);
  for (size_t i = 0; i < logits.size(); i += 3) logits[i] = NAN;
  logits[31] = 1.0;
  logits[1] = -INFINITY;
  const TopK top = of_logits(logits, 4);
  EXPECT_EQ(top.token, (std::vector<int32_t>{31, 2, 4, 5}));
  // The probabilities are those of the 398 ordinary logits.
  EXPECT_NEAR(top.log_p[0], 1.0 - std::log(398.0 + std::exp(1.0)), 1e-5);
  EXPECT_EQ(of_logits(logits, 1).token, (std::vector<int32_t>{31}));
  EXPECT_EQ(of_logits(logits, 1).log_p[0], top.log_p[0]);
  for (const int32_t k : {1, 3}) {
    const TopK all_nan = of_logits(std::vector<double>(150, NAN), k);
    for (int32_t i = 0; i < k; ++i) EXPECT_EQ(all_nan.token[i], i);
    EXPECT_NEAR(all_nan.log_p[0], -std::log(150.0), 1e-5);
  }
  const TopK infinite = of_logits({0.0, INFINITY, 1.0}, 2);
  EXPECT_EQ(infinite.token[0], 1);
  EXPECT_EQ(infinite.log_p[0], 0.0f);
}

INSTANTIATE_TEST_SUITE_P(Kernels, CudaTensorHeadTest,
                         testing::Values(Setting{DType::kBf16, Precision::kBf16, "TensorCores"}),
                         [](const auto& setting) { return setting.param.name; });
INSTANTIATE_TEST_SUITE_P(Kernels, CudaHeadTest,
                         testing::Values(Setting{DType::kBf16, Precision::kBf16, "TensorCores"},
                                         Setting{DType::kF32, Precision::kF32, "F32"}),
                         [](const auto& setting) { return setting.param.name; });

}  // namespace
}  // namespace draftscope::cuda
