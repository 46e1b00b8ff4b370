// How sure a reliability curve is, where candidates depend on each other.
#include <gtest/gtest.h>

#include <random>
#include <utility>
#include <vector>

#include "engine/lab/observations.h"
#include "engine/lab/reliability.h"

namespace draftscope {
namespace {

TEST(ReliabilityInterval, WilsonIntervalsAreTheKnownOnes) {
  const auto expect = [](int64_t accepted, int64_t n, double low, double high) {
    const Interval found =
        wilson_interval(n > 0 ? static_cast<double>(accepted) / static_cast<double>(n) : 0, static_cast<double>(n));
    EXPECT_NEAR(found.low, low, 5e-5);
    EXPECT_NEAR(found.high, high, 5e-5);
  };
  expect(5, 10, 0.2366, 0.7634);
  expect(0, 10, 0.0, 0.2775);
  expect(10, 10, 0.7225, 1.0);
  expect(1, 10, 0.0179, 0.4042);
  expect(81, 263, 0.2553, 0.3662);
  expect(0, 0, 0, 1);
}

TEST(ReliabilityInterval, ClustersAreBlocksOfOneText) {
  Observations found;
  for (const auto& [text, position] : {std::pair{0, 3}, {0, 15}, {0, 16}, {0, 4}, {1, 3}, {1, 40}}) {
    found.rows.push_back({.text = text, .position = position});
  }
  EXPECT_EQ(clusters_of(found), (std::vector<int32_t>{0, 0, 1, 0, 2, 3}));
}

TEST(ReliabilityInterval, CandidatesOfOneMindCountOnce) {
  std::vector<ClusterCount> alike, apart;
  for (int64_t i = 0; i < 100; ++i) {
    alike.push_back({i % 2 == 0 ? 8 : 0, 8});  // all eight of a block, or none
    apart.push_back({i % 2 == 0 ? 3 : 5, 8});
  }
  EXPECT_NEAR(independent_candidates(alike), 100, 5);
  EXPECT_EQ(independent_candidates(apart), 800);
  EXPECT_LE(independent_candidates(std::vector<ClusterCount>(10, {8, 8})), 10) << "all accepted: ten blocks say so";
  EXPECT_EQ(independent_candidates(std::vector<ClusterCount>{{500, 1000}}), 1) << "one block says nothing of others";
  EXPECT_EQ(independent_candidates(std::vector<ClusterCount>{{0, 0}, {0, 0}}), 0);
  alike.push_back({0, 0});
  EXPECT_NEAR(independent_candidates(alike), 100, 5) << "an empty block is none";
}

// A text as rounds of every position judge it: a token is judged one to eight times, always with the same answer, and
// blocks differ in how easy they are. The truth is 0.7 throughout; 95 % of the intervals should hold it.
TEST(ReliabilityInterval, IntervalsHoldTheTruthThoughRoundsOverlap) {
  constexpr int kTexts = 600, kTokens = 400;
  std::mt19937 random(11);
  std::uniform_real_distribution<double> unit(0, 1);
  int n_held = 0, n_held_by_bare_number = 0;
  for (int text = 0; text < kTexts; ++text) {
    std::vector<Judged> candidates;
    double easy = 0;
    for (int32_t token = 0; token < kTokens; ++token) {
      if (token % kBlockTokens == 0) easy = 0.55 + 0.3 * unit(random);
      const bool accepted = unit(random) < easy;
      const int32_t n_judged = 1 + static_cast<int32_t>(8 * unit(random));
      for (int32_t i = 0; i < n_judged; ++i) candidates.push_back({0.75, accepted, token / kBlockTokens});
    }
    const ReliabilityBin bin = reliability("", candidates).bins.front();
    const Interval bare = wilson_interval(bin.observed, static_cast<double>(bin.n));
    n_held += bin.low <= 0.7 && 0.7 <= bin.high;
    n_held_by_bare_number += bare.low <= 0.7 && 0.7 <= bare.high;
    EXPECT_LT(bin.n_independent, 0.5 * static_cast<double>(bin.n));
  }
  EXPECT_GT(n_held, 0.925 * kTexts);
  EXPECT_LT(n_held, 0.985 * kTexts);
  EXPECT_LT(n_held_by_bare_number, 0.75 * kTexts) << "this is what the clusters are for";
}

// Where candidates are independent the intervals stay what they were, but for the price of having blocks.
TEST(ReliabilityInterval, IndependentCandidatesKeepNarrowIntervals) {
  std::mt19937 random(12);
  double worth = 0;
  constexpr int kTexts = 100;
  for (int text = 0; text < kTexts; ++text) {
    std::vector<Judged> candidates;
    for (int32_t i = 0; i < 1600; ++i) candidates.push_back({0.75, random() % 10 < 7, i / kBlockTokens});
    worth += reliability("", candidates).bins.front().n_independent / 1600 / kTexts;
  }
  EXPECT_GT(worth, 0.85);
}

}  // namespace
}  // namespace draftscope
