// A batch writes, for every request, the very text that a session alone writes; its records say what was shared.
#include "engine/batch.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "engine/record/codec.h"
#include "tests/engine/test_pair.h"

namespace draftscope {
namespace {

CostModel rising_cost() {
  CostModel cost;
  cost.label = "made up for a test";
  cost.context = {0, 512};
  cost.rows = {1, 8, 64, 512};
  cost.verify_s = {0.004, 0.0042, 0.007, 0.04, 0.0045, 0.0048, 0.008, 0.05};
  cost.draft_s = {0.001, 0.0012};
  cost.overhead_s = 0.0001;
  return cost;
}

BatchOptions batch_options(Method method, int32_t n_slots) {
  BatchOptions options;
  options.rule = make_options(method, 1).rule;
  options.n_slots = n_slots;
  options.slot_tokens = 256;
  options.cost = rising_cost();
  options.whole_curves = false;
  return options;
}

struct Asked {
  std::vector<int32_t> prompt;
  TextOptions options;
};

/// Request i: its own prompt, length, seed and sampling.
Asked ask(int64_t i, float temperature) {
  Asked asked;
  asked.prompt = make_prompt(100 + static_cast<uint64_t>(i), static_cast<int32_t>(3 + 17 * i % 140));
  asked.options.session = i + 1;
  asked.options.max_tokens = static_cast<int32_t>(8 + 13 * i % 60);
  asked.options.sampling = {temperature, i % 3 == 0 ? 0 : 20, i % 2 == 0 ? 1.0f : 0.9f, static_cast<uint64_t>(i)};
  asked.options.stop_ids = std::vector<int32_t>{257};
  return asked;
}

std::vector<int32_t> alone(const Pair& pair, const Asked& asked, Method method) {
  SessionOptions options = make_options(method, asked.options.max_tokens);
  options.cost = rising_cost();
  options.sampling = asked.options.sampling;
  options.stop_ids = asked.options.stop_ids;
  return generate(pair, asked.prompt, std::move(options)).output;
}

struct Outcome {
  std::map<int64_t, std::vector<int32_t>> output;
  std::map<int64_t, SessionEnd> end;
  std::vector<std::vector<RoundRecord>> passes;
};

void take(Batch& batch, Outcome& outcome) {
  for (FinishedRequest& finished : batch.take_finished()) {
    outcome.output[finished.end.session] = std::move(finished.output);
    outcome.end[finished.end.session] = std::move(finished.end);
  }
}

/// Admits a request every `stagger` passes while there is room, until all have ended.
Outcome run_batch(const Pair& pair, BatchOptions options, const std::vector<Asked>& asked, int stagger) {
  Batch batch = golden::must(Batch::start(pair, std::move(options)));
  Outcome outcome;
  size_t next = 0;
  for (int pass = 0; next < asked.size() || batch.n_active() > 0; ++pass) {
    while (next < asked.size() && batch.has_room() && (stagger == 0 || pass % stagger == 0)) {
      const SessionInfo info = golden::must(batch.admit(asked[next].prompt, asked[next].options));
      EXPECT_EQ(info.session, asked[next].options.session);
      ++next;
      if (stagger != 0) break;
    }
    take(batch, outcome);
    if (batch.n_active() > 0) outcome.passes.push_back(batch.round());
    take(batch, outcome);
  }
  return outcome;
}

std::vector<Asked> ask_all(int n_requests, float temperature) {
  std::vector<Asked> asked;
  for (int i = 0; i < n_requests; ++i) asked.push_back(ask(i, temperature));
  return asked;
}

class BatchTexts : public testing::TestWithParam<std::tuple<Precision, float>> {};

TEST_P(BatchTexts, AreThoseOfSessionsAloneForEveryMethod) {
  const auto [precision, temperature] = GetParam();
  const Pair pair = open_test_pair(precision);
  const std::vector<Asked> asked = ask_all(11, temperature);
  std::vector<std::vector<int32_t>> expected;
  for (const Asked& request : asked) expected.push_back(alone(pair, request, Method::kPlain));
  for (const Method method : live_methods()) {
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
      EXPECT_GT(n_accepted, 50) << name(method);
    }
  }
}

TEST_P(BatchTexts, DoNotDependOnWhoSharesThePass) {
  const auto [precision, temperature] = GetParam();
  const Pair pair = open_test_pair(precision);
  const std::vector<Asked> asked = ask_all(9, temperature);
  const Outcome all_at_once = run_batch(pair, batch_options(Method::kExact, 8), asked, 0);
  for (const int32_t n_slots : {1, 3}) {
    EXPECT_EQ(run_batch(pair, batch_options(Method::kExact, n_slots), asked, 0).output, all_at_once.output) << n_slots;
  }
}

INSTANTIATE_TEST_SUITE_P(All, BatchTexts,
                         testing::Combine(testing::Values(Precision::kBf16, Precision::kF32), testing::Values(0.0f, 1.0f)));

class BatchTest : public testing::Test {
 protected:
  const Pair pair_ = open_test_pair(Precision::kBf16);
};

TEST_F(BatchTest, OneRequestIsDecidedRoundByRoundAsASessionIs) {
  for (const Method method : live_methods()) {
    const Asked asked = ask(5, 0);
    const Outcome outcome = run_batch(pair_, batch_options(method, 1), {asked}, 0);
    SessionOptions options = make_options(method, asked.options.max_tokens);
    options.cost = rising_cost();
    const Generation session = generate(pair_, asked.prompt, options);
    ASSERT_EQ(outcome.passes.size(), session.rounds.size()) << name(method);
    for (size_t i = 0; i < session.rounds.size(); ++i) {
      const RoundRecord &in_batch = outcome.passes[i][0], &by_itself = session.rounds[i];
      EXPECT_EQ(in_batch.seq, by_itself.seq);
      EXPECT_EQ(in_batch.decision.chosen, by_itself.decision.chosen) << name(method);
      EXPECT_EQ(in_batch.decision.stop, by_itself.decision.stop) << name(method);
      EXPECT_EQ(in_batch.verdict.choice, by_itself.verdict.choice);
      EXPECT_EQ(in_batch.accepted.path, by_itself.accepted.path);
      EXPECT_EQ(in_batch.committed_utf8, by_itself.committed_utf8);
      EXPECT_EQ(in_batch.predicted.total_ns(), by_itself.predicted.total_ns()) << name(method);
    }
    EXPECT_EQ(outcome.end.at(6).output_utf8, session.end.output_utf8);
    EXPECT_EQ(outcome.end.at(6).reason, session.end.reason);
  }
}

TEST_F(BatchTest, RecordsPassTheCodecJoinToTheTextAndAgreeOnTheirPass) {
  for (const Method method : {Method::kPlain, Method::kExact, Method::kDdtree}) {
    BatchOptions options = batch_options(method, 4);
    options.whole_curves = true;
    const Outcome outcome = run_batch(pair_, options, ask_all(6, 0), 1);
    std::map<int64_t, std::string> text;
    std::map<int64_t, int64_t> next_seq;
    int64_t pass_number = 0;
    for (const std::vector<RoundRecord>& pass : outcome.passes) {
      int32_t n_rows = 0, n_tokens = 0;
      std::set<int64_t> sessions;
      for (const RoundRecord& round : pass) {
        const Result<Message> back = decode(encode(Message(round)));
        ASSERT_TRUE(back) << name(method) << ": " << back.error();
        ASSERT_TRUE(round.shared);
        EXPECT_EQ(round.shared->pass, pass_number);
        EXPECT_EQ(round.shared->n_requests, static_cast<int32_t>(pass.size()));
        EXPECT_EQ(round.seq, next_seq[round.session]++);
        EXPECT_EQ(round.took.total_ns(), pass[0].took.total_ns());
        EXPECT_EQ(round.predicted.provenance, Provenance::kDerived);
        const BudgetDecision& decision = round.decision;
        const auto chosen = static_cast<size_t>(decision.chosen);
        EXPECT_NEAR(decision.theta_tokens_per_s[chosen], round.shared->theta_tokens_per_s, 1e-6 * decision.theta_tokens_per_s[chosen]);
        if (method == Method::kExact) {
          const double best = *std::max_element(decision.theta_tokens_per_s.begin(), decision.theta_tokens_per_s.end());
          EXPECT_NEAR(decision.theta_tokens_per_s[chosen], best, 1e-9 * best);
        }
        n_rows += round.n_verified_rows();
        n_tokens += static_cast<int32_t>(round.accepted.path.size());
        sessions.insert(round.session);
        text[round.session] += round.committed_utf8;
      }
      EXPECT_EQ(sessions.size(), pass.size());
      EXPECT_EQ(pass[0].shared->n_rows, n_rows);
      EXPECT_EQ(pass[0].shared->n_tokens, n_tokens);
      ++pass_number;
    }
    for (const auto& [session, end] : outcome.end) {
      EXPECT_EQ(text[session], end.output_utf8) << name(method);
      EXPECT_EQ(end.n_rounds, next_seq[session]);
    }
  }
}

TEST_F(BatchTest, TheBudgetOfARequestFallsAsTheBatchGrows) {
  double last = 1e9;
  for (const int32_t n_slots : {1, 2, 4, 8}) {
    std::vector<Asked> asked;
    for (int32_t i = 0; i < n_slots; ++i) {
      asked.push_back(ask(i, 0));
      asked.back().options.max_tokens = 60;
    }
    double nodes = 0, rounds = 0;
    for (const auto& pass : run_batch(pair_, batch_options(Method::kExact, n_slots), asked, 0).passes) {
      if (static_cast<int32_t>(pass.size()) < n_slots) continue;
      for (const RoundRecord& round : pass) nodes += round.decision.chosen, ++rounds;
    }
    ASSERT_GT(rounds, 0);
    EXPECT_LT(nodes / rounds, last) << n_slots << " requests";
    last = nodes / rounds;
  }
}

TEST_F(BatchTest, TheCapIsOnTheSumOfAllTrees) {
  BatchOptions options = batch_options(Method::kExact, 4);
  options.rule.max_nodes = 10;
  options.cost.verify_s = {0.004, 0.004, 0.004, 0.004, 0.004, 0.004, 0.004, 0.004};
  for (const auto& pass : run_batch(pair_, options, ask_all(4, 0), 0).passes) {
    EXPECT_LE(pass[0].shared->n_rows - pass[0].shared->n_requests, 10);
  }
}

TEST_F(BatchTest, BadStartsAndRequestsGetOneSentence) {
  const auto start_error = [&](auto change) {
    BatchOptions options = batch_options(Method::kExact, 2);
    change(options);
    Result<Batch> batch = Batch::start(pair_, options);
    return batch ? std::string() : batch.error();
  };
  EXPECT_EQ(start_error([](auto&) {}), "");
  EXPECT_EQ(start_error([](auto& o) { o.n_slots = 0; }), "batch: expected 1 to 256 requests in flight, found 0");
  EXPECT_NE(start_error([](auto& o) { o.slot_tokens = 1; }).find("slot"), std::string::npos);
  EXPECT_NE(start_error([](auto& o) { o.rule = {Method::kDdtree, 65, 64}; }).find("budget"), std::string::npos);
  EXPECT_NE(start_error([](auto& o) { o.rule.max_nodes = 5000; }).find("max nodes"), std::string::npos);
  EXPECT_NE(start_error([](auto& o) { o.block_size = 1; }).find("block size"), std::string::npos);
  EXPECT_NE(start_error([](auto& o) { o.cost = {}; }), "");

  Batch batch = golden::must(Batch::start(pair_, batch_options(Method::kExact, 2)));
  const auto admit_error = [&](std::vector<int32_t> prompt, TextOptions options) {
    Result<SessionInfo> info = batch.admit(prompt, std::move(options));
    return info ? std::string() : info.error();
  };
  const Asked good = ask(1, 0);
  EXPECT_EQ(admit_error({}, good.options), "prompt: expected at least one token, found none");
  TextOptions long_text = good.options;
  long_text.max_tokens = 1000;
  EXPECT_NE(admit_error(good.prompt, long_text).find("the room of a slot"), std::string::npos);
  EXPECT_EQ(batch.n_active(), 0);
  EXPECT_EQ(admit_error(good.prompt, good.options), "");
  EXPECT_NE(admit_error(good.prompt, good.options).find("found 2 twice"), std::string::npos);
  EXPECT_EQ(admit_error(ask(2, 0).prompt, ask(2, 0).options), "");
  EXPECT_FALSE(batch.has_room());
  EXPECT_EQ(admit_error(ask(3, 0).prompt, ask(3, 0).options), "batch: expected a free slot, found all 2 in use");
  EXPECT_EQ(batch.round().size(), 2u) << "a refused request changes nothing";
}

TEST_F(BatchTest, AStoppedPromptLeavesItsSlotFree) {
  Batch batch = golden::must(Batch::start(pair_, batch_options(Method::kExact, 2)));
  const Result<SessionInfo> stopped =
      batch.admit(make_prompt(1, 200), ask(1, 0).options, [](int32_t done, int32_t) { return done < 128; });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error(), "stopped while reading the prompt");
  EXPECT_EQ(batch.n_active(), 0);
}

