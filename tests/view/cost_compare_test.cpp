#include "ui/view/cost_compare.h"

#include <gmock/gmock.h>

#include "tests/record/make_record.h"

namespace draftscope::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

CostModel line(double first_s, double slope_s) {
  CostModel model;
  model.context = {0, 100};
  model.rows = {1, 11};
  model.verify_s = {first_s, first_s + 10 * slope_s, first_s + 1, first_s + 1 + 10 * slope_s};
  model.draft_s = {0, 0};
  return model;
}

RoundRecord round_of(std::vector<double> tokens) {
  RoundRecord record = make_round(1, 4);
  record.context_len = 0;
  record.decision.expected_tokens = std::move(tokens);
  return record;
}

TEST(CostCompare, TheBestBudgetIsTheSmallestArgmaxOfTokensPerSecond) {
  const RoundRecord record = round_of({1, 1.8, 2.4, 2.6});
  const auto flat = best_budget(record, line(1, 0));
  ASSERT_TRUE(flat.has_value());
  EXPECT_EQ(flat->n, 3) << "rows for nothing: the largest tree";
  EXPECT_DOUBLE_EQ(flat->tokens_per_s, 2.6);
  const auto steep = best_budget(record, line(1, 0.3));  // 1, 1.38, 1.5, 1.37
  EXPECT_EQ(steep->n, 2);
  EXPECT_DOUBLE_EQ(steep->tokens_per_s, 2.4 / 1.6);
  EXPECT_EQ(best_budget(round_of({2, 4}), line(1, 1))->n, 0) << "equals: the smaller";
}

TEST(CostCompare, DraftOverheadAndContextCount) {
  RoundRecord record = round_of({1, 2, 2.5});
  CostModel model = line(1, 1);
  EXPECT_EQ(best_budget(record, model)->n, 0);
  model.draft_s = {1, 1};
  EXPECT_EQ(best_budget(record, model)->n, 1) << "a dear draft asks for more nodes";
  model.overhead_s = 10;
  EXPECT_EQ(best_budget(record, model)->n, 2);
  record.context_len = 50;
  EXPECT_DOUBLE_EQ(best_budget(record, line(1, 0))->tokens_per_s, 2.5 / 1.5)
      << "half way between the contexts";
}

TEST(CostCompare, RoundsWithoutADecisionHaveNone) {
  EXPECT_FALSE(best_budget(make_round(1, 0), line(1, 0)).has_value());
  EXPECT_FALSE(best_budget(round_of({}), line(1, 0)).has_value());
  EXPECT_FALSE(best_budget(round_of({1, 2}), CostModel{}).has_value());
  CostModel torn = line(1, 0);
  torn.draft_s.clear();
  EXPECT_FALSE(best_budget(round_of({1, 2}), torn).has_value());
  EXPECT_EQ(budget_words(make_round(1, 0), line(1, 0), "A", line(1, 1), "B").sentence, "");
}

TEST(CostCompare, TheWordsSayWhereAndWhy) {
  const BudgetWords words = budget_words(round_of({1, 1.8, 2.4, 2.6}), line(1, 0), "A", line(1, 0.3), "B");
  EXPECT_EQ(words.short_words, "best: 3 nodes (A), 2 (B)");
  EXPECT_THAT(words.sentence,
              HasSubstr("3 nodes and 2.6 tokens/s under A, 2 nodes and 1.5 tokens/s under B"));
  EXPECT_EQ(words.why, "A pass of 4 rows costs as much as 1.00 passes of one row under A, 1.90 under B.");
  EXPECT_EQ(budget_words(round_of({1, 2}), line(1, 0), "A", line(2, 0), "B").short_words,
            "best: 1 node under both");
}

TEST(CostCompare, PassesGoOnWithTheLastSlope) {
  EXPECT_THAT(pass_seconds(line(1, 0.5), 0, 3), ElementsAre(1, 1.5, 2));
  EXPECT_DOUBLE_EQ(pass_seconds(line(1, 0.5), 1, 21).back(), 12);
  EXPECT_DOUBLE_EQ(relative_price(line(1, 0.5), 0, 3), 2);
}

}  // namespace
}  // namespace draftscope::test
