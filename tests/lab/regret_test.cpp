// Regret: the parts sum to what was lost, and each is zero where its reason is absent.
#include "engine/lab/regret.h"

#include <gtest/gtest.h>

#include <map>

#include "engine/record/policies.h"
#include "engine/speculate/decide.h"
#include "engine/speculate/online_cost.h"
#include "tests/lab/lab_inputs.h"

namespace draftscope {
namespace {

constexpr int32_t kMaxNodes = 64;

Correction some_correction() {
  Correction correction;
  correction.temperature = 1.4;
  correction.off_spine = 0.6;
  return correction;
}

/// One random text under every policy, with an assumed and a true cost.
struct Lab {
  explicit Lab(unsigned seed)
      : random(seed), text(ranked_text(random, 120, kMaxNodes)), correction(some_correction()),
        best_first(prepare(text, TreeOrder::kBestFirst)), corrected(prepare(text, TreeOrder::kBestFirst, correction)),
        assumed(bumpy_cost(random)), truth(bumpy_cost(random)) {}

  SimulatedRun run(Method method, const CostTable& cost) const {
    BudgetRule rule{.method = method, .budget = 12, .max_nodes = kMaxNodes, .bucket_rows = 8};
    if (method == Method::kCalibrated) rule.correction = std::make_shared<Correction>(correction);
    if (method == Method::kCalibrated) return simulate(corrected, cost, rule);
    return simulate(prepare(text, order_of(method)), cost, rule);
  }

