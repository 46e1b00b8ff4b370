#include "ui/view/theta_plot.h"

#include <gmock/gmock.h>

#include "engine/base/check.h"
#include "tests/record/make_record.h"

namespace draftscope::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ThetaPlot plot_of(const RoundRecord& round, SessionInfo info = make_info()) {
  RecordStore store;
  store.append(std::move(info));
  store.append(round);
  return theta_plot(store, 0);
}

RoundRecord round_with_budgets(int32_t chosen, int32_t faithful, int32_t best, int32_t runner_up) {
  RoundRecord round = make_round(2, 64);
  round.decision.chosen = chosen;
  round.decision.faithful_stop = faithful;
  round.decision.global_best = best;
  round.decision.runner_up = runner_up;
  return round;
}

TEST(ThetaPlot, CurvesAreTheDecisionsInMilliseconds) {
  const RoundRecord round = make_round(2, 64);
  const ThetaPlot plot = plot_of(round);
  ASSERT_EQ(plot.n.size(), 65u);
  for (size_t i = 0; i < plot.n.size(); ++i) {
    EXPECT_EQ(plot.n[i], static_cast<double>(i));
    EXPECT_EQ(plot.expected_tokens[i], round.decision.expected_tokens[i]);
    EXPECT_NEAR(plot.theta_tokens_per_s[i], plot.expected_tokens[i] / (1e-3 * plot.cost_ms[i]), 1e-6);
  }
  EXPECT_EQ(plot.provenance, "derived");
  EXPECT_EQ(plot.realised_tokens, static_cast<double>(round.accepted.path.size()));
  EXPECT_NEAR(plot.realised_ms, 1e-6 * static_cast<double>(round.took.total_ns()), 1e-9);
}

TEST(ThetaPlot, EveryRuleHasItsMarker) {
  const ThetaPlot plot = plot_of(round_with_budgets(20, 10, 40, 30));
  ASSERT_EQ(plot.markers.size(), 4u);
  EXPECT_EQ(plot.markers[0].label, "CaDDTree's stop, n = 10");
  EXPECT_EQ(plot.markers[1].label, "chosen, n = 20");
  EXPECT_EQ(plot.markers[2].label, "runner-up, n = 30");
  EXPECT_EQ(plot.markers[3].label, "global best, n = 40");
  for (const ThetaMarker& marker : plot.markers) {
    EXPECT_EQ(marker.theta_tokens_per_s, plot.theta_tokens_per_s[marker.n]);
  }
}

TEST(ThetaPlot, MarkersOnOneBudgetShareALabel) {
  const ThetaPlot plot = plot_of(round_with_budgets(31, 31, 31, 31));
  ASSERT_EQ(plot.markers.size(), 1u);
  EXPECT_THAT(plot.markers[0].marks,
              ElementsAre(BudgetMark::kChosen, BudgetMark::kFaithfulStop, BudgetMark::kGlobalBest));
  EXPECT_EQ(plot.markers[0].label, "chosen = CaDDTree's stop = global best, n = 31");
}

TEST(ThetaPlot, UsefulRangeKeepsMarkersApart) {
  EXPECT_EQ(useful_n(plot_of(round_with_budgets(7, 6, 7, 5))), 28);
  EXPECT_EQ(useful_n(plot_of(round_with_budgets(1, 1, 2, 1))), 16) << "not fewer";
  EXPECT_EQ(useful_n(plot_of(round_with_budgets(7, 6, 40, 5))), 64) << "not more than there are";
  EXPECT_EQ(useful_n(ThetaPlot()), 0);
}

TEST(ThetaPlot, HeadlineNamesTheChosenAndTheBest) {
  EXPECT_EQ(plot_of(round_with_budgets(31, 31, 31, 31)).headline, "n = 31, the best of all");
  RoundRecord round = round_with_budgets(0, 10, 31, 30);
  round.decision.theta_tokens_per_s[0] = 100;
  round.decision.theta_tokens_per_s[31] = 125;
  EXPECT_EQ(plot_of(round).headline, "n = 0; n = 31 is 25.0 % better");
  round.decision.theta_tokens_per_s[31] = 1163.8;
  EXPECT_EQ(plot_of(round).headline, "n = 0; n = 31 is 11.6x as fast");
  EXPECT_THAT(plot_of(round).verdict, HasSubstr("the best of all is 31 nodes, 11.6x as fast as chosen"));
}

