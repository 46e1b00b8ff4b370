// A profile on a device: recorded passes in padded sizes, every stair kept.
#include "engine/profile_replays.h"

#include <gtest/gtest.h>

#include "engine/profile.h"
#include "engine/speculate/cost.h"
#include "tests/engine/test_pair.h"

namespace draftscope {
namespace {

class ProfileReplays : public testing::Test {
 protected:
  void SetUp() override {
    if (tested_backends().empty()) GTEST_SKIP() << missing_backend();
  }
};

TEST(BucketEdges, EveryRowCountTo32ThenBothEndsOfEveryStair) {
  const std::vector<int32_t> rows = bucket_edges(70);
  ASSERT_EQ(rows.size(), 32u + 6u);
  for (int32_t i = 0; i < 32; ++i) EXPECT_EQ(rows[static_cast<size_t>(i)], i + 1);
  EXPECT_EQ(std::vector<int32_t>(rows.begin() + 32, rows.end()), (std::vector<int32_t>{33, 48, 49, 64, 65, 70}));
  EXPECT_EQ(bucket_edges(2), (std::vector<int32_t>{1, 2}));
}

TEST_F(ProfileReplays, ARowCountCostsWhatItsBucketDoes) {
  const Pair pair = open_test_pair(Precision::kBf16);
  ProfileOptions options;
  options.context = {8};
  options.max_rows = 9;
  options.n_repeats = 2;
  const CostModel cost = golden::must(measure_profile(pair, options, {}, {}));
  ASSERT_TRUE(validate(cost));
  EXPECT_EQ(cost.rows, (std::vector<int32_t>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
  for (const double seconds : cost.verify_s) EXPECT_GT(seconds, 0);
  EXPECT_EQ(cost.verify_s[2], cost.verify_s[3]);
  for (size_t i = 4; i < 7; ++i) EXPECT_EQ(cost.verify_s[i], cost.verify_s[7]);
  EXPECT_EQ(cost.plain_s, std::vector<double>{cost.verify_s[0]}) << "replays follow one another, as plain steps do";
  EXPECT_GT(cost.draft_s[0], 0);
  EXPECT_GT(cost.overhead_s, 0);
}

TEST_F(ProfileReplays, APairWithoutADrafterHasAProfile) {
  const Pair pair = open_test_pair(Precision::kBf16, false);
  ProfileOptions options;
  options.context = {4};
  options.max_rows = 2;
  options.n_repeats = 1;
  const CostModel cost = golden::must(measure_profile(pair, options, {}, {}));
  EXPECT_TRUE(validate(cost));
  EXPECT_EQ(cost.draft_s, std::vector<double>{0});
}

// The pass that was timed is the pass that a session makes.
TEST_F(ProfileReplays, ReplaysLeaveTheAnswersOfTheSamePass) {
  const std::unique_ptr<Backend> backend = tested_backends()[0].make(Precision::kBf16);
  const Target target = golden::must(Target::open(test_pair_dir("target"), *backend));
  const PlacedRope rope = place_rope(*backend, target.config().layer.head_dim, target.config().layer.rope_theta, 64);
  const KvCache kv = target.make_kv(64);
  TargetWorkspace work = target.make_workspace(4, {});
  const std::vector<int32_t> tokens{5, 6, 7, 8};
  PassRows rows = chain_rows(tokens, 0);
  backend->place(rows);
  TopK once, replayed;
  const auto pass = [&](TopK& top) {
    target.forward(rows, rope, *kv.store, work);
    target.head(work.hidden->act.first_rows(4), 1, top);
  };
  pass(once);
  const std::vector<float> hidden = read_act(*backend, work.hidden->act);
  EXPECT_EQ(backend->time_runs(3, [&] { pass(replayed); }).size(), 3u);
  EXPECT_EQ(replayed.token, once.token);
  EXPECT_EQ(read_act(*backend, work.hidden->act), hidden);
}

}  // namespace
}  // namespace draftscope
