// A session that re-estimates its cost: the budgets may move, the text may not.
#include <gtest/gtest.h>

#include "tests/engine/test_pair.h"

namespace draftscope {
namespace {

/// Passes that take a nanosecond per row: every machine is slower.
CostModel hopeful_cost() {
  CostModel cost;
  cost.label = "hopeful";
  cost.context = {0};
  cost.rows = {1, 65};
  cost.verify_s = {1e-9, 65e-9};
  cost.draft_s = {1e-9};
  return cost;
}

TEST(OnlineCostSession, KeepsTheTextOfPlainDecodingWhileTheCostMoves) {
  const Pair pair = open_test_pair(Precision::kBf16);
  for (int i = 0; i < 40; ++i) {
    const std::vector<int32_t> prompt = make_prompt(500 + i, 3 + i);
    SessionOptions options = make_options(i % 2 == 0 ? Method::kExact : Method::kCaddtree, 60);
    options.sampling = {i % 4 < 2 ? 0.0f : 1.0f, 0, 1.0f, static_cast<uint64_t>(i)};
    SessionOptions plain = options;
    plain.rule.method = Method::kPlain;
    options.online_cost = true;
    options.cost = hopeful_cost();
    EXPECT_EQ(generate(pair, prompt, options).output, generate(pair, prompt, plain).output) << "prompt " << i;
  }
}

/// Rounds of one row or, where `method` drafts, of two.
SessionOptions small_rounds(Method method) {
  SessionOptions options = make_options(method, 100);
  options.rule.budget = 1;
  options.cost = hopeful_cost();
  options.online_cost = true;
  return options;
}

TEST(OnlineCostSession, RecordsTheDriftAndDecidesByTheNewCost) {
  const Pair pair = open_test_pair(Precision::kBf16);
  Session session = golden::must(Session::start(pair, make_prompt(4, 40), small_rounds(Method::kDdtree)));
  std::vector<RoundRecord> rounds;
  while (!session.done()) rounds.push_back(session.round());
  ASSERT_GT(rounds.size(), 32u);
  EXPECT_EQ(session.info().cost.label, "hopeful") << "the session began with it";
  EXPECT_GT(rounds.front().cost_drift, 1);
  EXPECT_FALSE(rounds.front().drift_alarm);
  EXPECT_TRUE(rounds.back().drift_alarm);
  EXPECT_GT(rounds.back().predicted.verify_ns, rounds.front().predicted.verify_ns);
  ASSERT_TRUE(session.set_cost(hopeful_cost()));
  EXPECT_EQ(session.info().cost.label, "hopeful");
}

TEST(OnlineCostSession, PlainRoundsTeachThePlainStepAlone) {
  const Pair pair = open_test_pair(Precision::kBf16);
  for (const bool profiled : {false, true}) {
    SessionOptions options = small_rounds(Method::kPlain);
    if (profiled) options.cost->plain_s = {1e-9};
    Session session = golden::must(Session::start(pair, make_prompt(4, 40), options));
    RoundRecord last;
    for (int i = 0; i < 40; ++i) last = session.round();
    EXPECT_EQ(last.predicted.verify_ns > 1, profiled);
    EXPECT_EQ(last.cost_drift > 1, profiled);
    EXPECT_EQ(last.drift_alarm, profiled);
    BudgetRule tree = options.rule;
    tree.method = Method::kDdtree;
    ASSERT_TRUE(session.set_rule(tree));
    EXPECT_EQ(session.round().predicted.verify_ns, 2) << "two rows, as profiled";
  }
}

TEST(OnlineCostSession, DenseRoundsTeachTheCurveAsTheyDraft) {
  const Pair pair = open_test_pair(Precision::kBf16);
  SessionOptions options = small_rounds(Method::kPlain);
  options.dense = true;
  options.cost->plain_s = {1e-9};
  Session session = golden::must(Session::start(pair, make_prompt(4, 40), options));
  for (int i = 0; i < 40; ++i) session.round();
  EXPECT_GT(session.round().predicted.verify_ns, 1);
}

TEST(OnlineCostSession, WithoutTheOptionNothingMoves) {
  const Pair pair = open_test_pair(Precision::kBf16);
  SessionOptions options = make_options(Method::kPlain, 30);
  options.cost = hopeful_cost();
  for (const RoundRecord& round : generate(pair, make_prompt(4, 40), options).rounds) {
    EXPECT_EQ(round.cost_drift, 1);
    EXPECT_FALSE(round.drift_alarm);
    EXPECT_EQ(round.predicted.verify_ns, 1);
  }
}

}  // namespace
}  // namespace draftscope