  std::mt19937 random;
  DenseText text;
  Correction correction;
  PreparedText best_first, corrected;
  CostTable assumed, truth;
};

double largest(const std::vector<double>& values) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

TEST(Regret, PartsSumToOracleMinusRealisedForEveryPolicyTextAndCost) {
  std::map<Method, double> lost;
  for (unsigned seed = 0; seed < 12; ++seed) {
    const Lab lab(seed);
    for (const Policy& policy : policies()) {
      const SimulatedRun run = lab.run(policy.method, lab.assumed);
      const LabRegret found = regret(run, {lab.best_first, lab.corrected, lab.assumed, lab.truth, kMaxNodes});
      ASSERT_EQ(found.method, policy.method);
      ASSERT_EQ(found.position.size(), run.rounds.size());
      for (size_t i = 0; i < run.rounds.size(); ++i) {
        const double parts = found.search[i] + found.cost[i] + found.calibration[i] + found.luck[i];
        EXPECT_NEAR(parts, found.oracle[i] - found.realised[i], 1e-12 * (found.oracle[i] + found.realised[i]));
        EXPECT_EQ(found.position[i], run.rounds[i].position);
        EXPECT_GE(found.luck[i], 0);
        lost[policy.method] += found.oracle[i] - found.realised[i];
      }
      EXPECT_GT(largest(found.search) + largest(found.cost), 0) << name(policy.method);
      EXPECT_GT(largest(found.calibration), 0);
      EXPECT_GT(largest(found.luck), 0);
    }
  }
  for (const Policy& policy : policies()) EXPECT_GT(lost[policy.method], 0) << name(policy.method);
}

TEST(Regret, APartIsZeroWhereItsReasonIsAbsent) {
  const Lab lab(100);
  const LabRegret exact = regret(lab.run(Method::kExact, lab.assumed),
                                 {lab.best_first, lab.corrected, lab.assumed, lab.truth, kMaxNodes});
  EXPECT_EQ(largest(exact.search), 0);
  EXPECT_GT(largest(exact.cost), 0);

  const SimulatedRun caddtree = lab.run(Method::kCaddtree, lab.truth);
  const LabRegret known_cost = regret(caddtree, {lab.best_first, lab.corrected, lab.truth, lab.truth, kMaxNodes});
  EXPECT_EQ(largest(known_cost.cost), 0);
  EXPECT_GT(largest(known_cost.search), 0);
  EXPECT_GT(largest(known_cost.calibration), 0);

  const LabRegret uncorrected = regret(caddtree, {lab.best_first, lab.best_first, lab.truth, lab.truth, kMaxNodes});
  EXPECT_EQ(largest(uncorrected.calibration), 0);
}

TEST(Regret, CorrectedTreesAreNoWorseThanTheirOwnOracle) {
  const Lab lab(101);
  const LabRegret found = regret(lab.run(Method::kCalibrated, lab.truth),
                                 {lab.best_first, lab.corrected, lab.truth, lab.truth, kMaxNodes});
  for (size_t i = 0; i < found.luck.size(); ++i) {
    EXPECT_NEAR(found.oracle[i] - found.realised[i], found.luck[i], 1e-9 * found.oracle[i])
        << "its own decision is the step before hindsight";
  }
}

PreparedText by_hand(std::vector<double> expected_tokens, std::vector<int32_t> enters) {
  PreparedText text{2, {}};
  for (int i = 0; i < 4; ++i) text.at.push_back({0, expected_tokens, enters});
  return text;
}

CostTable table(std::vector<double> verify_s) {
  CostModel cost;
  cost.context = {0};
  cost.rows = {1, 2, 3};
  cost.verify_s = std::move(verify_s);
  cost.draft_s = {1};
  return CostTable(cost);
}

TEST(Regret, AWorkedExampleHasTheseParts) {
  // A round of 0, 1 or 2 nodes truly takes 2, 2 or 4 s and brings 1, 2 or 2 tokens: 0.5, 1 and 0.5 tokens per s. A flat
  // assumption takes 2 nodes; the true cost 1; probabilities corrected to nothing take 0.
  const PreparedText text = by_hand({1, 1.9, 2.5}, {1}), corrected = by_hand({1, 1, 1}, {1});
  const CostTable flat = table({1, 1, 1}), truth = table({1, 1, 3});
  const SimulatedRun run = simulate(text, flat, {.method = Method::kDdtree, .budget = 1, .max_nodes = 2});
  ASSERT_EQ(run.rounds.size(), 2u);
  const LabRegret found = regret(run, {text, corrected, flat, truth, 2});
  EXPECT_DOUBLE_EQ(found.realised[0], 1);
  EXPECT_DOUBLE_EQ(found.search[0], -0.5) << "the policy's mistake was lucky";
  EXPECT_DOUBLE_EQ(found.cost[0], 0.5);
  EXPECT_DOUBLE_EQ(found.calibration[0], -0.5);
  EXPECT_DOUBLE_EQ(found.luck[0], 0.5);
  EXPECT_DOUBLE_EQ(found.oracle[0], 1);
}

TEST(Regret, TheEndOfTheTextCutsEveryBudgetAlike) {
  PreparedText text = by_hand({1, 1.9, 2.5}, {1, 2});
  text.at.resize(1);
  const CostTable flat = table({1, 1, 1});
  const SimulatedRun run = simulate(text, flat, {.method = Method::kExact, .max_nodes = 2});
  const LabRegret found = regret(run, {text, text, flat, flat, 2});
  ASSERT_EQ(found.oracle.size(), 1u);
  EXPECT_DOUBLE_EQ(found.oracle[0], 0.5) << "one token was left, whatever was verified";
  EXPECT_DOUBLE_EQ(found.realised[0], 0.5);
}

TEST(Regret, PlainDecodingPaysNoDrafterAndAChainHasItsOwnNodes) {
  const Lab lab(102);
  const RegretFrame frame{lab.best_first, lab.best_first, lab.truth, lab.truth, kMaxNodes};
  const SimulatedRun plain = lab.run(Method::kPlain, lab.truth), chain = lab.run(Method::kDflash, lab.truth);
  const LabRegret of_plain = regret(plain, frame), of_chain = regret(chain, frame);
  for (size_t i = 0; i < plain.rounds.size(); ++i) {
    EXPECT_DOUBLE_EQ(of_plain.realised[i], 1 / lab.truth.at(plain.rounds[i].context_len, 0).verify_s[0]);
  }
  for (size_t i = 0; i < chain.rounds.size(); ++i) {
    const SimulatedRound& round = chain.rounds[i];
    const RoundCost truth = lab.truth.at(round.context_len, kMaxNodes);
    EXPECT_DOUBLE_EQ(of_chain.realised[i], (1 + round.accepted) / truth.total_s(round.chosen));
  }
}

TEST(Regret, RealisedTokensPerSecondTimesTrueSecondsAreAllTokensOfTheText) {
  const Lab lab(103);
  const SimulatedRun run = lab.run(Method::kCaddtree, lab.assumed);
  const LabRegret found = regret(run, {lab.best_first, lab.corrected, lab.assumed, lab.truth, kMaxNodes});
  double tokens = 0;
  for (size_t i = 0; i < run.rounds.size(); ++i) {
    const RoundCost truth = lab.truth.at(run.rounds[i].context_len, kMaxNodes);
    tokens += found.realised[i] * truth.total_s(run.rounds[i].chosen);
  }
  EXPECT_NEAR(tokens, 120, 1e-9);
}

TEST(Simulated, AnHonestDrafterExpectsWhatItGetsAndASureOneMore) {
  std::mt19937 random(8);
  const DenseText text = honest_text(random, 6000, 32);
  const CostTable assumed(bumpy_cost(random));
  const auto expected_tokens = [&](double temperature) {
    Correction correction;
    correction.temperature = temperature;
    const PreparedText prepared = prepare(text, TreeOrder::kBestFirst, correction);
    const SimulatedRun run = simulate(prepared, assumed, {.method = Method::kDdtree, .budget = 12, .max_nodes = 32});
    double tokens = 0, seconds = 0;
    for (const SimulatedRound& round : run.rounds) {
      tokens += round.expected_tokens;
      seconds += round.predicted_s;
    }
    EXPECT_EQ(run.n_tokens, 6000);
    EXPECT_NEAR(seconds, run.seconds, 1e-9);
    return tokens;
  };
  EXPECT_NEAR(expected_tokens(1) / 6000, 1, 0.03);
  EXPECT_GT(expected_tokens(0.5) / 6000, 1.15);
}

/// True seconds of the text when every round takes the exact best under `estimate`; online: re-estimated as a session
/// does, every eighth round.
double decoded_seconds(const PreparedText& text, const CostTable& truth, const CostModel& prior, bool online) {
  OnlineCost learned(prior);
  CostTable estimate(prior);
  double seconds = 0;
  int64_t n_rounds = 0;
  for (int32_t position = 0; position < text.n_tokens();) {
    const PreparedPosition& here = text.at[static_cast<size_t>(position)];
    const int32_t n = exact_best(here.expected_tokens, estimate.at(here.context_len, text.max_nodes));
    const RoundCost true_cost = truth.at(here.context_len, n);
    learned.observe(here.context_len, n + 1, true_cost.verify_s.back());
    if (online && ++n_rounds % 8 == 0) estimate = CostTable(learned.model());
    seconds += true_cost.total_s(n);
    position += here.accepted_with(n) + 1;
  }
  return seconds;
}

TEST(Outcomes, AReEstimatedCostWinsBackMostOfWhatAStaleProfileLoses) {
  std::mt19937 random(9);
  const PreparedText text = prepare(honest_text(random, 3000, kMaxNodes), TreeOrder::kBestFirst);
  CostModel profile;
  profile.context = {0};
  profile.rows = {1, 8, 16, 32, 65};
  profile.verify_s = {1.00e-3, 1.01e-3, 1.02e-3, 1.04e-3, 1.08e-3};
  profile.draft_s = {1e-4};
  CostModel slower = profile;  // large passes have become much slower
  slower.verify_s = {1.00e-3, 1.01e-3, 1.30e-3, 2.10e-3, 3.50e-3};
  const CostTable truth(slower);
  const double with_truth = decoded_seconds(text, truth, slower, false);
  const double with_profile = decoded_seconds(text, truth, profile, false);
  const double with_estimate = decoded_seconds(text, truth, profile, true);
  EXPECT_GT(with_profile, 1.1 * with_truth) << "there is something to win";
  EXPECT_LT(with_estimate - with_truth, 0.25 * (with_profile - with_truth));
  CostModel evenly = profile;
  for (double& seconds : evenly.verify_s) seconds *= 1.3;
  EXPECT_LT(decoded_seconds(text, CostTable(evenly), profile, true),
            1.05 * decoded_seconds(text, CostTable(evenly), evenly, false)) << "the price of trying other sizes";
  EXPECT_LT(decoded_seconds(text, truth, slower, true), 1.01 * with_truth) << "nothing is lost where the profile holds";
}

}  // namespace
}  // namespace draftscope
