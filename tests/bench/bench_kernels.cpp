// Speed of the kernels on Qwen3-0.6B shapes, as shares of what this machine can do at best.
//
//   ds_bench_kernels --benchmark_filter=Layers      arguments are rows / threads
//
// `of_read`: bytes of weights streamed per second over the measured read bandwidth; `of_peak`: operations per
// second over the measured peak of the bf16 dot-product instruction; `best_ms`: fastest pass.
#include <benchmark/benchmark.h>

#include <array>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/thread_pool.h"
#include "tests/bench/machine_ceilings.h"

namespace draftscope {
namespace {

constexpr HeadLayout kHeads{16, 8, 128};
constexpr int32_t kHidden = 1024, kInter = 3072, kVocab = 151936;
constexpr int32_t kLayers = 8;  // 252 MB of weights: far more than the caches hold

Backend& backend_with(int64_t n_threads, CpuPath path) {
  static std::map<std::pair<int64_t, CpuPath>, std::unique_ptr<Backend>> made;
  auto& slot = made[{n_threads, path}];
  if (!slot) {
    auto result = make_cpu_backend({Precision::kBf16, static_cast<int32_t>(n_threads), path});
    DS_CHECK(result.ok(), "{}", result.error());
    slot = std::move(*result);
  }
  return *slot;
}

std::unique_ptr<Matrix> random_matrix(Backend& backend, int64_t n_out, int64_t n_in) {
  std::vector<uint16_t> bits(static_cast<size_t>(n_out * n_in));
  std::minstd_rand random(1);
  for (uint16_t& each : bits) each = static_cast<uint16_t>(0x3c00 | (random() & 0x80ff));  // about +-0.01
  const Tensor tensor{"random", DType::kBf16, {n_out, n_in}, std::as_bytes(std::span(bits))};
  return backend.pack({&tensor, 1});
}

std::unique_ptr<ActBuffer> random_act(Backend& backend, int64_t rows, int64_t cols) {
  auto buffer = backend.make_act(static_cast<int32_t>(rows), static_cast<int32_t>(cols));
  std::minstd_rand random(2);
  for (int64_t i = 0; i < rows * cols; ++i)
    buffer->act.data[i] = static_cast<float>(random() % 2001) * 1e-3f - 1.0f;
  return buffer;
}

// Runs `pass` under the benchmark's clock and reports its best time.
template <class Pass>
double time_best(benchmark::State& state, const Pass& pass) {
  pass();
  double best_s = 1e30;
  const bool alone = state.range(1) == 1;
  for (auto _ : state) {
    const double start = now_s(alone);
    pass();
    best_s = std::min(best_s, now_s(alone) - start);
  }
  state.counters["best_ms"] = best_s * 1e3;
  return best_s;
}

void report(benchmark::State& state, double seconds, double n_bytes, double n_operations) {
  const auto n_threads = static_cast<int32_t>(state.range(1));
  state.counters["GB/s"] = n_bytes / seconds * 1e-9;
  state.counters["of_read"] = n_bytes / seconds / read_bandwidth(n_threads);
  state.counters["GFLOP/s"] = n_operations / seconds * 1e-9;
  if (const double peak = bf16_dot_peak(n_threads); peak > 0)
    state.counters["of_peak"] = n_operations / seconds / peak;
}

// The matrix products of eight layers at (rows, threads).
void layers(benchmark::State& state, CpuPath path) {
  constexpr std::array<std::array<int64_t, 2>, 4> kShapes{
      {{4096, kHidden}, {kHidden, 2048}, {2 * kInter, kHidden}, {kHidden, kInter}}};
  Backend& backend = backend_with(state.range(1), path);
  static std::vector<std::unique_ptr<Matrix>> weights;  // packed alike by every CPU path
  if (weights.empty()) {
    for (int32_t layer = 0; layer < kLayers; ++layer) {
      for (const auto& [n_out, n_in] : kShapes) weights.push_back(random_matrix(backend, n_out, n_in));
    }
  }
  std::vector<std::unique_ptr<ActBuffer>> in, out;
  for (const auto& [n_out, n_in] : kShapes) {
    in.push_back(random_act(backend, state.range(0), n_in));
    out.push_back(random_act(backend, state.range(0), n_out));
  }
  double n_bytes = 0, n_elements = 0;
  for (const auto& each : weights)
    n_bytes += static_cast<double>(each->n_bytes),
        n_elements += static_cast<double>(each->n_out * each->n_in);
  const double seconds = time_best(state, [&] {
    for (size_t i = 0; i < weights.size(); ++i) backend.matmul(in[i % 4]->act, *weights[i], out[i % 4]->act);
  });
  report(state, seconds, n_bytes, 2 * n_elements * static_cast<double>(state.range(0)));
}

// The head's product with its top k and log-sum-exp at (rows, threads, k).
void head(benchmark::State& state, CpuPath path) {
  Backend& backend = backend_with(state.range(1), path);
  static const auto weights = random_matrix(backend, kVocab, kHidden);
  const auto in = random_act(backend, state.range(0), kHidden);
  TopK top;
  const auto k = static_cast<int32_t>(state.range(2));
  const double seconds = time_best(state, [&] { backend.head_top_k(in->act, *weights, k, top); });
  report(state, seconds, static_cast<double>(weights->n_bytes),
         2.0 * kVocab * kHidden * static_cast<double>(state.range(0)));
}

// The head of a model as small as the demo's at (rows, threads, k): the selection weighs as much as the
// product.
void tiny_head(benchmark::State& state, CpuPath path) {
  Backend& backend = backend_with(state.range(1), path);
  static const auto weights = random_matrix(backend, 4096, 256);
  const auto in = random_act(backend, state.range(0), 256);
  TopK top;
  time_best(state, [&] { backend.head_top_k(in->act, *weights, static_cast<int32_t>(state.range(2)), top); });
}

// `n` rows of a chain behind `first` others.
PassRows rows_at(int32_t first, int32_t n) {
  PassRows rows;
  rows.n = n;
  for (int32_t i = 0; i < n; ++i) {
    rows.position.push_back(first + i);
    rows.keys.n_contiguous.push_back(first + i + 1);
  }
  rows.cache_row = rows.position;
  rows.keys.extra_begin.assign(static_cast<size_t>(n) + 1, 0);
  return rows;
}

// One layer's attention at (rows, threads, context).
void attention(benchmark::State& state, CpuPath path) {
  Backend& backend = backend_with(state.range(1), path);
  const auto rows = static_cast<int32_t>(state.range(0)), context = static_cast<int32_t>(state.range(2));
  const auto kv = backend.make_kv(1, kHeads, context + rows);
  const Rope rope = make_rope(kHeads.head_dim, 1e6, context + rows);
  const Vector norm(kHeads.head_dim, 1.0f);
  const auto before = random_act(backend, context, kHeads.qkv_cols()),
             now = random_act(backend, rows, kHeads.qkv_cols());
  backend.norm_rope_append(before->act, {kHeads, norm, norm, 1e-6f, rope, rows_at(0, context), *kv, 0});
  const PassRows last = rows_at(context, rows);
  backend.norm_rope_append(now->act, {kHeads, norm, norm, 1e-6f, rope, last, *kv, 0});
  const auto out = backend.make_act(rows, kHeads.q_cols());
  const double seconds =
      time_best(state, [&] { backend.attention(now->act, kHeads, *kv, 0, last, out->act); });
  report(state, seconds, static_cast<double>(kv->n_bytes), 4.0 * context * kHeads.q_cols() * rows);
}

// An empty task per thread: what handing out any operation costs.
void dispatch(benchmark::State& state) {
  ThreadPool pool(static_cast<int32_t>(state.range(0)));
  for (auto _ : state)
    pool.run(pool.n_threads(), [](int64_t task, int32_t) { benchmark::DoNotOptimize(task); });
}

// One layer of a model as small as the demo's target at (rows, threads): overheads dominate here.
void tiny_layer(benchmark::State& state, CpuPath path) {
  constexpr HeadLayout kTiny{4, 2, 64};
  Backend& backend = backend_with(state.range(1), path);
  const auto rows = static_cast<int32_t>(state.range(0));
  const auto x = random_act(backend, rows, 256), y = random_act(backend, rows, 256);
  const auto qkv = random_act(backend, rows, kTiny.qkv_cols()),
             mixed = random_act(backend, rows, kTiny.q_cols());
  const auto inner = random_act(backend, rows, 768);
  const auto w_qkv = random_matrix(backend, kTiny.qkv_cols(), 256),
             w_o = random_matrix(backend, 256, kTiny.q_cols());
  const auto w_gate_up = random_matrix(backend, 1536, 256), w_down = random_matrix(backend, 256, 768);
  const auto kv = backend.make_kv(1, kTiny, 256 + rows);
  const Rope rope = make_rope(kTiny.head_dim, 1e6, 256 + rows);
  const Vector norm(256, 1.0f), head_norm(kTiny.head_dim, 1.0f);
  const PassRows chain = rows_at(256, rows);
  time_best(state, [&] {
    backend.norm_matmul(x->act, norm, 1e-6f, *w_qkv, qkv->act);
    backend.norm_rope_append(qkv->act, {kTiny, head_norm, head_norm, 1e-6f, rope, chain, *kv, 0});
    backend.attention(qkv->act, kTiny, *kv, 0, chain, mixed->act);
    backend.matmul(mixed->act, *w_o, y->act);
    backend.norm_gate_up(y->act, norm, 1e-6f, *w_gate_up, inner->act);
    backend.matmul(inner->act, *w_down, y->act);
  });
}

void register_all(int32_t n_cpus) {
  using benchmark::RegisterBenchmark;
  std::vector<int64_t> threads{1};
  if (n_cpus > 1) threads.push_back(n_cpus);
  const std::vector<int64_t> rows{1, 8, 16, 64};
  for (const CpuPath path : supported_cpu_paths()) {
    if (path == CpuPath::kPlain) continue;  // the definition, not meant to be fast
    const std::string suffix = std::string("/") + name(path);
    RegisterBenchmark(("Layers" + suffix).c_str(), layers, path)
        ->ArgsProduct({rows, threads})
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
    RegisterBenchmark(("Head" + suffix).c_str(), head, path)
        ->ArgsProduct({rows, threads, {1, 32, 256}})
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
    RegisterBenchmark(("TinyHead" + suffix).c_str(), tiny_head, path)
        ->ArgsProduct({{1, 4, 15, 64}, threads, {1, 16, 256}})
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
    RegisterBenchmark(("Attention" + suffix).c_str(), attention, path)
        ->ArgsProduct({{1, 8, 32}, threads, {512, 2048, 8192}})
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
    RegisterBenchmark(("TinyLayer" + suffix).c_str(), tiny_layer, path)
        ->ArgsProduct({{1, 4, 16, 64}, threads})
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
  }
  RegisterBenchmark("Dispatch", dispatch)
      ->ArgsProduct({threads})
      ->UseRealTime()
      ->Unit(benchmark::kNanosecond);
}

}  // namespace
}  // namespace draftscope

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  const int32_t n_cpus = draftscope::n_usable_cpus();
  for (const int32_t n_threads : {1, n_cpus}) {
    fmt::print("{} thread(s): read {:.1f} GB/s, bf16 dot product {:.0f} GFLOP/s\n", n_threads,
               draftscope::read_bandwidth(n_threads) * 1e-9, draftscope::bf16_dot_peak(n_threads) * 1e-9);
  }
  draftscope::register_all(n_cpus);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
