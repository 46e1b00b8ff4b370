// Where a session begins and ends, and what its records say.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/base/utf8.h"
#include "engine/model/safetensors.h"
#include "engine/record/codec.h"
#include "engine/record/invariants.h"
#include "tests/engine/test_pair.h"
#include "tests/temp_folder.h"

namespace draftscope {
namespace {

std::string start_error(const Pair& pair, const std::vector<int32_t>& prompt, SessionOptions options) {
  Result<Session> session = Session::start(pair, prompt, std::move(options));
  return session ? "" : session.error();
}

class SessionTest : public testing::Test {
 protected:
  const Pair pair_ = open_test_pair(Precision::kBf16);
};

TEST_F(SessionTest, BadStartsGetOneSentence) {
  const auto error = [&](const std::vector<int32_t>& prompt, auto change) {
    SessionOptions options = make_options(Method::kExact, 10);
    change(options);
    return start_error(pair_, prompt, options);
  };
  const std::vector<int32_t> prompt = make_prompt(1, 5);
  EXPECT_EQ(error({}, [](auto&) {}), "prompt: expected at least one token, found none");
  EXPECT_NE(error({99999}, [](auto&) {}).find("found 99999"), std::string::npos);
  const std::vector<int32_t> endless(pair_.target.config().max_positions, 65);
  EXPECT_NE(error(endless, [](auto&) {}).find("the target's context"), std::string::npos);
  EXPECT_NE(error(prompt, [](auto& o) { o.max_tokens = 0; }).find("max tokens"), std::string::npos);
  EXPECT_NE(error(prompt, [](auto& o) { o.sampling.temperature = std::nanf(""); }).find("temperature"), std::string::npos);
  EXPECT_NE(error(prompt, [](auto& o) { o.sampling.top_p = 0; }).find("top p"), std::string::npos);
  EXPECT_NE(error(prompt, [](auto& o) { o.block_size = 17; }).find("block size"), std::string::npos);
  EXPECT_NE(error(prompt, [](auto& o) { o.rule = {Method::kDdtree, 65, 64}; }).find("budget"), std::string::npos);
  EXPECT_NE(error(prompt, [](auto& o) { o.cost = CostModel{}; }), "");
}

TEST(Session, ATargetOfNanGetsOneSentence) {
  const TempFolder folder;
  std::filesystem::copy(test_pair_dir("target"), folder.path(), std::filesystem::copy_options::recursive);
  std::string weights = slurp(folder / "model.safetensors");
  const auto tensors = golden::must(parse_safetensors(std::as_bytes(std::span(weights)), "model.safetensors"));
  const std::span<const std::byte> norm = tensors.at("model.norm.weight").bytes;
  const auto at = static_cast<size_t>(reinterpret_cast<const char*>(norm.data()) - weights.data());
  weights.replace(at, norm.size(), norm.size(), '\xff');  // NaN in every format
  folder.write("model.safetensors", weights);
  PairOptions models;
  models.target_dir = folder.path();
  models.needs_tokenizer = false;
  models.backend = tested_choice();
  const Pair pair = golden::must(open_pair(models));
  const std::string expected = "target " + pair.target_name + ": expected some tokens likelier than others after the prompt, "
                               "found all 264 equally likely: its weights hold NaN, or only zeros";
  SessionOptions options = make_options(Method::kPlain, 5);
  EXPECT_EQ(start_error(pair, make_prompt(1, 5), options), expected);
  options.sampling = {1.0f, 0, 1, 3};
  EXPECT_EQ(start_error(pair, make_prompt(1, 5), options), expected);
}

TEST_F(SessionTest, MethodsThatDraftNeedADrafter) {
  const Pair alone = open_test_pair(Precision::kBf16, false);
  EXPECT_NE(start_error(alone, make_prompt(1, 5), make_options(Method::kExact, 5)).find("--drafter"), std::string::npos);
  EXPECT_EQ(generate(alone, make_prompt(1, 5), make_options(Method::kPlain, 5)).output,
            generate(pair_, make_prompt(1, 5), make_options(Method::kPlain, 5)).output);
}

TEST_F(SessionTest, EndsAtMaxTokensInsideAnAcceptedPath) {
  for (int32_t n = 1; n < 30; ++n) {
    const Generation found = generate(pair_, make_prompt(4, 40), make_options(Method::kDflash, n));
    EXPECT_EQ(static_cast<int32_t>(found.output.size()), n);
    EXPECT_EQ(found.end.reason, EndReason::kMaxTokens);
  }
}

TEST_F(SessionTest, EndsAtEndOfTextAndLeavesItOut) {
  const std::vector<int32_t> prompt = make_prompt(4, 40);
  const std::vector<int32_t> free_run = generate(pair_, prompt, make_options(Method::kExact, 40)).output;
  SessionOptions options = make_options(Method::kExact, 40);
  options.stop_ids = std::vector<int32_t>{free_run[10]};
  const Generation found = generate(pair_, prompt, options);
  EXPECT_EQ(found.end.reason, EndReason::kEos);
  const auto first = std::find(free_run.begin(), free_run.end(), free_run[10]);
  EXPECT_EQ(found.output, std::vector<int32_t>(free_run.begin(), first));
}

TEST_F(SessionTest, EndsWhenTheContextIsFull) {
  const int32_t limit = pair_.target.config().max_positions;
  const Generation found = generate(pair_, make_prompt(4, limit - 9), make_options(Method::kExact, 100));
  EXPECT_EQ(found.end.reason, EndReason::kContextFull);
  EXPECT_EQ(found.output.size(), 9u);
  EXPECT_EQ(generate(pair_, make_prompt(4, limit - 9), make_options(Method::kPlain, 100)).output, found.output);
}

TEST_F(SessionTest, AStoppedPromptSaysSo) {
  Result<Session> session = Session::start(pair_, make_prompt(1, 500), make_options(Method::kExact, 5),
                                           [](int32_t done, int32_t) { return done < 256; });
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error(), "stopped while reading the prompt");
}

TEST_F(SessionTest, RecordsPassTheCodecAndJoinToTheOutput) {
  for (const Method method : live_methods()) {
    SessionOptions options = make_options(method, 60);
    options.whole_curves = true;
    const Generation found = generate(pair_, make_prompt(4, 40), options);
    std::string text;
    int32_t context = 40;
    for (const RoundRecord& round : found.rounds) {
      const Result<Message> back = decode(encode(Message(round)));
      ASSERT_TRUE(back) << name(method) << ": " << back.error();
      EXPECT_EQ(round.context_len, context);
      context += static_cast<int32_t>(round.accepted.path.size());
      text += round.committed_utf8;
      for (const int32_t token : round.tree.token) EXPECT_EQ(round.text.text_of(token), pair_.bytes_of(token));
      if (method != Method::kPlain) {
        EXPECT_EQ(round.decision.theta_tokens_per_s.size(), static_cast<size_t>(round.tree.size()));
      }
      EXPECT_EQ(round.decision.provenance, Provenance::kIllustrative) << "no cost model was given";
    }
    EXPECT_EQ(text, found.end.output_utf8) << name(method);
  }
}

TEST_F(SessionTest, PredictionsAreOfWhatTheRoundDoes) {
  CostModel cost;
  cost.context = {0};
  cost.rows = {1, 2};
  cost.verify_s = {0.004, 0.005};
  cost.draft_s = {0.002};
  cost.overhead_s = 0.001;
  cost.plain_s = {0.003};
  const auto first_round = [&](Method method, bool dense) {
    SessionOptions options = make_options(method, 4);
    options.rule.budget = 1;
    options.cost = cost;
    options.dense = dense;
    return generate(pair_, make_prompt(4, 40), options).rounds.at(0);
  };
  const auto parts_ms = [](const RoundRecord& round) {
    const StageTimes& times = round.predicted;
    return std::vector<int64_t>{times.draft_ns / 1'000'000, times.grow_ns / 1'000'000, times.verify_ns / 1'000'000};
  };
  const RoundRecord plain = first_round(Method::kPlain, false), dense = first_round(Method::kPlain, true);
  EXPECT_EQ(parts_ms(plain), (std::vector<int64_t>{0, 0, 3}));
  EXPECT_EQ(parts_ms(dense), (std::vector<int64_t>{2, 0, 4})) << "it drafts, and its pass comes behind the draft";
  EXPECT_EQ(parts_ms(first_round(Method::kDdtree, false)), (std::vector<int64_t>{2, 1, 5}));
  EXPECT_GT(dense.took.draft_ns, 0);
  for (const RoundRecord& round : {plain, dense}) {
    EXPECT_NEAR(1e9 * round.decision.cost_s.at(0), static_cast<double>(round.predicted.total_ns()), 1);
    EXPECT_DOUBLE_EQ(round.decision.theta_tokens_per_s.at(0), 1 / round.decision.cost_s[0]);
  }
}

TEST_F(SessionTest, APredictionFarBeyondTheCurveIsWhatARecordCanSay) {
  SessionOptions options = make_options(Method::kDdtree, 4);
  options.rule.budget = options.rule.max_nodes = 100;
  CostModel steep;
  steep.context = {0};
  steep.rows = {1, 2};
  steep.verify_s = {0.001, 1e5};
  steep.draft_s = {0.001};
  options.cost = steep;
  const RoundRecord round = generate(pair_, make_prompt(4, 40), options).rounds.at(0);
  const Result<Message> back = decode(encode(Message(round)));
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(round.predicted.verify_ns, kMostTime_ns);
}

TEST(Session, AStoppedTextEndsWithItsLastWholeCharacter) {
  Pair pair = open_test_pair(Precision::kBf16);
  pair.tokenizer.emplace(golden::must(Tokenizer::open(DS_SOURCE_DIR "/assets/demo/target")));  // its first tokens are bytes
  int n_inside = 0;
  for (int n_rounds = 0; n_rounds < 60; ++n_rounds) {
    SessionOptions options = make_options(Method::kPlain, 100);
    options.sampling = {100.0f, 0, 1.0f, 7};  // as good as any byte
    Session session = golden::must(Session::start(pair, make_prompt(4, 40), options));
    std::string told;
    for (int i = 0; i < n_rounds && !session.done(); ++i) told += session.round().committed_utf8;
    std::string bytes;
    for (const int32_t token : session.output()) bytes += pair.bytes_of(token);
    session.stop();
    n_inside += whole_characters(bytes) < bytes.size();
    if (n_rounds > 0) { EXPECT_EQ(told, session.end().output_utf8) << "after " << n_rounds; }
  }
  EXPECT_GT(n_inside, 0) << "no stop came inside a character";
}

TEST_F(SessionTest, ExactIsNeverWorseThanCaddtreeByItsOwnCurve) {
  SessionOptions options = make_options(Method::kExact, 60);
  options.whole_curves = true;
  for (const RoundRecord& round : generate(pair_, make_prompt(4, 40), options).rounds) {
    const std::vector<double>& theta = round.decision.theta_tokens_per_s;
    EXPECT_EQ(round.decision.chosen, round.decision.global_best);
    EXPECT_GE(theta[round.decision.chosen], theta[round.decision.faithful_stop]);
    EXPECT_EQ(theta[round.decision.chosen], *std::max_element(theta.begin(), theta.end()));
  }
}

TEST_F(SessionTest, ACostModelTakesEffectWithTheNextRound) {
  Session session = golden::must(Session::start(pair_, make_prompt(4, 40), make_options(Method::kExact, 60)));
  session.round();
  CostModel steep;
  steep.context = {0};
  steep.rows = {1, 2, 3, 65};
  steep.verify_s = {0.001, 1.0, 2.0, 100.0};
  steep.draft_s = {0.001};
  ASSERT_TRUE(session.set_cost(steep));
  EXPECT_EQ(session.round().decision.chosen, 0);
  CostModel flat = steep;
  flat.verify_s = {0.001, 0.001, 0.001, 0.001};
  ASSERT_TRUE(session.set_cost(flat));
  EXPECT_GT(session.round().decision.chosen, 60);
  EXPECT_FALSE(session.set_cost(CostModel{})) << "an unusable model leaves the one before in force";
  EXPECT_GT(session.round().decision.chosen, 60);
}

}  // namespace
}  // namespace draftscope
