// Lossless means byte-identical: whatever the method, the text is that of plain decoding.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "engine/record/invariants.h"
#include "tests/engine/test_pair.h"

namespace draftscope {
namespace {

/// Runs every method on the prompts of test_share() and compares with plain decoding.
void expect_lossless(Precision precision, float temperature) {
  const int n_prompts = test_share().n_lossless_prompts;
  const Pair pair = open_test_pair(precision);
  std::map<Method, int64_t> n_accepted;
  for (int i = 0; i < n_prompts; i += kPromptStep) {
    const std::vector<int32_t> prompt = make_prompt(i, 3 + i % 45);
    std::vector<int32_t> plain;
    for (const Method method : live_methods()) {
      SessionOptions options = make_options(method, std::min(24, test_share().max_tokens));
      options.sampling = {temperature, i % 3 == 0 ? 0 : 20, i % 2 == 0 ? 1.0f : 0.9f, static_cast<uint64_t>(i)};
      const Generation found = generate(pair, prompt, std::move(options));
      if (method == Method::kPlain) plain = found.output;
      ASSERT_EQ(found.output, plain) << name(method) << " on prompt " << i;
      for (const RoundRecord& round : found.rounds) n_accepted[method] += static_cast<int64_t>(round.accepted.path.size()) - 1;
    }
  }
  EXPECT_EQ(n_accepted[Method::kPlain], 0);
  for (const Method method : live_methods()) {
    if (method == Method::kPlain) continue;
    EXPECT_GT(n_accepted[method], n_prompts / kPromptStep) << name(method) << " hardly drafted: the test would prove nothing";
  }
}

/// Skips where this program's backend is missing.
class Lossless : public testing::Test {
 protected:
  void SetUp() override {
    if (tested_backends().empty()) GTEST_SKIP() << missing_backend();
  }
};

TEST_F(Lossless, GreedyBf16) { expect_lossless(Precision::kBf16, 0); }
TEST_F(Lossless, GreedyF32) { expect_lossless(Precision::kF32, 0); }
TEST_F(Lossless, SampledBf16) { expect_lossless(Precision::kBf16, 1); }
TEST_F(Lossless, SampledF32) { expect_lossless(Precision::kF32, 1); }

TEST_F(Lossless, AChangeOfMethodBetweenRoundsKeepsTheText) {
  const Pair pair = open_test_pair(Precision::kBf16);
  const std::vector<Method> methods = live_methods();
  for (int i = 0; i < std::min(20, test_share().n_lossless_prompts); ++i) {
    const std::vector<int32_t> prompt = make_prompt(1000 + i, 20);
    const std::vector<int32_t> plain = generate(pair, prompt, make_options(Method::kPlain, 60)).output;
    Session session = golden::must(Session::start(pair, prompt, make_options(Method::kExact, 60)));
    for (int turn = i; !session.done(); ++turn) {
      BudgetRule rule;
      rule.method = methods[static_cast<size_t>(turn) % methods.size()];
      rule.budget = 1 + turn % 30;
      ASSERT_TRUE(session.set_rule(rule));
      const Status ok = check_invariants(session.round());
      EXPECT_TRUE(ok) << ok.error();
    }
    EXPECT_EQ(session.output(), plain) << "prompt " << i;
  }
}

TEST_F(Lossless, SamplingDependsOnSeedAndPositionOnly) {
  const Pair pair = open_test_pair(Precision::kBf16);
  const std::vector<int32_t> prompt = make_prompt(7, 20);
  SessionOptions options = make_options(Method::kExact, std::min(40, test_share().max_tokens));
  options.sampling = {1.0f, 0, 1.0f, 1};
  const std::vector<int32_t> once = generate(pair, prompt, options).output;
  EXPECT_EQ(generate(pair, prompt, options).output, once);
  options.sampling.seed = 2;
  EXPECT_NE(generate(pair, prompt, options).output, once);
}

// What the target answers after a prompt and what the drafter drafts then, bit for bit.
TEST_F(Lossless, PromptsReadInPiecesOfAnySizeLeaveTheSame) {
  const Pair pair = open_test_pair(Precision::kBf16);
  const std::vector<int32_t> prompt = make_prompt(3, 70);
  const auto after = [&](int32_t piece) {
    PairMemory memory = PairMemory::make(pair, 256, 128);
    for (size_t first = 0; first < prompt.size(); first += static_cast<size_t>(piece)) {
      const size_t n = std::min(prompt.size() - first, static_cast<size_t>(piece));
      memory.read(pair, std::span(prompt).subspan(first, n));
    }
    pair.target.head(memory.target_work.hidden->act.rows_from(memory.rows.n - 1, 1), 4, memory.target_top);
    const Marginals q = pair.drafter->draft(prompt.back(), pair.drafter->config().block_size, 4, pair.target,
                                            memory.drafter_rope, memory.drafter_kv, memory.drafter_work);
    return std::tuple(memory.target_top.token, memory.target_top.log_p, q.token, q.log_q);
  };
  const auto whole = after(128);
  for (const int32_t piece : {1, 7, 40}) EXPECT_EQ(after(piece), whole) << "in pieces of " << piece;
}

}  // namespace
}  // namespace draftscope
