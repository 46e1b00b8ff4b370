// The re-estimated cost follows a machine that changed and nothing else.
#include "engine/speculate/online_cost.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "engine/speculate/cost.h"

namespace draftscope {
namespace {

CostModel profile(double relative_spread = 0.03) {
  CostModel model;
  model.kind = CostKind::kMeasured;
  model.label = "a profile";
  model.context = {32, 256, 1024};
  model.rows = {1, 2, 3, 4, 6, 8, 9, 16, 17, 32, 48, 64, 100};
  for (const int32_t context : model.context) {
    for (const int32_t rows : model.rows) {
      model.verify_s.push_back(1e-3 + 2e-7 * context + 1e-4 * ((rows + 7) / 8));
      model.spread_s.push_back(relative_spread * model.verify_s.back());
    }
  }
  model.draft_s.assign(model.context.size(), 5e-4);
  model.overhead_s = 1e-5;
  return model;
}

/// Passes of a machine `slower(rows)` times as slow as the profile, with log-normal noise.
class Machine {
 public:
  Machine(CostModel model, unsigned seed) : table_(std::move(model)), random_(seed) {}

  template <class Slower>
  void decode(int n_rounds, double noise, Slower slower, OnlineCost& online) {
    for (int i = 0; i < n_rounds; ++i) {
      const auto rows = static_cast<int32_t>(std::exp2(std::uniform_real_distribution<double>(0, 6.6)(random_)));
      const auto context = static_cast<int32_t>(30 + random_() % 1000);
      const double wobble = std::exp(std::normal_distribution<double>(0, noise)(random_));
      online.observe(context, rows, table_.at(context, rows - 1).verify_s.back() * slower(rows) * wobble);
    }
  }
  bool one_in(uint32_t n) { return random_() % n == 0; }

