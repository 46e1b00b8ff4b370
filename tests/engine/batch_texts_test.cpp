// A batch writes, for every request, the very text that a session alone writes.
#include "tests/engine/batch_cases.h"

namespace draftscope {
namespace {

/// Skips where this program's backend is missing.
class BatchTexts : public testing::TestWithParam<std::tuple<Precision, float>> {
 protected:
  void SetUp() override {
    if (tested_backends().empty()) GTEST_SKIP() << missing_backend();
  }
};

TEST_P(BatchTexts, AreThoseOfSessionsAloneForEveryMethod) {
  const auto [precision, temperature] = GetParam();
  const Pair pair = open_test_pair(precision);
  const bool all = test_share().n_lossless_prompts > 10 && kPromptStep == 1;
  std::vector<Asked> asked = ask_all(all ? 11 : 4, temperature);
  for (Asked& request : asked) request.options.max_tokens = std::min(request.options.max_tokens, all ? 60 : 24);
  std::vector<std::vector<int32_t>> expected;
  for (const Asked& request : asked) expected.push_back(alone(pair, request, Method::kPlain));
  for (const Method method : all ? live_methods() : std::vector<Method>{Method::kPlain, Method::kExact}) {
    const Outcome outcome = run_batch(pair, batch_options(method, 8), asked, 2);
    int64_t n_accepted = 0;
    size_t most = 0;
    for (const auto& pass : outcome.passes) {
      most = std::max(most, pass.size());
      for (const RoundRecord& round : pass) n_accepted += static_cast<int64_t>(round.accepted.path.size()) - 1;
    }
    for (size_t i = 0; i < asked.size(); ++i) {
      ASSERT_EQ(outcome.output.at(static_cast<int64_t>(i) + 1), expected[i]) << name(method) << ", request " << i;
    }
    EXPECT_GT(most, 2u) << name(method) << " hardly shared: the test would prove nothing";
    if (method != Method::kPlain) {
      EXPECT_GT(n_accepted, all ? 50 : 5) << name(method);
    }
  }
}

TEST_P(BatchTexts, DoNotDependOnWhoSharesThePass) {
  const auto [precision, temperature] = GetParam();
  if (test_share().n_lossless_prompts <= 10 || kPromptStep > 1) GTEST_SKIP() << "too long for this backend or under a sanitizer";
  const Pair pair = open_test_pair(precision);
  const std::vector<Asked> asked = ask_all(9, temperature);
  const Outcome all_at_once = run_batch(pair, batch_options(Method::kExact, 8), asked, 0);
  for (const int32_t n_slots : {1, 3}) {
    EXPECT_EQ(run_batch(pair, batch_options(Method::kExact, n_slots), asked, 0).output, all_at_once.output) << n_slots;
  }
}

INSTANTIATE_TEST_SUITE_P(All, BatchTexts,
                         testing::Combine(testing::Values(Precision::kBf16, Precision::kF32), testing::Values(0.0f, 1.0f)));

}  // namespace
}  // namespace draftscope