TEST_F(BatchTest, StoppingEndsAllAndASlotIsAsGoodAsNewAfterwards) {
  Batch batch = golden::must(Batch::start(pair_, batch_options(Method::kExact, 3)));
  for (int i = 0; i < 3; ++i) golden::must(batch.admit(ask(i, 0).prompt, ask(i, 0).options));
  batch.round();
  batch.stop();
  EXPECT_EQ(batch.n_active(), 0);
  const std::vector<FinishedRequest> ended = batch.take_finished();
  ASSERT_EQ(ended.size(), 3u);
  for (const FinishedRequest& finished : ended) EXPECT_EQ(finished.end.reason, EndReason::kStopped);
  EXPECT_TRUE(batch.take_finished().empty());
  const Asked again = ask(7, 0);
  golden::must(batch.admit(again.prompt, again.options));
  Outcome outcome;
  while (batch.n_active() > 0) batch.round();
  take(batch, outcome);
  EXPECT_EQ(outcome.output.at(8), alone(pair_, again, Method::kPlain));
}

TEST_F(BatchTest, ATextThatEndsWithItsFirstTokenNeverTakesPart) {
  Batch batch = golden::must(Batch::start(pair_, batch_options(Method::kExact, 2)));
  Asked asked = ask(1, 0);
  asked.options.max_tokens = 1;
  golden::must(batch.admit(asked.prompt, asked.options));
  EXPECT_EQ(batch.n_active(), 0);
  const std::vector<FinishedRequest> ended = batch.take_finished();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].output.size(), 1u);
  EXPECT_EQ(ended[0].end.n_rounds, 0);
}

TEST_F(BatchTest, ATargetAloneDecodesPlainly) {
  const Pair target_only = open_test_pair(Precision::kBf16, false);
  const std::vector<Asked> asked = ask_all(5, 1);
  const Outcome outcome = run_batch(target_only, batch_options(Method::kPlain, 3), asked, 1);
  for (size_t i = 0; i < asked.size(); ++i) {
    EXPECT_EQ(outcome.output.at(static_cast<int64_t>(i) + 1), alone(target_only, asked[i], Method::kPlain));
  }
  Result<Batch> drafting = Batch::start(target_only, batch_options(Method::kExact, 3));
  ASSERT_FALSE(drafting);
  EXPECT_NE(drafting.error().find("--drafter"), std::string::npos);
}

}  // namespace
}  // namespace draftscope
