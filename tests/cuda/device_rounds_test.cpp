// Sessions whose rounds stay on the device: that they do, and that the host's rounds are the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "engine/record/invariants.h"
#include "engine/spare_memory.h"
#include "tests/cuda/same_round.h"
#include "tests/engine/test_pair.h"

namespace draftscope {
namespace {

class DeviceRounds : public testing::Test {
 protected:
  void SetUp() override {
    if (tested_backends().empty()) GTEST_SKIP() << missing_backend();
  }
};

TEST_F(DeviceRounds, TheRecordSaysWhereRoundsAreDecided) {
  const Pair pair = open_test_pair(Precision::kBf16);
  const std::vector<int32_t> prompt = make_prompt(1, 20);
  const auto backend_of = [&](Method method) {
    return golden::must(Session::start(pair, prompt, make_options(method, 4))).info().backend;
  };
  EXPECT_NE(backend_of(Method::kExact).find("rounds on the device"), std::string::npos) << backend_of(Method::kExact);
  EXPECT_NE(backend_of(Method::kBastion).find("rounds decided on the host"), std::string::npos);
}

// kCalibrated with a correction that changes nothing decides as kExact does, but on the host.
TEST_F(DeviceRounds, AreRoundForRoundThoseOfTheHost) {
  const Pair pair = open_test_pair(Precision::kBf16);
  for (const uint64_t seed : {1}) {
    const std::vector<int32_t> prompt = make_prompt(seed, 30);
    for (const float temperature : {0.0f, 1.0f}) {
      SessionOptions options = make_options(Method::kExact, 10);
      options.whole_curves = true;
      options.sampling = {temperature, 20, 0.9f, seed};
      const Generation device = generate(pair, prompt, options);
      options.rule.method = Method::kCalibrated;
      const Generation host = generate(pair, prompt, options);
      ASSERT_EQ(device.rounds.size(), host.rounds.size());
      EXPECT_EQ(device.output, host.output);
      for (size_t i = 0; i < host.rounds.size(); ++i) {
        SCOPED_TRACE("round " + std::to_string(i));
        expect_same_round(device.rounds[i], host.rounds[i]);
      }
    }
  }
}

// Recorded rounds outlive the text that they were recorded for; the loop knows nothing of it any more.
TEST_F(DeviceRounds, ALoopServesTheNextTextAsIfItWereNew) {
  const Pair pair = open_test_pair(Precision::kBf16);
  const SessionOptions options = make_options(Method::kExact, 16);
  const std::vector<int32_t> longer = make_prompt(4, 40), shorter = make_prompt(5, 9);
  const auto fresh = [&](const std::vector<int32_t>& prompt) {
    pair.spare->drop();
    return generate(pair, prompt, options);
  };
  const Generation first = fresh(longer), second = fresh(shorter);
  const Generation again = generate(pair, longer, options);
  const auto loop_at = [&] {
    SessionMemory spare = pair.spare->take(pair, 1, std::max(kPromptRows, options.rule.max_nodes + 1));
    const RoundLoop* loop = spare.sized.loop.get();
    pair.spare->keep(pair, std::move(spare));
    return loop;
  };
  const RoundLoop* loop = loop_at();
  ASSERT_NE(loop, nullptr);
  const Generation next = generate(pair, shorter, options);
  EXPECT_EQ(loop_at(), loop);
  EXPECT_EQ(again.output, first.output);
  EXPECT_EQ(next.output, second.output);
  ASSERT_EQ(next.rounds.size(), second.rounds.size());
  for (size_t i = 0; i < next.rounds.size(); ++i) expect_same_round(next.rounds[i], second.rounds[i]);
}

// Someone chooses another cost model while the device decodes.
TEST_F(DeviceRounds, GoOnUnderACostModelOfMoreContexts) {
  const Pair pair = open_test_pair(Precision::kBf16);
  const std::vector<int32_t> prompt = make_prompt(2, 12);
  CostModel cost;
  cost.label = "made up for a test";
  cost.context = {0};
  cost.rows = {1, 64};
  cost.verify_s = {0.004, 0.006};
  cost.draft_s = {0.001};
  SessionOptions options = make_options(Method::kExact, 12);
  options.cost = cost;
  Session session = golden::must(Session::start(pair, prompt, options));
  session.round();
  cost.context = {0, 15, 40};
  cost.verify_s = {0.004, 0.006, 0.004, 0.040, 0.005, 0.050};
  cost.draft_s = {0.001, 0.001, 0.002};
  ASSERT_TRUE(session.set_cost(cost));
  while (!session.done()) session.round();
  EXPECT_EQ(session.output(), generate(pair, prompt, make_options(Method::kPlain, 12)).output);
}

// What was drafted ahead under another rule or cost is not passed off as the new one's.
TEST_F(DeviceRounds, ANewRuleDecidesTheVeryNextRound) {
  const Pair pair = open_test_pair(Precision::kBf16);
  SessionOptions options = make_options(Method::kExact, 24);
  options.whole_curves = true;
  Session session = golden::must(Session::start(pair, make_prompt(3, 12), options));
  const BudgetRule rules[] = {{.method = Method::kPlain}, {.method = Method::kDdtree, .budget = 3}, {.method = Method::kDflash},
                              {.method = Method::kDdtree, .budget = 7}, {.method = Method::kPlain}, {.method = Method::kExact}};
  session.round();
  for (const BudgetRule& rule : rules) {
    if (session.done()) break;
    ASSERT_TRUE(session.set_rule(rule));
    const RoundRecord record = session.round();
    SCOPED_TRACE(std::string("method ") + name(rule.method));
    const Status ok = check_invariants(record);
    EXPECT_TRUE(ok) << ok.error();
    EXPECT_EQ(record.q.n_depths == 0, rule.method == Method::kPlain);
    if (rule.method == Method::kDdtree) {
      EXPECT_EQ(record.decision.chosen, rule.budget);
    }
  }
  while (!session.done()) session.round();
  EXPECT_EQ(session.output(), generate(pair, make_prompt(3, 12), make_options(Method::kPlain, 24)).output);
}

// The device stands idle between growth and the verify pass until the host has launched it. As long as the caller kept the
// host from it, that is no part of the round.
TEST(DeviceStages, TheCallersTimeIsInNone) {
  RoundImage image;
  const int64_t mark_ns[kMarks] = {1000, 1500, 1600, 9600, 9900, 9920, 9950};
  std::copy(std::begin(mark_ns), std::end(mark_ns), image.header.mark_ns);
  const auto stages = [&](int64_t away_ns) {
    const StageTimes took = stages_of(image, away_ns);
    return std::vector<int64_t>{took.draft_ns, took.grow_ns, took.verify_ns, took.accept_ns, took.commit_ns};
  };
  EXPECT_EQ(stages(0), (std::vector<int64_t>{500, 8100, 300, 20, 30}));
  EXPECT_EQ(stages(7000), (std::vector<int64_t>{500, 1100, 300, 20, 30}));
  EXPECT_EQ(stages(1'000'000), (std::vector<int64_t>{500, 100, 300, 20, 30})) << "away while the device was still at work";
}

}  // namespace
}  // namespace draftscope
