// The GPU benchmark: passes of random weights in published shapes, rounds, and chain against trees on a trained pair.
//
//   ds_bench_gpu --json FILE [--models 0.6b,4b,8b] [--pair DIR --prompts FILE] [--launches in-order]
//
// Passes are timed as they are deployed: recorded once, replayed, by the device's events. The file is written anew after
// every part, so that what was measured before a limit or a failure is kept.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kernels/cuda/cuda_backend.h"
#include "tests/bench/gpu_figures.h"
#include "tests/bench/random_pair.h"

namespace draftscope {
namespace {

struct Options {
  GpuBenchOptions bench;
  std::vector<std::string> models{"0.6b", "4b", "8b"};
  std::string json;
  bool tiny = false, device_only = false, pair_only = false;
};

int stop(const std::string& sentence) {
  std::fprintf(stderr, "ds_bench_gpu: %s\n", sentence.c_str());
  return 1;
}

bool write(const nlohmann::json& figures, const std::string& path) {
  std::ofstream file(path);
  file << figures.dump(1) << '\n';
  return static_cast<bool>(file.flush());
}

PairShape shape_of(const std::string& word) {
  if (word == "tiny") return tiny_shape();
  return word == "0.6b" ? qwen3_0_6b() : word == "4b" ? qwen3_4b() : qwen3_8b();
}

nlohmann::json measure_model(const std::string& word, const GpuBenchOptions& options) {
  Result<std::unique_ptr<Backend>> cuda = make_cuda_backend({
      .numerics = options.numerics == "fastest" ? Numerics::kFastest : Numerics::kInvariant,
      .launches_overlap = options.launches == "overlap"});
  DS_CHECK(cuda.ok(), "{}", cuda.ok() ? "" : cuda.error());
  auto families = std::make_unique<FamilyBackend>(*std::move(cuda));
  FamilyBackend& seen = *families;
  const Pair pair = make_random_pair(shape_of(word), std::move(families));
  return measure_pair(pair, seen, options);
}

/// Sizes that an emulated device gets through.
void make_tiny(Options& options) {
  options.models = {"tiny"};
  GpuBenchOptions& bench = options.bench;
  bench.rows = {1, 2, 8};
  bench.contexts = {0, 12};
  bench.n_repeats = 2;
  bench.n_rounds = 2;
  bench.round_nodes = 7;
  bench.round_context = 10;
  bench.copy_bytes = 1 << 16;
  bench.n_prompts = bench.n_turns = 1;
  bench.max_tokens = 6;
  bench.batch_sizes = {2};
}

/// A part that fails is said and leaves a null; the others go on.
template <class Part>
bool measured(nlohmann::json& slot, const char* name, const Part& part) {
  try {
    std::printf("measuring %s\n", name);
    std::fflush(stdout);
    slot = part();
    return true;
  } catch (const std::exception& error) {
    stop(std::string(name) + ": " + error.what());
    return false;
  }
}

int run(Options options) {
  if (options.tiny) make_tiny(options);
  const Result<std::string> device = cuda_device();
  if (!device) return stop(device.error());
  if (options.device_only) return std::printf("%s\n", device->c_str()) > 0 ? 0 : 1;
  nlohmann::json figures{{"program", "ds_bench_gpu"}, {"provenance", "measured"}, {"launches", options.bench.launches},
                         {"numerics", options.bench.numerics}, {"models", nlohmann::json::array()}};
  bool whole = true;
  const auto part = [&](nlohmann::json& slot, const char* name, const auto& work) {
    whole = measured(slot, name, work) && whole;
    if (!write(figures, options.json)) whole = stop(options.json + ": expected to write the figures, found no room or no permission") == 0;
  };
  part(figures["device"], "the device", [&] { return measure_device(options.bench); });
  if (!options.bench.pair_dir.empty()) {
    part(figures["demo_pair"], "chain against trees", [&] {
      Result<nlohmann::json> found = measure_methods(options.bench);
      if (!found) throw std::runtime_error(found.error());
      return *std::move(found);
    });
  }
  if (options.pair_only) options.models.clear();
  for (const std::string& word : options.models) {
    nlohmann::json& slot = figures["models"].emplace_back();
    part(slot, word.c_str(), [&] { return measure_model(word, options.bench); });
  }
  return whole ? 0 : 1;
}

}  // namespace
}  // namespace draftscope

int main(int argc, char** argv) {
  draftscope::Options options;
  CLI::App app("Times the CUDA engine on this machine's GPU.");
  auto* json = app.add_option("--json", options.json, "where the figures go");
  auto* device = app.add_flag("--device", options.device_only, "only say which GPU there is, or why there is none");
  app.require_option(1, 0);
  json->excludes(device);
  app.add_option("--models", options.models, "shapes of random weights")->delimiter(',')->check(CLI::IsMember({"0.6b", "4b", "8b", "tiny"}));
  app.add_option("--rows", options.bench.rows, "rows per verify pass")->delimiter(',')->check(CLI::Range(1, 1024));
  app.add_option("--context", options.bench.contexts, "cached rows, ascending")->delimiter(',')->check(CLI::Range(0, 32768));
  app.add_option("--repeats", options.bench.n_repeats, "replays per figure")->check(CLI::Range(1, 10000));
  app.add_option("--launches", options.bench.launches, "of the random shapes: overlap, or in-order for comparison")
      ->check(CLI::IsMember({"overlap", "in-order"}));
  app.add_option("--numerics", options.bench.numerics, "of the random shapes: invariant, or fastest, which asks cuBLASLt as well")
      ->check(CLI::IsMember({"invariant", "fastest"}));
  app.add_option("--pair", options.bench.pair_dir, "folder of a trained pair: DIR/target and DIR/drafter");
  app.add_flag("--pair-only", options.pair_only, "no random shapes");
  app.add_option("--prompts", options.bench.prompts_file, "JSON lines, for the pair");
  app.add_flag("--tiny", options.tiny, "sizes that an emulated device gets through");
  CLI11_PARSE(app, argc, argv);
  return draftscope::run(options);
}
