#include "engine/lab/calibration.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "engine/lab/fit_correction.h"
#include "engine/lab/reliability.h"
#include "engine/speculate/accept.h"
#include "engine/speculate/grow.h"
#include "tests/lab/drafted_text.h"

namespace draftscope {
namespace {

// A drafter that says softmax(sharpness * logits) where softmax(logits) is true; off the chain of ranks 0 every rank is
// right `off_spine` times as often.
DenseText sharpened_text(uint32_t seed, int32_t n_tokens, double sharpness, double off_spine = 1) {
  std::mt19937 random(seed);
  return drafted_text(random, n_tokens, 6, 64, [&](int32_t, bool on_spine) {
    const DrawnLogits logits(random, 12);
    DraftedRow row{logits.softmax(sharpness), logits.softmax(1)};
    for (double& truth : row.truth) truth *= on_spine ? 1 : off_spine;
    return row;
  });
}

const ReliabilityCurve& curve_named(const std::vector<ReliabilityCurve>& curves, const std::string& label) {
  for (const ReliabilityCurve& curve : curves) {
    if (curve.label == label) return curve;
  }
  ADD_FAILURE() << "no curve " << label;
  return curves.front();
}

double share_accepted(const ReliabilityCurve& curve) {
  double accepted = 0;
  for (const ReliabilityBin& bin : curve.bins) accepted += bin.observed * static_cast<double>(bin.n);
  return accepted / static_cast<double>(curve.n);
}

double mean_stated(const ReliabilityCurve& curve) {
  double stated = 0;
  for (const ReliabilityBin& bin : curve.bins) stated += bin.stated * static_cast<double>(bin.n);
  return stated / static_cast<double>(curve.n);
}

// Two depths of two ranks each, kept whole; the text's tokens are 1, 2, 3, ...
DenseText small_text() {
  const float a = std::log(0.6f), b = std::log(0.4f);
  DenseText text{0.5f, 6, {}};
  text.at.push_back({10, 0, 1, {2, 2, {50, 1, 2, 51}, {a, b, a, b}}});   // 1 is rank 1, then 2 is rank 0
  text.at.push_back({11, 1, 2, {2, 2, {52, 53, 3, 54}, {a, b, a, b}}});  // 2 is not there
  text.at.push_back({12, 2, 3, {2, 2, {3, 55, 4, 56}, {a, b, a, b}}});   // 3 is rank 0, then the text ends
  return text;
}

TEST(Observations, OnlyChildrenOfAcceptedNodesAreCounted) {
  const Observations found = observations(small_text(), 6);
  ASSERT_EQ(found.rows.size(), 4u);
  const auto expect_row = [&](size_t i, int32_t position, int32_t depth, bool on_spine, int32_t answer_rank) {
    EXPECT_EQ(found.rows[i].position, position) << i;
    EXPECT_EQ(found.rows[i].depth, depth) << i;
    EXPECT_EQ(found.rows[i].on_spine, on_spine) << i;
    EXPECT_EQ(found.rows[i].answer_rank, answer_rank) << i;
    EXPECT_EQ(found.rows[i].temperature, 0.5f) << i;
  };
  expect_row(0, 10, 1, true, 1);    // the root of the first position
  expect_row(1, 11, 2, false, 0);   // its accepted child, a sibling; the children of token 50 are never seen
  expect_row(2, 11, 1, true, -1);   // the second position ends at its root
  expect_row(3, 12, 1, true, 0);    // the third goes on, but the text does not
  ASSERT_EQ(found.children.size(), 8u);
  for (size_t i = 0; i < 8; ++i) {
    const Observation& child = found.children[i];
    EXPECT_EQ(child.row, static_cast<int32_t>(i / 2));
    EXPECT_EQ(child.rank, static_cast<int32_t>(i % 2));
    EXPECT_NEAR(child.stated, child.rank == 0 ? 0.6 : 0.4, 1e-6);
    EXPECT_EQ(child.accepted, i == 1 || i == 2 || i == 6) << i;
  }
}

TEST(Observations, ATreeTooSmallHidesItsLaterCandidates) {
  const Observations found = observations(small_text(), 1);  // 0.6 alone at every position
  EXPECT_EQ(found.rows.size(), 3u);
  EXPECT_EQ(found.children.size(), 3u);
  EXPECT_EQ(found.rows[0].answer_rank, 1);  // known all the same
  EXPECT_FALSE(found.children[0].accepted);
  EXPECT_TRUE(observations(small_text(), 0).children.empty());
  const std::vector<int32_t> last = {2};
  EXPECT_EQ(observations(small_text(), 6, last).rows.size(), 1u);
}

TEST(Observations, RoundsAsTheyRanGiveWhatTheDenseTextGives) {
  const DenseText text = sharpened_text(5, 300, 1.5, 0.5);
  std::vector<RoundRecord> rounds;
  std::vector<int32_t> starts;
  for (size_t at = 0; at + 8 < text.at.size();) {
    RoundRecord round;
    round.context_len = text.at[at].context_len;
    round.q = text.at[at].q;
    round.tree = grow_tree(round.q, text.at[at].root_token, 30);
    round.decision.chosen = 20;
    for (size_t node = 0; node < 21; ++node) {  // what the target would say after a wrong node never counts
      round.verdict.choice.push_back(text.at[at + static_cast<size_t>(round.tree.depth[node])].next_token);
    }
    round.accepted = accept(round.tree, round.verdict.choice);
    starts.push_back(static_cast<int32_t>(at));
    at += round.accepted.path.size();
    rounds.push_back(std::move(round));
  }
  rounds.emplace_back();  // plain decoding: no marginals
  rounds.back().accepted.path = {0};
  const Observations live = observations(rounds, 1000), dense = observations(text, 20, starts);
  ASSERT_EQ(live.rows.size(), dense.rows.size());
  ASSERT_EQ(live.children.size(), dense.children.size());
  EXPECT_EQ(live.log_q, dense.log_q);
  for (size_t i = 0; i < live.rows.size(); ++i) {
    EXPECT_EQ(live.rows[i].position, dense.rows[i].position);
    EXPECT_EQ(live.rows[i].on_spine, dense.rows[i].on_spine);
    EXPECT_EQ(live.rows[i].answer_rank, dense.rows[i].answer_rank);
  }
  for (size_t i = 0; i < live.children.size(); ++i) {
    EXPECT_EQ(live.children[i].stated, dense.children[i].stated);
    EXPECT_EQ(live.children[i].accepted, dense.children[i].accepted);
  }
}

TEST(Observations, WhatWasAcceptedBehindTheEndOfATextIsNone) {
  RoundRecord round;
  round.q = {3, 1, {1, 2, 3}, {-0.1f, -0.1f, -0.1f}};
  round.tree = grow_tree(round.q, 0, 3);
  round.decision.chosen = 3;
  round.verdict.choice = {1, 2, 3, 4};
  round.accepted = accept(round.tree, round.verdict.choice);
  ASSERT_EQ(round.accepted.path.size(), 4u);
  const std::vector<RoundRecord> rounds{round, round};
  for (const auto& [n_decoded, n_rows] : {std::pair{8, 6}, {7, 6}, {6, 5}, {4, 3}, {2, 2}, {0, 0}}) {
    EXPECT_EQ(observations(rounds, n_decoded).rows.size(), static_cast<size_t>(n_rows)) << n_decoded << " tokens";
  }
}

TEST(Observations, PositionsBeyondTheLargestContextAreCounted) {
  RoundRecord round;
  round.context_len = std::numeric_limits<int32_t>::max();
  round.q = {2, 1, {3, 4}, {0.0f, 0.0f}};
  round.tree = grow_tree(round.q, 99, 2);
  round.decision.chosen = 2;
  round.verdict.choice = {3, 4, 5};
  round.accepted = accept(round.tree, round.verdict.choice);
  const Observations found = observations(std::vector<RoundRecord>{round}, 100);
  ASSERT_EQ(found.rows.size(), 2u);
  EXPECT_EQ(found.rows[1].position, int64_t{round.context_len} + 1);
}

TEST(Observations, RanksThatNoCorrectionSeesAreLeftOut) {
  RoundRecord round;  // twenty children of the root, of which the target takes rank 17
  round.q = {1, 20, {}, {}};
  for (int32_t rank = 0; rank < 20; ++rank) round.q.token.push_back(rank), round.q.log_q.push_back(std::log(0.05f));
  round.tree = grow_tree(round.q, 99, 20);
  round.decision.chosen = 20;
  round.verdict.choice.assign(21, 17);
  round.accepted = accept(round.tree, round.verdict.choice);
  ASSERT_EQ(round.accepted.path.size(), 2u);
  const Observations found = observations(std::vector<RoundRecord>{round}, 100);
  ASSERT_EQ(found.rows.size(), 1u);
  EXPECT_EQ(found.rows[0].n_ranks, kCorrectedRanks);
  EXPECT_EQ(found.rows[0].answer_rank, -1);
  EXPECT_EQ(found.children.size(), static_cast<size_t>(kCorrectedRanks));
  for (const Observation& child : found.children) EXPECT_FALSE(child.accepted);
  EXPECT_NEAR(left_out(found.log_q_of(found.rows[0])), 0.2, 1e-6);
}

TEST(Observations, HalvesShareNoTokenAndLoseNone) {
  Observations all = observations(sharpened_text(6, 200, 1), 64);
  all.append(observations(sharpened_text(7, 100, 1), 64));
  EXPECT_EQ(all.n_texts, 2);
  const Halves halves = split_by_blocks(all);
  EXPECT_EQ(halves.fitted.children.size() + halves.judged.children.size(), all.children.size());
  EXPECT_EQ(halves.fitted.log_q.size() + halves.judged.log_q.size(), all.log_q.size());
  std::set<std::pair<int32_t, int64_t>> fitted;
  for (const ObservedRow& row : halves.fitted.rows) fitted.insert({row.text, row.position});
  EXPECT_GT(fitted.size(), 100u);
  for (const ObservedRow& row : halves.judged.rows) EXPECT_EQ(fitted.count({row.text, row.position}), 0u);
  for (const Observation& child : halves.judged.children) {
    const ObservedRow& row = halves.judged.rows[static_cast<size_t>(child.row)];
    const float log_q = halves.judged.log_q_of(row)[static_cast<size_t>(child.rank)];
    EXPECT_NEAR(child.stated, std::exp(log_q), 1e-6);
    EXPECT_EQ(child.accepted, row.answer_rank == child.rank);
  }
}

TEST(Reliability, BinsAndErrorAreMeansOfTheirCandidates) {
  const std::vector<Judged> candidates = {{0.05, false, 0}, {0.07, true, 1}, {0.5, true, 0}, {1.0, true, 2}};
  const ReliabilityCurve curve = reliability("made", candidates);
  EXPECT_EQ(curve.label, "made");
  EXPECT_EQ(curve.n, 4);
  ASSERT_EQ(curve.bins.size(), 3u);
  EXPECT_NEAR(curve.bins[0].stated, 0.06, 1e-12);
  EXPECT_EQ(curve.bins[0].observed, 0.5);
  EXPECT_EQ(curve.bins[0].n, 2);
  EXPECT_EQ(curve.bins[2].stated, 1.0);
  EXPECT_NEAR(curve.error, (2 * 0.44 + 0.5 + 0) / 4, 1e-12);
  EXPECT_EQ(reliability("none", {}).error, 0);
}

TEST(Reliability, ADrafterThatIsRightHasASmallErrorEverywhere) {
  const std::vector<ReliabilityCurve> curves = reliability_curves(observations(sharpened_text(1, 4000, 1), 64));
  EXPECT_EQ(curves.front().label, "all");
  int64_t n_parted = 0;
  size_t n_depths = 0;
  for (const ReliabilityCurve& curve : curves) {
    EXPECT_LT(curve.error, curve.n > 2000 ? 0.03 : 1) << curve.label << " of " << curve.n;
    for (const ReliabilityBin& bin : curve.bins) EXPECT_TRUE(bin.low <= bin.observed && bin.observed <= bin.high);
    if (curve.label == "spine" || curve.label == "sibling" || curve.label == "off the spine") n_parted += curve.n;
    n_depths += curve.label.starts_with("depth");
  }
  EXPECT_EQ(n_parted, curves.front().n);
  EXPECT_GE(n_depths, 3u);
}

TEST(Reliability, SiblingsThatAreStatedTooLowShow) {
  std::mt19937 random(8);
  const DenseText text = drafted_text(random, 3000, 4, 64, [](int32_t, bool) {
    return DraftedRow{{0.6, 0.218, 0.08}, {0.45, 0.473, 0.05}};
  });
  const Observations found = observations(text, 64);
  const std::vector<ReliabilityCurve> curves = reliability_curves(found);
  const ReliabilityCurve& second = curve_named(curves, "rank 1");
  EXPECT_NEAR(mean_stated(second), 0.218, 1e-6);
  EXPECT_NEAR(share_accepted(second), 0.473, 0.02);
  EXPECT_GT(share_accepted(curve_named(curves, "sibling")), mean_stated(curve_named(curves, "sibling")) + 0.05);
  EXPECT_LT(share_accepted(curve_named(curves, "spine")), 0.5);
}

TEST(Reliability, SeveralTemperaturesGetACurveEach) {
  DenseText warm = sharpened_text(9, 100, 1);
  warm.temperature = 0.7f;
  Observations both = observations(warm, 64);
  const auto n_curves = [](const Observations& found) {
    size_t n = 0;
    for (const ReliabilityCurve& curve : reliability_curves(found)) n += curve.label.starts_with("temperature");
    return n;
  };
  EXPECT_EQ(n_curves(both), 0u);
  const size_t n_warm = both.children.size();
  both.append(observations(sharpened_text(10, 100, 1), 64));
  EXPECT_EQ(n_curves(both), 2u);
  EXPECT_EQ(curve_named(reliability_curves(both), "temperature 0.7").n, static_cast<int64_t>(n_warm));
}

/// Mean -log of the probability of the target's token at a temperature; for rows that keep every token.
double surprise(const Observations& observed, double temperature) {
  double sum = 0;
  for (const ObservedRow& row : observed.rows) {
    DS_CHECK(row.answer_rank >= 0);
    double total = 0;
    for (const float log_q : observed.log_q_of(row)) total += std::exp(log_q / temperature);
    sum += std::log(total) - observed.log_q_of(row)[static_cast<size_t>(row.answer_rank)] / temperature;
  }
  return sum / static_cast<double>(observed.rows.size());
}

TEST(FitCorrection, TheTemperatureOfAnOverconfidentDrafterIsFound) {
  for (const double sharpness : {0.7, 1.0, 2.0, 3.0}) {
    const Observations found = observations(sharpened_text(11, 3000, sharpness), 64);
    const Correction fitted = fit_correction(found, Fit::kTemperature);
    EXPECT_NEAR(fitted.temperature, sharpness, 0.06 * sharpness);
    EXPECT_TRUE(fitted.stated.empty());
    EXPECT_EQ(fitted.off_spine, 1);
    const double least = surprise(found, fitted.temperature);
    for (const double factor : {0.8, 0.95, 1.05, 1.25}) {
      EXPECT_GT(surprise(found, fitted.temperature * factor), least);
    }
  }
}

TEST(FitCorrection, ChildrenOffTheSpineThatAreRightHalfAsOftenGiveAHalf) {
  const Observations found = observations(sharpened_text(12, 6000, 1, 0.5), 64);
  EXPECT_NEAR(fit_correction(found, Fit::kOffSpine).off_spine, 0.5, 0.06);
  EXPECT_NEAR(fit_correction(found, Fit::kAll).off_spine, 0.5, 0.06);
  EXPECT_NEAR(fit_correction(found, Fit::kAll).temperature, 1, 0.06);
  EXPECT_LE(fit_correction(observations(sharpened_text(13, 500, 0.5), 64), Fit::kOffSpine).off_spine, 1);
}

TEST(FitCorrection, TheMapFollowsWhatWasObserved) {
  std::mt19937 random(14);
  const DenseText text = drafted_text(random, 5000, 3, 64, [](int32_t, bool) {
    return DraftedRow{{0.6, 0.218, 0.08}, {0.45, 0.4, 0.05}};
  });
  const Correction fitted = fit_correction(observations(text, 64), Fit::kIsotonic);
  ASSERT_EQ(fitted.stated.size(), 3u);
  const std::vector<double> stated = {0.08, 0.218, 0.6}, observed = {0.05, 0.4, 0.45};
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(fitted.stated[i], stated[i], 1e-6);
    EXPECT_NEAR(fitted.observed[i], observed[i], 0.02);
  }
}

TEST(FitCorrection, AFewAnswersMakeNoCandidateCertainOrImpossible) {
  std::mt19937 random(19);
  const auto rank_0 = [](int32_t, bool) { return DraftedRow{{0.6, 0.3, 0.05}, {1, 0, 0}}; };
  const Observations once = observations(drafted_text(random, 5, 1, 64, rank_0), 64);
  const Correction fitted = fit_correction(once, Fit::kIsotonic);
  ASSERT_EQ(fitted.stated.size(), 2u);  // ten children that were never right, five that always were
  EXPECT_NEAR(fitted.observed[0], 0.175 / 11, 1e-6);
  EXPECT_NEAR(fitted.observed[1], (5 + 0.6) / 6, 1e-6);

  // Three depths: 5 + 4 + 3 rows judge the same five tokens, which are no more evidence than five rows.
  const Observations often = observations(drafted_text(random, 5, 3, 64, rank_0), 64);
  ASSERT_EQ(often.rows.size(), 12u);
  EXPECT_NEAR(fit_correction(often, Fit::kIsotonic).observed[1], (12 + 2.4 * 0.6) / (12 + 2.4), 1e-6);
}

TEST(FitCorrection, EveryFitIsValidOnAnything) {
  std::mt19937 random(15);
  for (int round = 0; round < 60; ++round) {
    const DenseText text = drafted_text(random, 1 + round, 5, 30, [&](int32_t depth, bool) {
      const DrawnLogits logits(random, 1 + static_cast<size_t>(round) % 9);
      DraftedRow row{logits.softmax(1 + round % 4), logits.softmax(0.1 * depth)};
      for (double& stated : row.stated) stated *= round % 2 == 0 ? 1 : 0.9;
      for (double& truth : row.truth) truth *= round % 5 == 0 ? 0 : 1;  // always wrong
      return row;
    });
    const Observations found = observations(text, 30);
    for (const Fit fit : kAllFits) {
      EXPECT_TRUE(validate(fit_correction(found, fit)).ok()) << name(fit) << " in round " << round;
    }
  }
  for (const Fit fit : kAllFits) EXPECT_EQ(correction_json(fit_correction({}, fit)), correction_json({}));
}

TEST(Calibration, CorrectionsHelpOnTheHalfTheyWereNotFittedOn) {
  const LabCalibration report = calibrate(sharpened_text(16, 3000, 2.5, 0.5));
  EXPECT_EQ(report.curves.front().label, "all");
  ASSERT_EQ(report.scores.size(), 4u);
  for (const CorrectionScore& score : report.scores) EXPECT_GT(score.error_before, 0.03) << score.label;
  EXPECT_LT(report.scores[0].error_after, 0.8 * report.scores[0].error_before);
  EXPECT_LT(report.scores[1].error_after, 0.4 * report.scores[1].error_before);
  EXPECT_LT(report.scores[2].error_after, report.scores[2].error_before);
  EXPECT_LT(report.scores[3].error_after, 0.4 * report.scores[3].error_before);
  EXPECT_EQ(report.scores[0].label, "temperature");
  EXPECT_GT(report.scores[0].parameter, 1.5);
  EXPECT_GT(report.scores[1].parameter, 2);
  EXPECT_LT(report.scores[2].parameter, 0.8);
}

TEST(Calibration, SeparateTextsFitAndJudge) {
  const Observations fitted = observations(sharpened_text(17, 2000, 2), 64);
  const Observations judged = observations(sharpened_text(18, 2000, 2), 64);
  const LabCalibration report = calibrate(fitted, judged);
  EXPECT_EQ(report.curves.front().n, static_cast<int64_t>(judged.children.size()));
  ASSERT_EQ(report.scores.size(), 4u);
  EXPECT_NEAR(report.scores[0].error_before, report.curves.front().error, 1e-12);
  EXPECT_LT(report.scores[0].error_after, 0.4 * report.scores[0].error_before);
  EXPECT_TRUE(calibrate(fitted, Observations{}).scores.empty());
  EXPECT_TRUE(calibrate(DenseText{}).curves.empty());
}

}  // namespace
}  // namespace draftscope
