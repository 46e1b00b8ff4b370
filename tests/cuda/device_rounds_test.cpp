// Sessions whose rounds stay on the device: that they do, and that the host's rounds are the same.
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace draftscope