TEST(ThetaPlot, VerdictSaysWhatABetterBudgetWouldGain) {
  const RoundRecord round = round_with_budgets(0, 10, 31, 30);
  const std::vector<double>& theta = round.decision.theta_tokens_per_s;
  const std::string verdict = plot_of(round).verdict;
  EXPECT_THAT(verdict, HasSubstr("the best of all is 31 nodes"));
  EXPECT_THAT(verdict, HasSubstr(fmt::format("{:.1f}x as fast", theta[31] / theta[0])));
  EXPECT_THAT(verdict, HasSubstr("CaDDTree's stop would be at 10"));
  EXPECT_THAT(plot_of(round_with_budgets(31, 31, 31, 30)).verdict,
              HasSubstr("the best of all candidates."));
}

TEST(ThetaPlot, MarkersOutsideTheCurvesAreLeftOut) {
  const ThetaPlot plot = plot_of(round_with_budgets(31, -1, 31, 1000));
  EXPECT_EQ(plot.markers.size(), 1u);
}

SessionInfo measured_to_33_rows() {
  SessionInfo info = make_info();
  info.cost.context = {0};
  info.cost.rows = {1, 33};
  info.cost.verify_s = {0.010, 0.020};
  info.cost.spread_s.clear(), info.cost.plain_s.clear();
  info.cost.draft_s = {0.005};
  return info;
}

TEST(ThetaPlot, CandidatesBeyondTheCurvesPointsAreExtrapolated) {
  SessionInfo info = measured_to_33_rows();
  const ThetaPlot plot = plot_of(make_round(2, 64), info);
  EXPECT_EQ(plot.first_known, 0);
  EXPECT_EQ(plot.last_known, 32) << "the root is one of 33 rows";
  EXPECT_THAT(budget_line(plot, 32), testing::EndsWith("tokens/s (derived)"));
  EXPECT_THAT(budget_line(plot, 33), testing::EndsWith("tokens/s (derived, extrapolated)"));
  EXPECT_EQ(extrapolated_words(plot, 64), "extrapolated: n > 32");
  EXPECT_EQ(extrapolated_words(plot, 32), "") << "none in sight";
  info.cost.rows = {9, 33};
  EXPECT_EQ(extrapolated_words(plot_of(make_round(2, 64), info), 64), "extrapolated: n < 8 and n > 32");
  info.cost.rows = {9, 99};
  EXPECT_EQ(extrapolated_words(plot_of(make_round(2, 64), info), 64), "extrapolated: n < 8");
  EXPECT_EQ(extrapolated_words(plot_of(make_round(2, 64)), 64), "") << "257 rows";
  info.cost = {};
  EXPECT_EQ(extrapolated_words(plot_of(make_round(2, 64), info), 64), "") << "no curve to go beyond";
}

TEST(ThetaPlot, RowsOfOtherRequestsCountAgainstTheCurve) {
  const RoundRecord shared = make_shared_round(2, 64, 1, 0, 3);  // the others verify 9 rows each
  EXPECT_EQ(extrapolated_words(plot_of(shared), 64), "");
  SessionInfo info = measured_to_33_rows();
  EXPECT_EQ(extrapolated_words(plot_of(shared, info), 64), "extrapolated: n > 14");
  info.cost.rows = {1, 8};
  EXPECT_EQ(extrapolated_words(plot_of(shared, info), 64), "extrapolated: all n");
}

TEST(ThetaPlot, BudgetLinesStayInsideTheCurves) {
  const ThetaPlot plot = plot_of(make_round(2, 64));
  EXPECT_THAT(budget_line(plot, 0), HasSubstr("n = 0: 1.00 tokens"));
  EXPECT_EQ(budget_line(plot, -1), "");
  EXPECT_EQ(budget_line(plot, 65), "");
}

TEST(ThetaPlot, RoundsWithoutCurvesSayWhy) {
  EXPECT_THAT(plot_of(make_round(1, 0)).empty_reason, HasSubstr("Plain decoding"));
  RoundRecord bare = make_round(1, 8);
  bare.decision.cost_s.clear();
  EXPECT_THAT(plot_of(bare).empty_reason, HasSubstr("no budget curves"));
}

}  // namespace
}  // namespace draftscope::test
