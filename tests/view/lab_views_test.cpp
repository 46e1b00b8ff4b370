// What the lab's panels say, from reports with numbers that can be checked by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/record/policies.h"
#include "ui/view/budget_track.h"
#include "ui/view/lab_table.h"
#include "ui/view/regret_stack.h"
#include "ui/view/reliability_plot.h"
#include "ui/view/sweep_map.h"

namespace draftscope::test {
namespace {

LabPolicy policy(Method method, double tokens_per_s, double believed, int32_t budget = 0) {
  LabPolicy out;
  out.method = method;
  out.budget = budget;
  out.tokens_per_s = tokens_per_s;
  out.expected_tokens_per_s = believed;
  out.tokens_per_round = tokens_per_s / 40;
  out.nodes_per_round = tokens_per_s / 10;
  out.rounds = {{0, 100, 4, 2, 2.5, 0.02}, {3, 103, 8, 0, 2.0, 0.03}, {4, 104, 2, 1, 1.5, 0.01}};
  return out;
}

CostModel line(const char* label, double first_s, double row_s) {
  CostModel cost;
  cost.label = label;
  cost.context = {128};
  cost.rows = {1, 101};
  cost.verify_s = {first_s, first_s + 100 * row_s};
  cost.draft_s = {0};
  return cost;
}

/// Six tokens under five policies.
LabReport report() {
  LabReport out;
  out.n_tokens = 6;
  out.solve_s = 0.0042;
  out.cost = line("A800", 0.034, 0.0002);
  out.policies = {policy(Method::kPlain, 40, 40), policy(Method::kDdtree, 90, 99, 64),
                  policy(Method::kCaddtree, 100, 110), policy(Method::kBastion, 80, 80, 32),
                  policy(Method::kOracle, 160, 160)};
  return out;
}

TEST(LabTable, ComparesEveryPolicyWithPlainAndWithTheBestFixedTree) {
  LabReport in = report();
  EXPECT_EQ(lab_table(in).rows[2].of_fixed, "...") << "not computed yet";
  in.best_fixed = policy(Method::kDdtree, 95, 95, 48);
  const LabTable table = lab_table(in);
  ASSERT_EQ(table.rows.size(), 5u);
  const LabRow& row = table.rows[2];
  EXPECT_EQ(row.name, "CaDDTree");
  EXPECT_EQ(row.speed, "100");
  EXPECT_EQ(row.of_plain, "2.50x");
  EXPECT_EQ(row.of_fixed, "1.05x");
  EXPECT_EQ(row.tokens, "2.50");
  EXPECT_EQ(row.nodes, "10.0");
  EXPECT_EQ(row.believed, "110 (+10.0 %)");
  EXPECT_DOUBLE_EQ(row.share, 100.0 / 160);
  EXPECT_EQ(table.rows[1].name, "fixed tree, 64 nodes");
  EXPECT_EQ(table.rows[3].name, "BASTION, 32 rows");
  EXPECT_EQ(table.rows[0].speed, "40.0");
}

TEST(LabTable, HindsightIsABoundAndNeverTheBest) {
  const LabTable table = lab_table(report());
  EXPECT_TRUE(table.rows[2].best);
  EXPECT_EQ(table.rows[2].note, "best");
  EXPECT_FALSE(table.rows[4].best);
  EXPECT_TRUE(table.rows[4].bound);
  EXPECT_EQ(table.rows[4].note, "bound");
  EXPECT_EQ(table.headline, "Fastest: CaDDTree, 100 tokens/s, 2.50x of plain decoding.");
}

TEST(LabTable, SaysWhenAdaptivityDoesNotPay) {
  LabReport in = report();
  in.best_fixed = policy(Method::kDdtree, 125, 125, 16);
  EXPECT_EQ(lab_table(in).adaptivity,
            "Best adaptive policy: CaDDTree. It does not beat the best fixed tree of this text (16 nodes, "
            "125 tokens/s): "
            "20.0 % below.");
  in.best_fixed = policy(Method::kDdtree, 80, 80, 16);
  EXPECT_EQ(lab_table(in).adaptivity,
            "Best adaptive policy: CaDDTree. It beats the best fixed tree of this text (16 nodes, 80.0 "
            "tokens/s) by 25.0 %.");
}

TEST(LabTable, TheOtherSideShowsItsSpeedItsBestAndTheDifference) {
  LabReport in = report();
  EXPECT_FALSE(lab_table(in).two_sides);
  in.other_cost = line("H200", 0.002, 0.00001);
  in.other_policies = {policy(Method::kPlain, 50, 50), policy(Method::kDdtree, 180, 180, 64),
                       policy(Method::kCaddtree, 75, 75), policy(Method::kBastion, 80, 80, 32),
                       policy(Method::kOracle, 320, 320)};
  const LabTable table = lab_table(in);
  EXPECT_TRUE(table.two_sides);
  EXPECT_EQ(table.rows[2].other_speed, "75.0");
  EXPECT_EQ(table.rows[2].ratio, "0.75x");
  EXPECT_EQ(table.rows[1].ratio, "2.00x");
  EXPECT_EQ(table.rows[1].other_speed, "180 best");
  EXPECT_DOUBLE_EQ(table.rows[2].share, 100.0 / 160) << "bars are of their own side";
  EXPECT_DOUBLE_EQ(table.rows[1].other_share, 180.0 / 320);
  EXPECT_EQ(table.side_b, "H200");
  const std::vector<std::string> sentences = lab_sentences(table);
  ASSERT_EQ(sentences.size(), 3u) << "no exact optimum here, and no best fixed tree yet";
  EXPECT_EQ(sentences[0], table.headline);
  EXPECT_EQ(sentences[1].rfind("A: A800. B: H200;", 0), 0u) << sentences[1];
}

TEST(LabTable, TheCostPerRowExplainsWhyTheOptimumMoves) {
  LabReport in = report();
  in.policies.push_back(policy(Method::kExact, 120, 120));
  in.other_cost = line("H200", 0.002, 0.00001);
  in.other_policies = in.policies;
  in.other_policies.back().nodes_per_round = 200;
  EXPECT_EQ(lab_table(in).why,
            "Under A a pass over one row takes 34 ms and each further row 0.2 ms; under B 2 ms and 0.01 ms. "
            "So the exact "
            "optimum verifies 12.0 nodes a round under A and 200.0 under B.");
}

TEST(LabTable, WithoutAnAnswerASentenceSaysWhatToDo) {
  SessionInfo info;
  EXPECT_NE(lab_empty_reason(std::nullopt, false, nullptr).find("record --dense"), std::string::npos);
  EXPECT_NE(lab_empty_reason(info, true, nullptr).find("works on recordings"), std::string::npos);
  EXPECT_NE(lab_empty_reason(info, false, nullptr).find("record --dense"), std::string::npos);
  info.dense = true;
  EXPECT_NE(lab_empty_reason(info, false, nullptr).find("Deciding"), std::string::npos);
  LabReport broken;
  broken.problem = "round 3 is missing";
  EXPECT_EQ(lab_empty_reason(info, false, &broken), "round 3 is missing");
  const LabReport whole = report();
  EXPECT_EQ(lab_empty_reason(info, false, &whole), "");
}

TEST(BudgetTrack, StairsCoverTheTextAndPlainDecodingHasNone) {
  const BudgetTrack track = budget_track(report(), {Method::kPlain, Method::kCaddtree});
  ASSERT_EQ(track.lines.size(), 1u);
  const BudgetSteps& steps = track.lines[0];
  EXPECT_EQ(steps.position, (std::vector<double>{0, 3, 4, 6}));
  EXPECT_EQ(steps.budget, (std::vector<double>{4, 8, 2, 2}));
  EXPECT_EQ(steps.accepted, (std::vector<int32_t>{2, 0, 1}));
  EXPECT_EQ(track.top, 8);
  EXPECT_EQ(track.n_tokens, 6);
}

TEST(BudgetTrack, NamesOfBudgetsNeverOverlap) {
  EXPECT_EQ(budget_ticks(256, 0.1), (std::vector<double>{0, 4, 16, 64, 256}));
  EXPECT_EQ(budget_ticks(256, 0.27), (std::vector<double>{0, 4, 64}));
  EXPECT_EQ(budget_ticks(3, 0.1), std::vector<double>{0});
  EXPECT_EQ(budget_ticks(256, 2), std::vector<double>{0}) << "a field lower than a line of text";
  EXPECT_DOUBLE_EQ(budget_height(256, 256), 1);
}

TEST(BudgetTrack, EveryPositionBelongsToOneRound) {
  const BudgetTrack track = budget_track(report(), {Method::kCaddtree});
  const BudgetSteps& steps = track.lines[0];
  const std::vector<int32_t> expected = {0, 0, 0, 1, 2, 2};
  for (int32_t position = 0; position < 6; ++position)
    EXPECT_EQ(round_at(steps, position), expected[position]) << position;
  EXPECT_EQ(round_at(steps, -1), -1);
  EXPECT_EQ(round_at(steps, 6), -1);
  EXPECT_EQ(budget_at(steps, 3), "CaDDTree: round 1 at position 3, 8 nodes, 0 accepted + bonus");
  EXPECT_EQ(budget_at(steps, 6), "");
}

/// Two rounds of two tokens each: 0.1 s and 0.2 s.
LabReport with_regret() {
  LabReport out = report();
  out.n_tokens = 4;
  out.regret = {Method::kCaddtree, {0, 2}, {1, 2}, {0, -1}, {0, 0}, {9, 4}, {30, 15}, {20, 10}};
  return out;
}

TEST(RegretStack, PartsStackUpwardsAndGainsDownwards) {
  const RegretStack stack = regret_stack(with_regret());
  EXPECT_EQ(stack.empty_reason, "");
  EXPECT_EQ(stack.position, (std::vector<double>{0, 2, 4}));
  EXPECT_EQ(stack.per_round.low[0], (std::vector<double>{0, 0}));
  EXPECT_EQ(stack.per_round.high[0], (std::vector<double>{1, 2}));
  EXPECT_EQ(stack.per_round.low[1], (std::vector<double>{1, -1})) << "a gain hangs below zero";
  EXPECT_EQ(stack.per_round.high[1][1], 0);
  EXPECT_EQ(stack.per_round.low[3], (std::vector<double>{1, 2}));
  EXPECT_EQ(stack.per_round.high[3], (std::vector<double>{10, 6}));
  EXPECT_EQ(stack.per_round.top, 10);
  EXPECT_EQ(stack.per_round.bottom, -1);
}

TEST(RegretStack, SumsAreTokensOfTheSameTime) {
  const RegretStack stack = regret_stack(with_regret());
  EXPECT_DOUBLE_EQ(stack.tokens[0], 1 * 0.1 + 2 * 0.2);
  EXPECT_DOUBLE_EQ(stack.tokens[1], -0.2);
  EXPECT_DOUBLE_EQ(stack.tokens[2], 0);
  EXPECT_DOUBLE_EQ(stack.tokens[3], 9 * 0.1 + 4 * 0.2);
  EXPECT_DOUBLE_EQ(stack.lost_tokens, (30 - 20) * 0.1 + (15 - 10) * 0.2);
  EXPECT_DOUBLE_EQ(stack.summed.high[0][1], 0.5);
  EXPECT_EQ(stack.totals[3], "luck: 1.7 tokens (85 %)");
  EXPECT_EQ(stack.headline,
            "CaDDTree made 4 tokens in 0.30 s; hindsight would have made 2.0 more in that time, 50.0 %.");
}

TEST(RegretStack, ColumnsThatDoNotFitAreNotDrawn) {
  LabReport in = with_regret();
  in.regret.luck.pop_back();
  EXPECT_NE(regret_stack(in).empty_reason, "");
  EXPECT_NE(regret_stack(report()).empty_reason, "") << "no regret yet";
  EXPECT_TRUE(regret_lines(in.regret, 0).empty());
}

TEST(RegretStack, ARoundIsFoundByPositionAndToldInFiveLines) {
  const LabReport in = with_regret();
  const RegretStack stack = regret_stack(in);
  EXPECT_EQ(round_at(stack, 1.9), 0);
  EXPECT_EQ(round_at(stack, 2.0), 1);
  EXPECT_EQ(round_at(stack, 4.0), -1);
  const std::vector<std::string> lines = regret_lines(in.regret, 1);
  ASSERT_EQ(lines.size(), 1 + kRegretParts);
  EXPECT_EQ(lines[0], "round 1 at position 2: 10.0 tokens/s, hindsight 15.0");
  EXPECT_EQ(lines[2], "M cost model: -1.0");
}

TEST(ReliabilityPlot, BarsReachTheEndsOfTheirInterval) {
  LabCalibration in;
  in.curves = {{"all", {{0.2, 0.1, 0.05, 0.2, 30, 12}, {0.8, 0.6, 0.5, 0.7, 70, 21.4}}, 0.17, 100}};
  in.block_tokens = 16;
  const ReliabilityPlot plot = reliability_plot(in);
  ASSERT_EQ(plot.series.size(), 1u);
  EXPECT_DOUBLE_EQ(plot.series[0].below[0], 0.05);
  EXPECT_DOUBLE_EQ(plot.series[0].above[1], 0.7 - 0.6);
  EXPECT_EQ(plot.series[0].n, (std::vector<int64_t>{30, 70}));
  EXPECT_EQ(plot.series[0].bias, "too sure by 0.170");
  EXPECT_EQ(plot.series[0].summary,
            "all: 100 observed, calibration error 0.170, too sure by 0.170 on average");
  EXPECT_EQ(bin_line(plot.series[0], 1),
            "stated 0.800, observed 0.600 (0.500 to 0.700); 70 children of accepted nodes, worth 21 independent ones");
  EXPECT_EQ(plot.bars, "bars: 95 %, blocks of 16 tokens");
  EXPECT_EQ(bin_line(plot.series[0], 2), "");
}

TEST(ReliabilityPlot, ACorrectionIsNamedByItsParts) {
  EXPECT_EQ(correction_words("demo", {1.084, {0.1, 0.2}, {0.1, 0.3}, 0.61}),
            "fitted on half of a recording of demo: temperature 1.08, map of 2 points, factor off the spine 0.61");
}

TEST(ReliabilityPlot, CorrectionsAreJudgedInWords) {
  LabCalibration in;
  in.curves = {{"all", {{0.5, 0.6, 0.5, 0.7, 10}}, 0.1, 10}};
  in.scores = {
      {"temperature", 0.10, 0.02, 1.25}, {"isotonic", 0.10, 0.12, 9}, {"off the spine", 0.1, 0.1, 1}};
  const ReliabilityPlot plot = reliability_plot(in);
  ASSERT_EQ(plot.corrections.size(), 3u);
  EXPECT_EQ(plot.corrections[0].verdict, "better");
  EXPECT_EQ(plot.corrections[0].after, "0.020");
  EXPECT_EQ(plot.corrections[0].parameter, "1.25");
  EXPECT_EQ(plot.corrections[1].verdict, "worse");
  EXPECT_EQ(plot.corrections[2].verdict, "no change");
  EXPECT_EQ(plot.series[0].summary,
            "all: 10 observed, calibration error 0.100, not sure enough by 0.100 on average");
  EXPECT_NE(reliability_plot({}).empty_reason, "");
}

LabSweep sweep() {
  LabSweep out;
  out.budget = {0, 8, 64};
  out.context = {128, 8192};
  out.floor_s = {0, 0.0085};
  out.tokens_per_s = {40, 90, 70, 30, 50, 60, 20, 50, 60, 10, 20, 45};
  out.n_done = 12;
  return out;
}

TEST(SweepMap, MarksTheBestBudgetOfEveryContext) {
  const SweepMap map = sweep_map(sweep(), 0);
  EXPECT_EQ(map.budget, (std::vector<std::string>{"0", "8", "64"}));
  EXPECT_EQ(map.best, (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(map.low, 30);
  EXPECT_EQ(map.high, 90);
  EXPECT_DOUBLE_EQ(map.shade(map.at(1, 2)), 0.5);
  EXPECT_EQ(map.progress, "");
  EXPECT_EQ(map.headline,
            "With a launch floor of 0 ms the best fixed tree has 8 nodes at context 128 and 64 at 8192.");
  EXPECT_EQ(cell_line(map, 0, 1), "8 nodes at context 128: 90.0 tokens/s, the best of its context");
  EXPECT_EQ(cell_line(map, 2, 0), "");
}

TEST(SweepMap, TheLaunchFloorChoosesTheLayer) {
  const SweepMap map = sweep_map(sweep(), 1);
  EXPECT_EQ(map.at(0, 0), 20);
  EXPECT_EQ(map.best, (std::vector<int32_t>{2, 2}));
  EXPECT_EQ(map.headline, "With a launch floor of 8.5 ms a fixed tree of 64 nodes is best at every context.");
  EXPECT_EQ(floor_labels(sweep()), (std::vector<std::string>{"0 ms", "8.5 ms"}));
  EXPECT_NE(sweep_map(sweep(), 2).empty_reason, "");
}

TEST(SweepMap, CellsThatAreMissingAreSaidToBe) {
  LabSweep in = sweep();
  for (const size_t i : {4u, 5u}) in.tokens_per_s[i] = std::numeric_limits<double>::quiet_NaN();
  in.n_done = 10;
  const SweepMap map = sweep_map(in, 0);
  EXPECT_EQ(map.best, (std::vector<int32_t>{1, -1}));
  EXPECT_TRUE(std::isnan(map.at(1, 1)));
  EXPECT_EQ(map.low, 30);
  EXPECT_EQ(map.headline, "");
  EXPECT_EQ(map.progress, "10 of 12 cells are computed; hatched ones follow.");
  EXPECT_EQ(cell_line(map, 1, 2), "64 nodes at context 8192: not computed yet");
}

}  // namespace
}  // namespace draftscope::test
