// Simulation against the engine: a dense recording replayed by a policy is that policy's live run, round for round.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/lab/simulate.h"
#include "engine/record/policies.h"
#include "tests/engine/test_pair.h"

namespace draftscope {
namespace {

constexpr int kPrompts = 100;
constexpr int32_t kMaxTokens = 40, kMaxNodes = 64;

/// Steps and slopes that make every policy choose differently.
CostModel stairs() {
  CostModel cost;
  cost.kind = CostKind::kMeasured;
  cost.label = "stairs";
  for (int32_t rows = 1; rows <= kMaxNodes + 1; ++rows) cost.rows.push_back(rows);
  cost.context = {0, 100};
  for (const int32_t context : cost.context) {
    for (const int32_t rows : cost.rows) cost.verify_s.push_back(1e-3 + 2e-4 * ((rows + 7) / 8) + 1e-6 * context * rows);
    cost.draft_s.push_back(4e-4 + 1e-6 * context);
    cost.plain_s.push_back(9e-4 + 2e-6 * context);
  }
  cost.overhead_s = 5e-5;
  return cost;
}

std::shared_ptr<const Correction> some_correction() {
  return std::make_shared<Correction>(Correction{1.3, {0, 0.5, 1}, {0, 0.6, 0.95}, 0.5});
}

SessionOptions options_of(Method method, float temperature, int prompt) {
  SessionOptions options = make_options(method, kMaxTokens);
  options.rule.max_nodes = kMaxNodes;
  options.rule.bucket_rows = 8;
  options.rule.correction = some_correction();
  options.sampling = {temperature, 20, 0.95f, static_cast<uint64_t>(prompt)};
  options.cost = stairs();
  return options;
}

/// What a live run did, cut at the end of its text as a recording is.
std::vector<SimulatedRound> rounds_of(const Generation& live, int64_t n_tokens) {
  std::vector<SimulatedRound> rounds;
  int64_t position = 0;
  for (const RoundRecord& round : live.rounds) {
    SimulatedRound one;
    one.position = static_cast<int32_t>(position);
    one.context_len = round.context_len;
    one.chosen = round.decision.chosen;
    one.accepted = static_cast<int32_t>(
        std::min<int64_t>(static_cast<int64_t>(round.accepted.path.size()) - 1, n_tokens - position - 1));
    one.expected_tokens = round.decision.expected_tokens[static_cast<size_t>(one.chosen)];
    one.predicted_s = round.decision.cost_s[static_cast<size_t>(one.chosen)];
    position += one.accepted + 1;
    rounds.push_back(one);
  }
  return rounds;
}

void expect_same_rounds(const SimulatedRun& simulated, const std::vector<SimulatedRound>& live, int prompt) {
  ASSERT_EQ(simulated.rounds.size(), live.size()) << name(simulated.method) << " on prompt " << prompt;
  for (size_t i = 0; i < live.size(); ++i) {
    const SimulatedRound &found = simulated.rounds[i], &expected = live[i];
    ASSERT_EQ(found.position, expected.position) << name(simulated.method) << " on prompt " << prompt;
    ASSERT_EQ(found.context_len, expected.context_len);
    ASSERT_EQ(found.chosen, expected.chosen) << name(simulated.method) << ", prompt " << prompt << ", round " << i;
    ASSERT_EQ(found.accepted, expected.accepted) << name(simulated.method) << ", prompt " << prompt << ", round " << i;
    ASSERT_EQ(found.expected_tokens, expected.expected_tokens);
    ASSERT_EQ(found.predicted_s, expected.predicted_s);
  }
}

void expect_simulation_is_live(float temperature) {
  const Pair pair = open_test_pair(Precision::kBf16);
  const CostTable cost(stairs());
  int64_t n_rounds = 0;
  for (int i = 0; i < kPrompts; i += kPromptStep) {
    const std::vector<int32_t> prompt = make_prompt(static_cast<uint64_t>(i), 3 + i % 45);
    SessionOptions dense = options_of(Method::kPlain, temperature, i);
    dense.dense = true;
    Session session = golden::must(Session::start(pair, prompt, dense));
    if (session.done()) continue;
    std::vector<RoundRecord> rounds;
    while (!session.done()) rounds.push_back(session.round());
    const DenseText text = golden::must(dense_text(session.info(), rounds));
    for (const Policy& policy : policies()) {
      if (!policy.live) continue;
      const SessionOptions options = options_of(policy.method, temperature, i);
      const Generation live = generate(pair, prompt, options);
      ASSERT_EQ(live.output, session.output());
      const Correction correction = policy.method == Method::kCalibrated ? *options.rule.correction : Correction{};
      const SimulatedRun run = simulate(prepare(text, order_of(policy.method), correction), cost, options.rule);
      ASSERT_NO_FATAL_FAILURE(expect_same_rounds(run, rounds_of(live, text.n_tokens()), i));
      n_rounds += static_cast<int64_t>(run.rounds.size());
    }
  }
  EXPECT_GT(n_rounds, 50 * kPrompts / kPromptStep) << "hardly any round was compared";
}

TEST(SimulationIsLive, GreedyOnAHundredPromptsAndEveryPolicy) { expect_simulation_is_live(0); }
TEST(SimulationIsLive, SampledOnAHundredPromptsAndEveryPolicy) { expect_simulation_is_live(1); }

TEST(DenseRecording, NeedsPlainDecodingAndADrafter) {
  SessionOptions options = make_options(Method::kExact, 8);
  options.dense = true;
  const Pair pair = open_test_pair(Precision::kBf16);
  const Result<Session> wrong_method = Session::start(pair, make_prompt(1, 5), options);
  ASSERT_FALSE(wrong_method);
  EXPECT_NE(wrong_method.error().find("plain decoding with a drafter"), std::string::npos) << wrong_method.error();
  options.rule.method = Method::kPlain;
  const Pair alone = open_test_pair(Precision::kBf16, false);
  EXPECT_FALSE(Session::start(alone, make_prompt(1, 5), options));
}

TEST(DenseRecording, IsTheTextOfPlainDecoding) {
  const Pair pair = open_test_pair(Precision::kBf16);
  SessionOptions options = make_options(Method::kPlain, 30);
  const std::vector<int32_t> plain = generate(pair, make_prompt(4, 9), options).output;
  options.dense = true;
  EXPECT_EQ(generate(pair, make_prompt(4, 9), options).output, plain);
}

}  // namespace
}  // namespace draftscope
