// The profile: axes, labels, going on after a stop.
#include "engine/profile.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "engine/pair_memory.h"
#include "engine/speculate/cost.h"
#include "tests/engine/test_pair.h"

namespace draftscope {
namespace {

/// Passes that a profile says are done while it is watched.
struct PassCount {
  std::shared_ptr<int32_t> n = std::make_shared<int32_t>(0), before = std::make_shared<int32_t>(-1);
  bool operator()(const ProfileProgress& state) const {
    const int32_t last = std::exchange(*before, state.n_done);
    if (last >= 0) *n += state.n_done - last;
    return true;
  }
};

TEST(Profile, EveryRowCountTo32ThenStepsOf8) {
  const Pair pair = open_test_pair(Precision::kBf16);
  ProfileOptions options;
  options.context = {8, 64};
  options.max_rows = 65;
  options.n_repeats = 1;
  const CostModel cost = golden::must(measure_profile(pair, options, {}, {}));
  EXPECT_TRUE(validate(cost));
  EXPECT_EQ(cost.kind, CostKind::kMeasured);
  EXPECT_EQ(cost.context, options.context);
  ASSERT_EQ(cost.rows.size(), 37u);
  for (int32_t i = 0; i < 32; ++i) EXPECT_EQ(cost.rows[i], i + 1);
  EXPECT_EQ((std::vector<int32_t>(cost.rows.begin() + 32, cost.rows.end())), (std::vector<int32_t>{40, 48, 56, 64, 65}));
  EXPECT_EQ(cost.verify_s.size(), 74u);
  EXPECT_EQ(cost.draft_s.size(), 2u);
  EXPECT_EQ(cost.plain_s.size(), 2u) << "every one positive, or the model would not be valid";
  EXPECT_GT(cost.overhead_s, 0);
}

TEST(Profile, GoesOnWhereItWasStopped) {
  const Pair pair = open_test_pair(Precision::kBf16);
  ProfileOptions options;
  options.context = {8, 16, 24};
  options.max_rows = 9;
  options.n_repeats = 1;
  CostModel half;
  const Result<CostModel> stopped = measure_profile(pair, options, {}, [&](const ProfileProgress& state) {
    half = state.so_far;
    return state.n_done < 25;
  });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error(), "profile: stopped after 25 of 60 passes") << "9 row counts and a plain step, warmed up and timed once";
  ASSERT_EQ(half.context, (std::vector<int32_t>{8}));

  PassCount count;
  const CostModel whole = golden::must(measure_profile(pair, options, half, count));
  EXPECT_EQ(whole.context, options.context);
  EXPECT_EQ(whole.verify_s[0], half.verify_s[0]) << "measured points are kept";
  EXPECT_EQ(whole.plain_s[0], half.plain_s[0]);
  EXPECT_EQ(whole.plain_s.size(), 3u);
  EXPECT_EQ(*count.n, 40);
}

// Long contexts of large models take minutes to fill.
TEST(Profile, StopsWhileACacheIsFilled) {
  const Pair pair = open_test_pair(Precision::kBf16);
  ProfileOptions options;
  options.context = {kPromptRows + 1};
  options.max_rows = 9;
  int32_t n_asked = 0;
  const Result<CostModel> stopped =
      measure_profile(pair, options, {}, [&](const ProfileProgress&) { return ++n_asked < 2; });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error(), "profile: stopped after 0 of 100 passes") << n_asked;
}

TEST(Profile, GoesOnOnlyWithItsOwnBeginning) {
  const Pair pair = open_test_pair(Precision::kBf16), precise = open_test_pair(Precision::kF32);
  ProfileOptions options;
  options.context = {16};
  options.max_rows = 9;
  options.n_repeats = 1;
  CostModel later = golden::must(measure_profile(pair, options, {}, {}));
  const auto n_measured = [&](const Pair& of) {
    PassCount count;
    const CostModel found = golden::must(measure_profile(of, options, later, count));
    EXPECT_TRUE(validate(found));
    EXPECT_EQ(found.context, options.context);
    return *count.n;
  };
  EXPECT_EQ(n_measured(pair), 0) << "all of it is there";
  EXPECT_EQ(n_measured(precise), 20) << "another precision";
  options.context = {8, 16};
  EXPECT_EQ(n_measured(pair), 40) << "not its beginning";
  options.context = {16, 24};
  EXPECT_EQ(n_measured(pair), 20);
  later.plain_s.clear();
  EXPECT_EQ(n_measured(pair), 40) << "begun by a program that timed no plain steps";
}

TEST(Profile, APairWithoutADrafterHasAPlainStepToo) {
  const Pair pair = open_test_pair(Precision::kBf16, false);
  ProfileOptions options;
  options.context = {8};
  options.max_rows = 3;
  options.n_repeats = 2;
  const CostModel cost = golden::must(measure_profile(pair, options, {}, {}));
  EXPECT_TRUE(validate(cost));
  EXPECT_EQ(cost.plain_s.size(), 1u);
}

TEST(Profile, RefusesContextsThatDoNotFit) {
  const Pair pair = open_test_pair(Precision::kBf16, false);
  ProfileOptions options;
  options.context = {64, 8};
  EXPECT_FALSE(measure_profile(pair, options, {}, {}));
  options.context = {1 << 20};
  EXPECT_FALSE(measure_profile(pair, options, {}, {}));
}

}  // namespace
}  // namespace draftscope
