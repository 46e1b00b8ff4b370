// Speed of the lab: preparing a dense text once, and deciding it again under every policy when a curve was moved.
//
//   ds_bench_lab --benchmark_filter=Resimulate      one thread; the text has 512 tokens, trees up to 256 nodes
#include <benchmark/benchmark.h>

#include "engine/lab/simulate.h"
#include "engine/record/policies.h"
#include "tests/speculate/random_inputs.h"

namespace draftscope {
namespace {

constexpr int32_t kTokens = 512, kMaxNodes = 256, kDepths = 15, kRanks = 48;

/// The target says rank 0 seven times in ten, else one of the next three.
DenseText made_up_text() {
  std::mt19937 random(1);
  DenseText text{0, kMaxNodes, {}};
  for (int32_t i = 0; i < kTokens; ++i) {
    DensePosition here{100 + i, 0, 0, realistic_marginals(random, kDepths, kRanks)};
    for (int32_t& token : here.q.token) token %= 100;
    here.next_token = random() % 10 < 7 ? 0 : 1 + static_cast<int32_t>(random() % 3);
    text.at.push_back(std::move(here));
  }
  for (size_t i = 1; i < text.at.size(); ++i) text.at[i].root_token = text.at[i - 1].next_token;
  return text;
}

/// As many points as `profile` measures by default.
CostModel profile_like() {
  CostModel model{.kind = CostKind::kMeasured};
  model.context = {0, 256, 1024};
  for (int32_t row = 1; row <= 32; ++row) model.rows.push_back(row);
  for (int32_t row = 40; row <= 257; row += 8) model.rows.push_back(row);
  for (size_t c = 0; c < model.context.size(); ++c) {
    for (const int32_t row : model.rows) model.verify_s.push_back(4e-4 + 1e-4 * ((row + 15) / 16) + 1e-7 * model.context[c]);
    model.draft_s.push_back(2e-4);
  }
  return model;
}

void Prepare(benchmark::State& state) {
  const DenseText text = made_up_text();
  for (auto _ : state) benchmark::DoNotOptimize(prepare(text, TreeOrder::kBestFirst));
}
BENCHMARK(Prepare)->Unit(benchmark::kMillisecond);

// What follows the mouse: the tables of the edited curve, then every policy over the whole text.
void Resimulate(benchmark::State& state) {
  const DenseText text = made_up_text();
  std::vector<PreparedText> prepared;
  for (const Policy& policy : policies()) prepared.push_back(prepare(text, order_of(policy.method)));
  const CostModel edited = profile_like();
  for (auto _ : state) {
    const CostTable cost(edited);
    for (size_t i = 0; i < prepared.size(); ++i) {
      benchmark::DoNotOptimize(
          simulate(prepared[i], cost, {.method = policies()[i].method, .budget = 32, .max_nodes = kMaxNodes}));
    }
  }
  state.counters["policies"] = static_cast<double>(prepared.size());
}
BENCHMARK(Resimulate)->Unit(benchmark::kMillisecond);

// One decision over 1,024 candidates that are already there.
void DecideExact(benchmark::State& state) {
  std::mt19937 random(1);
  const RoundCost cost = random_cost(random, 1024, CostShape::kNoisy);
  const std::vector<double> expected =
      expected_tokens_of(every_candidate(realistic_marginals(random, kDepths, 64), 0, {.max_nodes = 1024}));
  for (auto _ : state) benchmark::DoNotOptimize(decide(expected, cost, {.method = Method::kExact, .max_nodes = 1024}));
}
BENCHMARK(DecideExact);

}  // namespace
}  // namespace draftscope

BENCHMARK_MAIN();
