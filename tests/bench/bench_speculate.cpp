// Speed of growing a tree and choosing its size: the host work between drafter and target.
//
//   ds_bench_speculate --benchmark_filter=Grow      arguments are nodes / ranks per depth
#include <benchmark/benchmark.h>

#include "engine/speculate/ancestors.h"
#include "engine/speculate/budget.h"
#include "engine/speculate/grow.h"
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

}  // namespace
}  // namespace draftscope

BENCHMARK_MAIN();
