#include "ui/view/probability.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/record/make_record.h"
#include "ui/view/marginals_grid.h"

namespace draftscope::test {
namespace {

TEST(Probability, NothingReadsAsCertainThatIsNot) {
  EXPECT_EQ(q_words(0, 2), "0.00");
  EXPECT_EQ(q_words(1e-30, 2), "<0.01");
  EXPECT_EQ(q_words(0.0049, 2), "<0.01");
  EXPECT_EQ(q_words(0.0051, 2), "0.01");
  EXPECT_EQ(q_words(0.5, 2), "0.50");
  EXPECT_EQ(q_words(0.9949, 2), "0.99");
  EXPECT_EQ(q_words(0.9951, 2), ">0.99");
  EXPECT_EQ(q_words(1 - 1e-12, 2), ">0.99");
  EXPECT_EQ(q_words(1, 2), "1.00");
  EXPECT_EQ(q_words(3e-7, 4), "<0.0001");
  EXPECT_EQ(q_words(0.99997, 4), ">0.9999");
}

TEST(Probability, SharesAreBoundedToo) {
  EXPECT_EQ(percent_words(0), "0.0 %");
  EXPECT_EQ(percent_words(1e-9), "<0.1 %");
  EXPECT_EQ(percent_words(0.0006), "0.1 %");
  EXPECT_EQ(percent_words(0.1234), "12.3 %");
  EXPECT_EQ(percent_words(0.9996), ">99.9 %");
  EXPECT_EQ(percent_words(1), "100.0 %");
}

/// One depth whose ranks have these probabilities.
RoundRecord round_of(const std::vector<double>& q) {
  RoundRecord round = make_round(1, 4);
  round.q.n_depths = 1;
  round.q.n_ranks = static_cast<int32_t>(q.size());
  round.q.token.assign(q.size(), 3);
  round.q.log_q.clear();
  for (const double one : q) round.q.log_q.push_back(static_cast<float>(std::log(one)));
  return round;
}

TEST(Probability, ACellSaysNothingOfWhatIsUnlikelyAndNeverMoreThanItKnows) {
  const MarginalsGrid grid = marginals_grid(round_of({0.9962, 0.0031, 0.0005, 0.0}));
  EXPECT_EQ(cell_words(grid.at(0, 0)), ">0.99");
  EXPECT_EQ(cell_words(grid.at(0, 1)), "");
  EXPECT_EQ(cell_words(grid.at(0, 3)), "");
  EXPECT_EQ(cell_words(marginals_grid(round_of({1.0, 0.0})).at(0, 0)), "1.00");
  EXPECT_EQ(cell_words(marginals_grid(round_of({0.62, 0.38})).at(0, 1)), "0.38");
}

TEST(Probability, TheRestIsWhatIsNotShownAndWhatWasNotRecorded) {
  const MarginalsGrid grid = marginals_grid(round_of({0.6, 0.25, 0.1}));
  EXPECT_NEAR(rest_beyond(grid, 0, 3), 0.05, 1e-6);
  EXPECT_NEAR(rest_beyond(grid, 0, 1), 0.4, 1e-6);
  EXPECT_EQ(percent_words(rest_beyond(grid, 0, 2)), "15.0 %");
  const MarginalsGrid sure = marginals_grid(round_of({0.99999, 1e-6}));
  EXPECT_EQ(percent_words(rest_beyond(sure, 0, 2)), "<0.1 %")
      << "some of the vocabulary is left, however little";
  const MarginalsGrid flat = marginals_grid(round_of({0.0002, 0.0001}));
  EXPECT_EQ(percent_words(rest_beyond(flat, 0, 2)), ">99.9 %");
  const MarginalsGrid rounded = marginals_grid(round_of({0.7, 0.4}));  // rounding, or a broken record
  EXPECT_EQ(rest_beyond(rounded, 0, 2), 0);
}

}  // namespace
}  // namespace draftscope::test