 private:
  CostTable table_;
  std::mt19937 random_;
};

/// Re-estimated over profiled seconds, row counts of the model's grid; the same at every context.
std::vector<double> factors(const OnlineCost& online) {
  const CostModel now = online.model(), before = online.prior();
  std::vector<double> all;
  for (size_t r = 0; r < before.rows.size(); ++r) all.push_back(now.verify_s[r] / before.verify_s[r]);
  for (size_t i = 0; i < before.verify_s.size(); ++i) {
    EXPECT_NEAR(now.verify_s[i] / before.verify_s[i], all[i % before.rows.size()], 1e-12);
    EXPECT_NEAR(now.spread_s[i] / before.spread_s[i], all[i % before.rows.size()], 1e-12);
  }
  return all;
}

const auto kAsProfiled = [](int32_t) { return 1.0; };
const auto kThirtyPercentSlower = [](int32_t) { return 1.3; };

TEST(OnlineCost, ConvergesToASlowerMachineAndRaisesTheAlarm) {
  OnlineCost online(profile());
  Machine machine(profile(), 1);
  machine.decode(100, 0.03, kThirtyPercentSlower, online);
  for (const double factor : factors(online)) EXPECT_NEAR(factor, 1.3, 0.05);
  EXPECT_NEAR(online.drift().factor, 1.3, 0.03);
  EXPECT_TRUE(online.drift().alarm);
  EXPECT_EQ(online.model().draft_s, profile().draft_s) << "only verify passes were seen";
  EXPECT_EQ(online.model().overhead_s, profile().overhead_s);
  EXPECT_TRUE(validate(online.model()));
}

TEST(OnlineCost, TheAlarmComesWithinItsWindowAndGoesAgain) {
  const OnlineCostOptions options;
  for (unsigned seed = 0; seed < 20; ++seed) {
    OnlineCost online(profile(), options);
    Machine machine(profile(), seed);
    machine.decode(300, 0.03, kAsProfiled, online);
    EXPECT_FALSE(online.drift().alarm);
    machine.decode(options.drift_window, 0.03, kThirtyPercentSlower, online);
    EXPECT_TRUE(online.drift().alarm);
    machine.decode(options.drift_window, 0.03, kAsProfiled, online);
    EXPECT_FALSE(online.drift().alarm);
    EXPECT_NEAR(online.drift().factor, 1, 0.02);
  }
}

TEST(OnlineCost, ThirtyPercentFromTheStartAreToldWithin64Rounds) {
  for (const double noise : {0.01, 0.03, 0.1}) {
    for (unsigned seed = 0; seed < 50; ++seed) {
      OnlineCost slower(profile()), faster(profile());
      Machine machine(profile(), seed);
      machine.decode(64, noise, kThirtyPercentSlower, slower);
      machine.decode(64, noise, [](int32_t) { return 1 / 1.3; }, faster);
      EXPECT_TRUE(slower.drift().alarm) << "noise " << noise << ", seed " << seed;
      EXPECT_TRUE(faster.drift().alarm) << "noise " << noise << ", seed " << seed;
    }
  }
}

TEST(OnlineCost, TheAlarmNeedsManyObservations) {
  const OnlineCostOptions options;
  OnlineCost online(profile(), options);
  for (int i = 1; i < options.alarm_after; ++i) {
    online.observe(100, 16, 1.0);  // hundreds of times the profile
    EXPECT_FALSE(online.drift().alarm) << "after " << i;
  }
  online.observe(100, 16, 1.0);
  EXPECT_TRUE(online.drift().alarm);
}

TEST(OnlineCost, NoiseHoweverWildRaisesNoAlarmWhileTheMedianStays) {
  for (const double noise : {0.05, 0.2, 0.5}) {
    for (unsigned seed = 0; seed < 20; ++seed) {
      OnlineCost online(profile());
      Machine machine(profile(), seed);
      for (int i = 0; i < 1000; ++i) {
        machine.decode(1, noise, kAsProfiled, online);
        ASSERT_FALSE(online.drift().alarm) << "noise " << noise << ", seed " << seed << ", after " << i;
      }
    }
  }
}

// Beside somebody else's work passes are slow in bursts: here up to four in ten, in bursts of five rounds.
TEST(OnlineCost, ANoisyNeighbourRaisesNoAlarm) {
  for (const double share : {0.2, 0.4}) {
    for (unsigned seed = 0; seed < 20; ++seed) {
      OnlineCost online(profile());
      Machine machine(profile(), seed);
      std::mt19937 neighbour(seed + 1000);
      std::uniform_real_distribution<double> chance(0, 1);
      bool busy = false;
      for (int i = 0; i < 1000; ++i) {
        busy = chance(neighbour) < (busy ? 0.8 : 0.2 * share / (1 - share));
        machine.decode(1, 0.03, [&](int32_t) { return busy ? 2.7 : 1.0; }, online);
        ASSERT_FALSE(online.drift().alarm) << "share " << share << ", seed " << seed << ", after " << i;
      }
    }
  }
}

TEST(OnlineCost, OneObservationInTenMayBeWild) {
  OnlineCost online(profile());
  Machine machine(profile(), 3);
  for (int i = 0; i < 2000; ++i) {
    const double wild = machine.one_in(2) ? 30 : 0.1;
    machine.decode(1, 0.03, [&](int32_t) { return machine.one_in(10) ? wild : 1.0; }, online);
    ASSERT_FALSE(online.drift().alarm) << "after " << i;
  }
  for (const double factor : factors(online)) EXPECT_NEAR(factor, 1, 0.06);
}

TEST(OnlineCost, NoiseOfTheProfilesOwnSpreadRaisesNoAlarm) {
  for (const double spread : {0.02, 0.08, 0.2}) {
    for (unsigned seed = 0; seed < 5; ++seed) {
      OnlineCost online(profile(spread));
      Machine machine(profile(spread), seed);
      for (int i = 0; i < 1000; ++i) {
        machine.decode(1, spread / 0.6745, kAsProfiled, online);  // half the interquartile range of a normal
        ASSERT_FALSE(online.drift().alarm) << "spread " << spread << ", seed " << seed << ", after " << i;
      }
    }
  }
}

TEST(OnlineCost, UnusedBinsMoveTogetherAndTheMoreBinsSayItTheFurther) {
  const CostModel model = profile();
  OnlineCost online(profile());
  for (int i = 0; i < 200; ++i) online.observe(32, 16, 1.5 * 1.2064e-3);
  EXPECT_NEAR(online.drift().factor, 1.5, 0.05);
  const std::vector<double> one_bin = factors(online);
  EXPECT_NEAR(one_bin[7], std::pow(1.5, 34.0 / 36), 1e-3) << "16 rows, seen: 32 observations against 4 half as high";
  EXPECT_NEAR(one_bin[0], std::pow(1.5, 0.5), 1e-3) << "4 observations of it speak for the others, 4 against";
  for (size_t r = 0; r < one_bin.size(); ++r) {
    if (model.rows[r] <= 8 || model.rows[r] >= 32) {
      EXPECT_NEAR(one_bin[r], one_bin[0], 1e-12) << model.rows[r] << " rows: as the profile has it";
    }
  }
  for (int i = 0; i < 4; ++i) online.observe(32, 64, 1.5 * 1.8064e-3);
  EXPECT_NEAR(factors(online)[0], std::pow(1.5, 8.0 / 12), 1e-2);
}

TEST(OnlineCost, BinsKeepTheirOwnFactorsAndOldNewsFades) {
  const OnlineCostOptions options;
  OnlineCost online(profile(), options);
  Machine machine(profile(), 4);
  machine.decode(500, 0.02, [](int32_t rows) { return rows >= 23 ? 2.0 : 1.0; }, online);
  const std::vector<double> found = factors(online);
  EXPECT_NEAR(found[0], 1, 0.05) << "1 row";
  EXPECT_NEAR(found[11], 2, 0.15) << "64 rows";
  EXPECT_TRUE(std::is_sorted(found.begin() + 7, found.begin() + 10)) << "between bins it changes gradually";
  for (int i = 0; i < options.half_life; ++i) online.observe(32, 1, 1.1064e-3);
  EXPECT_GT(factors(online)[11], 1.5) << "still remembered";
  for (int i = 0; i < 10 * options.half_life; ++i) online.observe(32, 1, 1.1064e-3);
  EXPECT_NEAR(factors(online)[11], 1, 0.01) << "no longer: worth another try";
}

CostModel profile_with_plain_step() {
  CostModel model = profile();
  model.plain_s = {8e-4, 8.5e-4, 1e-3};
  return model;
}

TEST(OnlineCost, PlainStepsTeachThePlainStepAndNothingElse) {
  const CostModel before = profile_with_plain_step();
  OnlineCost online(before);
  for (int i = 0; i < 100; ++i) online.observe_plain(256, 1.5 * 8.5e-4);
  const CostModel now = online.model();
  for (size_t c = 0; c < before.plain_s.size(); ++c) {
    EXPECT_NEAR(now.plain_s[c] / before.plain_s[c], std::pow(1.5, 32.0 / 36), 1e-9) << "32 observations against 4 as profiled";
  }
  EXPECT_EQ(now.verify_s, before.verify_s) << "no draft came before";
  EXPECT_EQ(now.spread_s, before.spread_s);
  EXPECT_NEAR(online.drift().factor, 1.5, 0.03);
  EXPECT_TRUE(online.drift().alarm);
  const std::optional<CostModel> news = online.update();
  ASSERT_TRUE(news);
  EXPECT_EQ(news->plain_s, now.plain_s);
  EXPECT_FALSE(online.update()) << "nothing new since";
}

TEST(OnlineCost, PlainStepsTeachNothingWhereTheProfileHasNone) {
  OnlineCost online(profile());
  for (int i = 0; i < 100; ++i) online.observe_plain(256, 1.0);
  EXPECT_FALSE(online.update());
  EXPECT_EQ(online.model().verify_s, profile().verify_s);
  EXPECT_TRUE(online.model().plain_s.empty());
  EXPECT_EQ(online.drift().factor, 1);
  EXPECT_FALSE(online.drift().alarm);
}

TEST(OnlineCost, ThePlainStepFollowsTheOthersUntilItIsSeen) {
  const CostModel before = profile_with_plain_step();
  OnlineCost online(before);
  Machine(before, 7).decode(100, 0.02, kThirtyPercentSlower, online);
  EXPECT_NEAR(online.model().plain_s[0] / before.plain_s[0], 1.3, 0.05) << "as a bin of rows that no pass had";
  for (int i = 0; i < 100; ++i) online.observe_plain(32, 8e-4);
  EXPECT_NEAR(online.model().plain_s[0] / before.plain_s[0], 1, 0.04);
}

TEST(OnlineCost, AModelAtTheBoundsStaysUsable) {
  CostModel widest = profile_with_plain_step();
  widest.rows = {1, 4096};
  widest.verify_s = {1e-3, 1e5, 1e-3, 1e5, 1e-3, 1e5};
  widest.spread_s = widest.verify_s;
  widest.plain_s.back() = 1e5;
  ASSERT_TRUE(validate(widest));
  OnlineCost online(widest);
  for (int i = 0; i < 100; ++i) online.observe(32, 1, 1.0);
  const CostModel slower = online.model();
  EXPECT_GT(slower.verify_s[0], 2e-3);
  EXPECT_TRUE(validate(slower)) << "passes of one row speak for the others too";
}

TEST(OnlineCost, GarbageIsIgnored) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInf = std::numeric_limits<double>::infinity();
  OnlineCost online(profile_with_plain_step());
  for (const double seconds : {kNan, kInf, -kInf, 0.0, -1e-3}) {
    online.observe(100, 8, seconds);
    online.observe_plain(100, seconds);
  }
  online.observe_plain(-1, 1e-3);
  online.observe(100, 0, 1e-3);
  online.observe(-1, 8, 1e-3);
  EXPECT_EQ(online.model().verify_s, profile().verify_s);
  EXPECT_EQ(online.model().label, "a profile");
  EXPECT_EQ(online.drift().factor, 1);
  EXPECT_FALSE(online.drift().alarm);
}

TEST(OnlineCost, AnyTimeLeavesAUsableModel) {
  for (const double seconds : {1e-300, 1e300}) {
    OnlineCost online(profile());
    for (int i = 0; i < 100; ++i) online.observe(std::numeric_limits<int32_t>::max(), 1 + i * 20'000'000, seconds);
    EXPECT_TRUE(validate(online.model()));
    EXPECT_TRUE(online.drift().alarm);
    EXPECT_LE(std::abs(std::log(online.drift().factor)), std::log(OnlineCost::kMaxRatio));
  }
}

TEST(OnlineCost, SameObservationsGiveTheSameModel) {
  OnlineCost once(profile()), again(profile());
  Machine(profile(), 5).decode(150, 0.1, kThirtyPercentSlower, once);
  Machine(profile(), 5).decode(150, 0.1, kThirtyPercentSlower, again);
  EXPECT_EQ(once.model().verify_s, again.model().verify_s);
  EXPECT_EQ(once.drift().factor, again.drift().factor);
}

TEST(OnlineCost, AModelIsGivenOutOnlyWhenItMoved) {
  OnlineCost online(profile());
  EXPECT_FALSE(online.update()) << "nothing was seen";
  Machine machine(profile(), 6);
  machine.decode(100, 0.03, kThirtyPercentSlower, online);
  const std::optional<CostModel> news = online.update();
  ASSERT_TRUE(news);
  EXPECT_EQ(news->verify_s, online.model().verify_s);
  EXPECT_FALSE(online.update()) << "nothing new since";
  machine.decode(100, 0.03, [](int32_t) { return 1.5; }, online);
  EXPECT_TRUE(online.update());
}

TEST(OnlineCost, AConvexPriorIsTakenForConvexNoMore) {
  OnlineCost online(convex_fit(profile()));
  EXPECT_EQ(online.model().kind, CostKind::kConvexFit);
  online.observe(100, 8, 1e-3);
  EXPECT_EQ(online.model().kind, CostKind::kMeasured);
  EXPECT_NE(online.model().label.find("re-estimated while decoding"), std::string::npos);
}

}  // namespace
}  // namespace draftscope
