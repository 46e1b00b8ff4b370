// Whole passes of a Qwen3 target: verifying n rows with the most likely token of each, and plain decoding.
//
//   ds_bench_qwen3 --model DIR --rows 1,64 --context 0,512 --json FILE
//
// The model may be random (tests/bench/peer/make_random_qwen3.py): no text is read or written. Weights
// streamed per second stand beside the read bandwidth measured in the same run, memory beside weights and
// caches.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "engine/model/pair.h"
#include "engine/model/target.h"
#include "engine/speculate/ancestors.h"
#include "kernels/cpu/cpu_backend.h"
#include "tests/bench/machine_ceilings.h"
#include "tests/bench/timed_backend.h"

namespace draftscope {
namespace {

constexpr int32_t kChunk = 128;  // rows of a pass that fills the cache

struct Options {
  std::string model, json;
  std::vector<int32_t> rows{1, 2, 4, 8, 16, 32, 64}, contexts{0, 512};
  int32_t n_repeats = 7, n_threads = 0, n_decode_tokens = 32;
  bool tree = false;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/// A chain, or a binary tree in breadth-first order.
DraftTree make_tree(int32_t rows, bool binary) {
  DraftTree tree;
  for (int32_t i = 0; i < rows; ++i) {
    const int32_t parent = i == 0 ? -1 : binary ? (i - 1) / 2 : i - 1;
    tree.token.push_back(0);
    tree.parent.push_back(parent);
    tree.depth.push_back(i == 0 ? 0 : tree.depth[parent] + 1);
    tree.rank.push_back(binary && i > 0 ? (i - 1) % 2 : 0);
    tree.path_log_q.push_back(-i);
  }
  return tree;
}

/// One session's memory and the passes on it.
class Passes {
 public:
  Passes(const Target& target, int32_t capacity, int32_t max_rows)
      : target_(target), kv_(target.make_kv(capacity)), work_(target.make_workspace(max_rows, {})) {
    const LayerConfig& layer = target.config().layer;
    rope_ = place_rope(target.backend(), layer.head_dim, layer.rope_theta, capacity);
  }

  /// Sets the cache to `context` rows.
  void fill(int32_t context) {
    kv_.length = std::min(kv_.length, context);
    while (kv_.length < context) {
      const int32_t rows = std::min(kChunk, context - kv_.length);
      forward(make_tree(rows, false));
      keep(rows);
    }
  }
  void keep(int32_t rows) {
    std::vector<int32_t> kept(rows);
    std::iota(kept.begin(), kept.end(), 0);
    kv_.keep(target_.backend(), kept);
  }
  /// Milliseconds (see now_s) of one pass over the tree's rows after the cache, answers of all rows included.
  double verify(const DraftTree& tree) {
    const bool one_thread = target_.backend().n_threads() == 1;
    const double start = now_s(one_thread);
    forward(tree);
    target_.head(work_.hidden->act.first_rows(tree.size()), 1, top_);
    return (now_s(one_thread) - start) * 1e3;
  }
  const std::vector<int32_t>& answers() const { return top_.token; }
  int64_t cache_bytes() const { return kv_.store->n_bytes; }

 private:
  void forward(const DraftTree& tree) {
    PassRows rows = tree_rows(tree, tree.size() - 1, kv_.length);
    for (int32_t i = 0; i < tree.size(); ++i) {
      rows.token[i] = static_cast<int32_t>((kv_.length + i) * int64_t{7919} % target_.config().vocab);
    }
    target_.backend().place(rows);
    target_.forward(rows, rope_, *kv_.store, work_);
  }

  const Target& target_;
  KvCache kv_;
  TargetWorkspace work_;
  PlacedRope rope_;
  TopK top_;
};

nlohmann::json time_rows(const Options& options, int32_t context, int32_t rows, Passes& passes,
                         TimedBackend& backend) {
  const DraftTree tree = make_tree(rows, options.tree);
  passes.verify(tree);  // warms up
  backend.reset();
  std::vector<double> ms;
  for (int32_t i = 0; i < options.n_repeats; ++i) ms.push_back(passes.verify(tree));
  nlohmann::json spent;
  for (const auto& [name, total_ms] : backend.spent_ms()) spent[name] = total_ms / options.n_repeats;
  return {{"context", context},
          {"rows", rows},
          {"median_ms", median(ms)},
          {"min_ms", *std::min_element(ms.begin(), ms.end())},
          {"mean_ms_per_operation", spent}};
}

nlohmann::json time_decode(const Options& options, int32_t context, Passes& passes) {
  std::vector<double> ms;
  for (int32_t i = 0; i < options.n_decode_tokens; ++i) {
    ms.push_back(passes.verify(make_tree(1, false)));
    passes.keep(1);
  }
  return {{"context", context}, {"tokens_per_s", 1e3 / median(ms)}};
}

/// Bytes behind a line such as "VmHWM:  123 kB" of this process's status; 0 where the system has no such
/// line.
int64_t status_bytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(key + ":", 0) == 0) return std::stoll(line.substr(key.size() + 1)) * 1024;
  }
  return 0;
}

