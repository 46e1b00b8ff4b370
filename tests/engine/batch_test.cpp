// Batches from start to end: what is shared, what records say of it, what is refused.
#include <set>

#include "engine/record/codec.h"
#include "tests/engine/batch_cases.h"

namespace draftscope {
namespace {

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
