#include "tests/bench/gpu_figures.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>

#include "engine/profile_passes.h"
#include "engine/session.h"
#include "engine/spread.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/time_replays.h"

namespace draftscope {
namespace {

using cuda::DeviceBuffer;

nlohmann::json in_ms(const std::vector<double>& seconds) {
  const Spread spread = spread_of(seconds);
  return {{"median_ms", spread.median_s * 1e3}, {"half_iqr_ms", spread.half_iqr_s * 1e3}, {"n", seconds.size()}};
}

nlohmann::json joined(nlohmann::json a, const nlohmann::json& b) {
  a.update(b);
  return a;
}

/// Two children at every node, breadth first.
DraftTree binary_tree(int32_t rows, int32_t vocab) {
  DraftTree tree;
  for (int32_t i = 0; i < rows; ++i) {
    const int32_t parent = i == 0 ? -1 : (i - 1) / 2;
    tree.token.push_back(static_cast<int32_t>(static_cast<int64_t>(i) * 7919 % vocab));
    tree.parent.push_back(parent);
    tree.depth.push_back(i == 0 ? 0 : tree.depth[static_cast<size_t>(parent)] + 1);
    tree.rank.push_back(i == 0 ? 0 : (i - 1) % 2);
    tree.path_log_q.push_back(-i);
  }
  return tree;
}

int64_t kv_bytes_per_token(const Pair& pair) {
  const KvCache one_row = pair.target.make_kv(1);
  return one_row.store->n_bytes;
}

nlohmann::json measure_families(ProfilePasses& passes, FamilyBackend& families, int32_t rows, int32_t n_repeats) {
  nlohmann::json ms;
  for (const auto& [family, name] : kFamilies) {
    families.keep_only(family);
    ms[name] = spread_of(passes.replay_verify(rows - 1, n_repeats)).median_s * 1e3;
  }
  families.keep_only(Family::kAll);
  return ms;
}

}  // namespace

nlohmann::json measure_device(const GpuBenchOptions& options) {
  cudaDeviceProp device = {};
  int driver = 0, runtime = 0;
  CUDA_CHECK(cudaGetDeviceProperties(&device, 0));
  CUDA_CHECK(cudaDriverGetVersion(&driver));
  CUDA_CHECK(cudaRuntimeGetVersion(&runtime));
  const auto n = static_cast<size_t>(options.copy_bytes);
  const DeviceBuffer<std::byte> from(n), to(n);
  const cuda::Stream stream = cuda::make_stream();
  CUDA_CHECK(cudaMemsetAsync(from.data(), 0x5a, n, stream.get()));
  const cuda::GraphExec copy = cuda::capture(stream.get(), [&] {
    CUDA_CHECK(cudaMemcpyAsync(to.data(), from.data(), n, cudaMemcpyDeviceToDevice, stream.get()));
  });
  const Spread spread = spread_of(cuda::time_replays(copy.get(), options.n_repeats, stream.get()));
  return {{"name", std::string(device.name)},
          {"compute_capability", std::to_string(device.major) + "." + std::to_string(device.minor)},
          {"multiprocessors", device.multiProcessorCount},
          {"memory_bytes", device.totalGlobalMem},
          {"driver_cuda", driver},
          {"runtime_cuda", runtime},
          {"copy_bytes_per_s", 2.0 * static_cast<double>(n) / spread.median_s}};
}

nlohmann::json measure_pair(const Pair& pair, FamilyBackend& families, const GpuBenchOptions& options) {
  const int32_t widest = *std::max_element(options.rows.begin(), options.rows.end());
  const int32_t longest = *std::max_element(options.contexts.begin(), options.contexts.end());
  nlohmann::json passed = nlohmann::json::array(), drafted = passed, by_family = passed;
  {
    ProfilePasses passes(pair, longest, widest);
    passes.use(binary_tree(widest, pair.target.config().vocab));
    for (const int32_t context : options.contexts) {
      passes.fill(context);
      const nlohmann::json at{{"context", context}};
      for (const int32_t rows : options.rows) {
        const nlohmann::json here = joined(at, {{"rows", rows}});
        passed.push_back(joined(here, in_ms(passes.replay_verify(rows - 1, options.n_repeats))));
        if (rows != 1 && rows != 64) continue;
        by_family.push_back(joined(here, {{"ms", measure_families(passes, families, rows, options.n_repeats)}}));
      }
      drafted.push_back(joined(at, in_ms(passes.replay_draft(widest - 1, options.n_repeats))));
    }
  }
  return {{"name", pair.target_name},
          {"weight_bytes", pair.target.n_weight_bytes()},
          {"drafter_weight_bytes", pair.drafter->n_weight_bytes()},
          {"kv_bytes_per_token", kv_bytes_per_token(pair)},
          {"passes", passed},
          {"drafter", drafted},
          {"families", by_family},
          {"rounds", measure_rounds(pair, options)}};
}

nlohmann::json measure_rounds(const Pair& pair, const GpuBenchOptions& options) {
  constexpr int32_t kWarmUp = 6;  // sizes are met, then recorded, before rounds are counted
  std::vector<int32_t> prompt(static_cast<size_t>(options.round_context));
  for (size_t i = 0; i < prompt.size(); ++i) {
    prompt[i] = static_cast<int32_t>(static_cast<int64_t>(i) * 7919 % (pair.target.config().vocab - 8));
  }
  SessionOptions session_options;
  session_options.rule = {Method::kDdtree, options.round_nodes, options.round_nodes};
  session_options.max_tokens = (options.n_rounds + kWarmUp) * 16;
  session_options.stop_ids.emplace();
  session_options.whole_curves = false;
  Result<Session> session = Session::start(pair, prompt, std::move(session_options));
  DS_CHECK(session.ok(), "{}", session.ok() ? "" : session.error());
  std::vector<double> draft, verify, overhead, wall, host;
  for (int32_t i = 0; i < options.n_rounds + kWarmUp && !session->done(); ++i) {
    const auto began = std::chrono::steady_clock::now();
    const StageTimes took = session->round().took;
    const double wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    if (i < kWarmUp) continue;
    draft.push_back(static_cast<double>(took.draft_ns) * 1e-9);
    verify.push_back(static_cast<double>(took.verify_ns) * 1e-9);
    overhead.push_back(static_cast<double>(took.grow_ns + took.accept_ns + took.commit_ns) * 1e-9);
    wall.push_back(wall_s);
    host.push_back(wall_s - static_cast<double>(took.total_ns()) * 1e-9);
  }
  if (wall.empty()) return nullptr;
  return {{"backend", session->info().backend},
          {"tree_nodes", options.round_nodes},
          {"context", options.round_context},
          {"draft", in_ms(draft)},
          {"verify", in_ms(verify)},
          {"grow_accept_commit", in_ms(overhead)},
          {"wall", in_ms(wall)},
          {"wall_less_device_stages", in_ms(host)}};
}

}  // namespace draftscope
