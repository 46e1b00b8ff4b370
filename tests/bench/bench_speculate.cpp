// Speed of growing a tree and choosing its size: the host work between drafter and target.
//
//   ds_bench_speculate --benchmark_filter=Grow      arguments are nodes / ranks per depth
#include <benchmark/benchmark.h>

#include "engine/speculate/ancestors.h"
#include "engine/speculate/budget.h"
#include "engine/speculate/grow.h"
#include "engine/speculate/online_cost.h"
#include "tests/speculate/random_inputs.h"

namespace draftscope {
namespace {

constexpr int32_t kDepths = 15;

void Grow(benchmark::State& state) {
  std::mt19937 random(1);
  const Marginals q = realistic_marginals(random, kDepths, static_cast<int32_t>(state.range(1)));
  const int32_t n_nodes = static_cast<int32_t>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(grow_tree(q, 0, n_nodes));
}
BENCHMARK(Grow)->Args({64, 1024})->Args({256, 1024})->Args({1024, 64})->Args({1024, 1024});

// Every candidate has the same probability as many others, so most comparisons need the rank paths.
void GrowTied(benchmark::State& state) {
  std::mt19937 random(1);
  const Marginals q = random_marginals(random, kDepths, 1024, Spread::kTied);
  for (auto _ : state) benchmark::DoNotOptimize(grow_tree(q, 0, static_cast<int32_t>(state.range(0))));
}
BENCHMARK(GrowTied)->Arg(1024);

// Growth, proof and curves together. The steep cost is proved early, the flat one never.
void Choose(benchmark::State& state) {
  std::mt19937 random(1);
  const Marginals q = realistic_marginals(random, kDepths, 1024);
  const BudgetRule rule{.method = static_cast<Method>(state.range(0)), .max_nodes = 1024};
  const double slope = state.range(1) == 0 ? 1e-9 : 1e-2;
  RoundCost cost{0.1, 0.0, {}, {}};
  for (int32_t n = 0; n <= rule.max_nodes; ++n) {
    cost.verify_s.push_back(1 + slope * 16 * static_cast<double>((n + 16) / 16));
    cost.faithful_s.push_back(1 + slope * n);
  }
  int32_t chosen = 0, grown = 0;
  for (auto _ : state) {
    const Choice choice = choose_tree(q, 0, cost, rule);
    chosen = choice.decision.chosen;
    grown = choice.tree.size() - 1;
    benchmark::DoNotOptimize(choice.tree.token.data());
  }
  state.counters["chosen"] = chosen;
  state.counters["grown"] = grown;
}
constexpr int64_t kExact = static_cast<int64_t>(Method::kExact),
                  kCaddtree = static_cast<int64_t>(Method::kCaddtree);
BENCHMARK(Choose)
    ->ArgNames({"method", "steep"})
    ->Args({kExact, 0})
    ->Args({kExact, 1})
    ->Args({kCaddtree, 0})
    ->Args({kCaddtree, 1});

void Ancestors(benchmark::State& state) {
  std::mt19937 random(1);
  const DraftTree tree = grow_tree(realistic_marginals(random, kDepths, 64), 0, 1024);
  for (auto _ : state) benchmark::DoNotOptimize(ancestor_rows(tree, 1024, 5000));
}
BENCHMARK(Ancestors);

// A dense measured grid, as profile gives it: the per-round evaluation, and the fit that is done once.
CostModel dense_model() {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> noise(0.0, 1e-4);
  CostModel model{.kind = CostKind::kMeasured};
  for (int32_t context = 0; context <= 8192; context += 1024) model.context.push_back(context);
  for (int32_t row = 1; row <= 1024; ++row) model.rows.push_back(row);
  for (size_t c = 0; c < model.context.size(); ++c) {
    for (const int32_t row : model.rows) model.verify_s.push_back(0.01 + 1e-9 * row * row + noise(random));
  }
  model.draft_s.assign(model.context.size(), 1e-3);
  return model;
}

void CostAt(benchmark::State& state) {
  const CostTable table(dense_model());
  for (auto _ : state) benchmark::DoNotOptimize(table.at(1500, 1024));
}
BENCHMARK(CostAt);

void CostFit(benchmark::State& state) {
  const CostModel model = dense_model();
  for (auto _ : state) benchmark::DoNotOptimize(convex_fit(model));
}
BENCHMARK(CostFit)->Unit(benchmark::kMillisecond);

// What --online-cost adds: one observation a round, and now and then the tables of the re-estimated model. Arguments are
// rows of the profile / contexts; 61 / 3 is what `profile` measures by default.
CostModel profile_like(int64_t n_rows, int64_t n_contexts) {
  CostModel model = dense_model();
  CostModel cut{.kind = CostKind::kMeasured};
  cut.context.assign(model.context.begin(), model.context.begin() + n_contexts);
  cut.rows.assign(model.rows.begin(), model.rows.begin() + n_rows);
  for (int64_t c = 0; c < n_contexts; ++c) {
    const auto begin = model.verify_s.begin() + c * static_cast<int64_t>(model.rows.size());
    cut.verify_s.insert(cut.verify_s.end(), begin, begin + n_rows);
  }
  cut.draft_s.assign(static_cast<size_t>(n_contexts), 1e-3);
  return cut;
}

OnlineCost observed(const CostModel& prior) {
  OnlineCost online(prior);
  for (int32_t i = 0; i < 64; ++i) online.observe(500, 1 + i, 0.011);
  return online;
}

void OnlineObserve(benchmark::State& state) {
  OnlineCost online = observed(profile_like(61, 3));
  for (auto _ : state) {
    online.observe(500, 17, 0.011);
    benchmark::DoNotOptimize(online.drift());
  }
}
BENCHMARK(OnlineObserve);

void OnlineRefit(benchmark::State& state) {
  const OnlineCost online = observed(profile_like(state.range(0), state.range(1)));
  for (auto _ : state) benchmark::DoNotOptimize(CostTable(online.model()));
}
BENCHMARK(OnlineRefit)->Args({61, 3})->Args({1024, 9})->Unit(benchmark::kMicrosecond);

// What most of the calls between rounds find: nothing new, so no tables.
void OnlineNoNews(benchmark::State& state) {
  OnlineCost online = observed(profile_like(61, 3));
  (void)online.update();
  for (auto _ : state) benchmark::DoNotOptimize(online.update());
}
BENCHMARK(OnlineNoNews);

}  // namespace
}  // namespace draftscope

BENCHMARK_MAIN();
