// The sweep's cells are simulations, however they are filled.
#include "engine/lab/sweep.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/lab/simulate.h"
#include "tests/lab/lab_inputs.h"

namespace draftscope {
namespace {

/// `model` at one of its contexts, with `floor_s` more in every pass.
CostModel at_context(const CostModel& model, size_t c, double floor_s) {
  CostModel one = model;
  one.context = {model.context[c]};
  one.draft_s = {model.draft_s[c]};
  one.verify_s.clear();
  for (size_t r = 0; r < model.rows.size(); ++r) {
    one.verify_s.push_back(model.verify_s[c * model.rows.size() + r] + floor_s);
  }
  return one;
}

void expect_cells_are_simulations(const DenseText& text, const CostModel& model) {
  const PreparedText prepared = prepare(text, TreeOrder::kBestFirst);
  LabSweep sweep = sweep_axes(model, text.max_nodes);
  Sweep(prepared, model).fill(sweep, 1'000'000);
  ASSERT_EQ(sweep.n_done, static_cast<int64_t>(sweep.tokens_per_s.size()));
  for (size_t f = 0; f < sweep.floor_s.size(); ++f) {
    for (size_t c = 0; c < sweep.context.size(); ++c) {
      const CostTable cost(at_context(model, c, sweep.floor_s[f]));
      for (size_t b = 0; b < sweep.budget.size(); ++b) {
        const BudgetRule rule{.method = Method::kDdtree, .budget = sweep.budget[b], .max_nodes = text.max_nodes};
        const double expected = simulate(prepared, cost, rule).tokens_per_s();
        EXPECT_NEAR(sweep.tokens_per_s[sweep.index(f, c, b)], expected, 1e-10 * expected)
            << "budget " << sweep.budget[b] << ", context " << sweep.context[c] << ", floor " << sweep.floor_s[f];
      }
    }
  }
}

TEST(Sweep, EveryCellIsASimulationOfAFixedTree) {
  std::mt19937 random(1);
  const DenseText text = ranked_text(random, 90, 100);  // larger trees than the cost model has rows for
  expect_cells_are_simulations(text, bumpy_cost(random));
}

TEST(Sweep, TreesThatRunOutOfCandidatesVerifyWhatThereIs) {
  std::mt19937 random(2);
  const DenseText text = ranked_text(random, 40, 40, 2, 2, 2);  // six candidates a position
  ASSERT_EQ(prepare(text, TreeOrder::kBestFirst).at[0].n_candidates(), 6);
  expect_cells_are_simulations(text, bumpy_cost(random));
}

TEST(Sweep, FillingInStepsEqualsFillingAtOnce) {
  std::mt19937 random(3);
  const PreparedText prepared = prepare(ranked_text(random, 60, 48), TreeOrder::kBestFirst);
  const CostModel model = bumpy_cost(random);
  LabSweep once = sweep_axes(model, 48), steps = once;
  Sweep(prepared, model).fill(once, static_cast<int64_t>(once.tokens_per_s.size()));
  Sweep sweep(prepared, model);
  for (int64_t step = 1; steps.n_done < once.n_done; ++step) {
    const int64_t before = steps.n_done;
    sweep.fill(steps, step);
    EXPECT_EQ(steps.n_done, std::min(before + step, once.n_done));
    for (size_t i = 0; i < steps.tokens_per_s.size(); ++i) {
      EXPECT_EQ(std::isnan(steps.tokens_per_s[i]), static_cast<int64_t>(i) >= steps.n_done);
    }
  }
  EXPECT_EQ(steps.tokens_per_s, once.tokens_per_s);
  sweep.fill(steps, 5);
  EXPECT_EQ(steps.n_done, once.n_done) << "a full sweep stays as it is";
}

TEST(Sweep, AxesCoverEveryBudgetScaleOfTheModel) {
  std::mt19937 random(4);
  const CostModel model = bumpy_cost(random);
  const LabSweep sweep = sweep_axes(model, 100);
  EXPECT_EQ(sweep.budget, (std::vector<int32_t>{0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 100}));
  EXPECT_EQ(sweep.context, model.context);
  EXPECT_EQ(sweep.floor_s.front(), 0);
  EXPECT_TRUE(std::is_sorted(sweep.floor_s.begin(), sweep.floor_s.end(), std::less_equal<>()));
  EXPECT_EQ(sweep.n_done, 0);
  EXPECT_EQ(sweep_axes(model, 0).budget, std::vector<int32_t>{0});
  EXPECT_EQ(sweep_axes(model, 1).budget, (std::vector<int32_t>{0, 1}));
}

TEST(Sweep, ATextWithoutTokensGivesZero) {
  std::mt19937 random(5);
  const CostModel model = bumpy_cost(random);
  LabSweep sweep = sweep_axes(model, 8);
  const PreparedText nothing{8, {}};
  Sweep(nothing, model).fill(sweep, 3);
  EXPECT_EQ(sweep.tokens_per_s[2], 0);
}

}  // namespace
}  // namespace draftscope
