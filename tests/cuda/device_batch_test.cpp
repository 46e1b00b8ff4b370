// Batches whose rounds stay on the device: that they do, and that the host's rounds are the same.
#include <algorithm>
#include <span>

#include "tests/bench/random_pair.h"
#include "tests/cuda/same_round.h"
#include "tests/engine/batch_cases.h"

namespace draftscope {
namespace {

class DeviceBatch : public testing::Test {
 protected:
  void SetUp() override {
    if (tested_backends().empty()) GTEST_SKIP() << missing_backend();
  }
};

void expect_same_pass(const SharedPass& device, const SharedPass& host) {
  EXPECT_EQ(device.pass, host.pass);
  EXPECT_EQ(device.n_rows, host.n_rows);
  EXPECT_EQ(device.n_requests, host.n_requests);
  EXPECT_EQ(device.theta_tokens_per_s, host.theta_tokens_per_s);
}

// kCalibrated with a correction that changes nothing decides as kExact does, but on the host.
TEST_F(DeviceBatch, IsRoundForRoundTheHosts) {
  const Pair pair = open_test_pair(Precision::kBf16);
  std::vector<Asked> asked = ask_all(4, 0.9f);
  asked[1].options.sampling.temperature = 0;
  for (Asked& request : asked) request.options.max_tokens = std::min(request.options.max_tokens, 12);
  BatchOptions options = batch_options(Method::kExact, 3);  // the last one waits for a slot
  options.whole_curves = true;
  const Outcome device = run_batch(pair, options, asked, 1);
  options.rule.method = Method::kCalibrated;
  const Outcome host = run_batch(pair, options, asked, 1);
  EXPECT_EQ(device.output, host.output);
  ASSERT_EQ(device.passes.size(), host.passes.size());
  size_t most = 0;
  for (size_t pass = 0; pass < host.passes.size(); ++pass) {
    ASSERT_EQ(device.passes[pass].size(), host.passes[pass].size());
    most = std::max(most, host.passes[pass].size());
    for (size_t i = 0; i < host.passes[pass].size(); ++i) {
      SCOPED_TRACE("pass " + std::to_string(pass) + ", request " + std::to_string(i));
      expect_same_round(device.passes[pass][i], host.passes[pass][i]);
      expect_same_pass(*device.passes[pass][i].shared, *host.passes[pass][i].shared);
    }
  }
  EXPECT_EQ(most, 3u);
}

TEST_F(DeviceBatch, TheRecordSaysWhereRoundsAreDecided) {
  const Pair pair = open_test_pair(Precision::kBf16);
  const auto backend_of = [&](Method method) {
    Batch batch = golden::must(Batch::start(pair, batch_options(method, 2)));
    const Asked asked = ask(0, 0);
    return golden::must(batch.admit(asked.prompt, asked.options)).backend;
  };
  for (const Method method : {Method::kPlain, Method::kDflash, Method::kExact, Method::kExactFill}) {
    EXPECT_NE(backend_of(method).find("rounds on the device"), std::string::npos) << name(method);
  }
  for (const Method method : {Method::kDdtree, Method::kCaddtree, Method::kCalibrated}) {
    EXPECT_NE(backend_of(method).find("rounds decided on the host"), std::string::npos) << name(method);
  }
}

// They begin anew whenever a request comes or goes; no time before that is theirs.
TEST_F(DeviceBatch, TimesOfPlainRoundsAreTheirOwn) {
  const Pair pair = open_test_pair(Precision::kBf16);
  const Outcome outcome = run_batch(pair, batch_options(Method::kPlain, 2), ask_all(2, 0), 3);
  for (const std::vector<RoundRecord>& pass : outcome.passes) {
    EXPECT_GE(pass[0].took.draft_ns, 0);
    EXPECT_LT(pass[0].took.draft_ns, 60'000'000'000);
    EXPECT_GT(pass[0].took.verify_ns, 0);
  }
}

// A request that draws from the whole vocabulary asks for more ranks than the device keeps.
TEST_F(DeviceBatch, TheHostTakesOverWhileARequestNeedsIt) {
  PairShape shape = tiny_shape();
  shape.target.vocab = 1100;
  const Pair pair = make_random_pair(shape, tested_backends()[0].make(Precision::kBf16));
  BatchOptions options = batch_options(Method::kExact, 3);
  std::vector<Asked> asked;
  for (int64_t i = 0; i < 3; ++i) {
    asked.push_back({make_prompt(7 + static_cast<uint64_t>(i), 5), {}});
    asked.back().options = {.session = i + 1, .max_tokens = i == 1 ? 4 : 12, .sampling = {0.8f, i == 1 ? 0 : 20, 1.0f, 5},
                            .stop_ids = std::vector<int32_t>{}};
  }
  const Outcome mixed = run_batch(pair, options, asked, 2);
  options.rule.method = Method::kCalibrated;
  EXPECT_EQ(mixed.output, run_batch(pair, options, asked, 2).output);
  EXPECT_EQ(mixed.output.size(), 3u);
}

// What is drafted ahead and the places of the passes are the loop's no more once a prompt has been begun.
TEST_F(DeviceBatch, APromptThatIsStoppedLeavesTheOthersAlone) {
  const Pair pair = open_test_pair(Precision::kBf16);
  const Asked first = ask(1, 0), second = ask(8, 0);
  Batch batch = golden::must(Batch::start(pair, batch_options(Method::kExact, 2)));
  golden::must(batch.admit(first.prompt, first.options));
  batch.round();
  const auto stop_at_end = [](int32_t done, int32_t) { return done == 0; };
  ASSERT_GT(second.prompt.size(), 128u);
  EXPECT_FALSE(batch.admit(second.prompt, second.options, stop_at_end));
  while (batch.n_active() > 0) batch.round();
  EXPECT_EQ(batch.take_finished().at(0).output, alone(pair, first, Method::kPlain));
}

// By the time the host finds a text ended, the device has drafted a block behind it. The emulated device tells of a byte
// written past a cache; the slot of the text is the whole of it.
TEST_F(DeviceBatch, WhatIsDraftedBehindATextThatFillsItsSlotStaysInIt) {
  const Pair pair = open_test_pair(Precision::kBf16);
  const int32_t block_size = pair.drafter->config().block_size;
  const auto fill_slot = [&](int32_t n_tokens) {
    Asked asked = ask(1, 0);
    asked.options.max_tokens = n_tokens;
    BatchOptions options = batch_options(Method::kDflash, 1);
    options.rule.max_nodes = options.rule.budget = block_size - 1;
    options.slot_tokens = static_cast<int32_t>(asked.prompt.size()) + n_tokens;
    return run_batch(pair, options, {asked}, 1);
  };
  const Outcome longer = fill_slot(2 * block_size);
  int32_t n_tokens = 1;  // the prompt's pass leaves one
  for (const std::vector<RoundRecord>& pass : longer.passes) {
    const size_t n_kept = pass[0].accepted.path.size();
    n_tokens += static_cast<int32_t>(n_kept);
    if (n_kept > 3) break;  // with the block behind it, more than the verify pass takes
  }
  ASSERT_LT(n_tokens, 2 * block_size);
  const Outcome filled = fill_slot(n_tokens);
  ASSERT_GT(filled.passes.back()[0].accepted.path.size(), 3u);
  EXPECT_TRUE(std::ranges::equal(filled.output.at(2), std::span(longer.output.at(2)).first(static_cast<size_t>(n_tokens))));
}

}  // namespace
}  // namespace draftscope