/// What the process holds against what it must: packed weights and the cache. The mapped checkpoint counts in
/// the resident peak too; its pages belong to the file and the system may take them back.
nlohmann::json memory(const Target& target, const Passes& passes) {
  const int64_t needed = target.n_weight_bytes() + passes.cache_bytes();
  const int64_t peak = status_bytes("VmHWM"), anonymous = status_bytes("RssAnon"),
                mapped = status_bytes("RssFile");
  return {{"weight_bytes", target.n_weight_bytes()},
          {"cache_bytes", passes.cache_bytes()},
          {"peak_rss_bytes", peak},
          {"anonymous_rss_bytes", anonymous},
          {"mapped_file_rss_bytes", mapped},
          {"peak_over_needed", static_cast<double>(peak) / static_cast<double>(needed)},
          {"anonymous_over_needed", static_cast<double>(anonymous) / static_cast<double>(needed)}};
}

nlohmann::json measure(const Options& options, const Target& target, TimedBackend& backend) {
  const int32_t longest = *std::max_element(options.contexts.begin(), options.contexts.end());
  const int32_t widest = *std::max_element(options.rows.begin(), options.rows.end());
  Passes passes(target, longest + std::max({widest, options.n_decode_tokens, kChunk}),
                std::max(widest, kChunk));
  nlohmann::json timed = nlohmann::json::array(), decoded = timed, answers = timed;
  for (const int32_t context : options.contexts) {
    passes.fill(context);
    for (const int32_t rows : options.rows)
      timed.push_back(time_rows(options, context, rows, passes, backend));
    answers.push_back({{"context", context}, {"token", passes.answers()}});
    decoded.push_back(time_decode(options, context, passes));
  }
  const nlohmann::json held = memory(target, passes);  // before the bandwidth's buffer joins the peak
  const double read = read_bandwidth(backend.n_threads());
  for (nlohmann::json& each : decoded) {
    const double streamed = static_cast<double>(target.n_weight_bytes()) * each["tokens_per_s"].get<double>();
    each["weights_gb_per_s"] = streamed * 1e-9;
    each["of_read_bandwidth"] = streamed / read;
  }
  return {{"program", "draftscope"},
          {"machine", machine_name()},
          {"backend", backend.describe()},
          {"threads", backend.n_threads()},
          {"tree", options.tree},
          {"read_gb_per_s", read * 1e-9},
          {"passes", timed},
          {"decode", decoded},
          {"answers_of_last_pass", answers},
          {"memory", held}};
}

int stop(const std::string& sentence) {
  std::fprintf(stderr, "ds_bench_qwen3: %s\n", sentence.c_str());
  return 2;
}

int run(const Options& options) {
  Result<std::unique_ptr<Backend>> made = make_cpu_backend({.n_threads = options.n_threads});
  if (!made) return stop(made.error());
  TimedBackend backend(*std::move(made));
  Result<Target> target = Target::open(options.model, backend);
  if (!target) return stop(target.error());
  const nlohmann::json figures = measure(options, *target, backend);
  std::printf("%s\n", figures.dump(1).c_str());
  if (options.json.empty()) return 0;
  std::ofstream file(options.json);
  file << figures.dump(1) << '\n';
  if (!file.flush())
    return stop(options.json + ": expected to write the figures, found no room or no permission");
  return 0;
}

}  // namespace
}  // namespace draftscope

int main(int argc, char** argv) {
  draftscope::Options options;
  CLI::App app("Times whole passes of a Qwen3 target.");
  app.add_option("--model", options.model, "Hugging Face folder; no tokenizer needed")->required();
  app.add_option("--rows", options.rows, "rows per pass")->delimiter(',')->check(CLI::Range(1, 4096));
  app.add_option("--context", options.contexts, "cached rows")->delimiter(',')->check(CLI::Range(0, 1 << 20));
  app.add_option("--repeats", options.n_repeats, "passes per figure")->check(CLI::Range(1, 10000));
  app.add_option("--decode-tokens", options.n_decode_tokens, "tokens per figure")
      ->check(CLI::Range(1, 10000));
  app.add_option("--threads", options.n_threads, "0: as many as the affinity mask allows");
  app.add_flag("--tree", options.tree, "rows form a binary tree instead of a chain");
  app.add_option("--json", options.json, "write the figures here");
  CLI11_PARSE(app, argc, argv);
  return draftscope::run(options);
}
