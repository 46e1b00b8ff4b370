// profile: what a round costs here, by rows and context; resumable.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "app/commands.h"
#include "app/options.h"
#include "app/profile_cache.h"
#include "app/writable.h"
#include "engine/base/file_map.h"
#include "engine/profile.h"
#include "engine/speculate/cost.h"

namespace draftscope {
namespace {

struct Options {
  ModelOptions models;
  ProfileOptions profile;
  std::string out;
  bool again = false;
};

/// What an earlier, interrupted run of the same profile left; empty when there is none.
CostModel unfinished(const std::string& path) {
  Result<std::string> text = read_text(path);
  if (!text) return {};
  Result<CostModel> cost = parse_cost_json(*text, path);
  return cost ? *std::move(cost) : CostModel{};
}

/// What was measured, at those of some row counts that were.
void print_summary(const CostModel& cost) {
  std::printf("%s, %s\n", cost.machine.c_str(), cost.backend.c_str());
  std::printf("%8s  %9s  %9s", "context", "draft ms", "plain ms");
  std::vector<size_t> shown;
  for (const int32_t rows : {1, 2, 4, 8, 16, 32, 64, 128, 256}) {
    const auto place = std::ranges::find(cost.rows, rows);
    if (place == cost.rows.end()) continue;
    shown.push_back(static_cast<size_t>(place - cost.rows.begin()));
    std::printf("  %4d rows", rows);
  }
  std::printf("   (verify ms, median)\n");
  for (size_t c = 0; c < cost.context.size(); ++c) {
    std::printf("%8d  %9.3f  %9.3f", cost.context[c], cost.draft_s[c] * 1e3, cost.plain_s[c] * 1e3);
    for (const size_t r : shown) std::printf("  %9.3f", cost.verify_s[c * cost.rows.size() + r] * 1e3);
    std::printf("\n");
  }
  std::printf("tree, acceptance and compaction: %.3f ms a round\n", cost.overhead_s * 1e3);
}

/// Where the profile goes, or why it cannot.
Result<std::string> place_of(const Options& options, const Pair& pair) {
  const std::string path = options.out.empty() ? profile_path(pair) : options.out;
  if (path.empty()) return fail("--out: expected a file, as neither XDG_CACHE_HOME nor HOME is set, found none");
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (Status writable = check_writable(path); !writable) return Error{writable.error()};
  return path;
}

int profile(const Options& options) {
  catch_interrupts();
  Result<Pair> pair = open_models(options.models);
  if (!pair) return report(pair.error());
  Result<std::string> path = place_of(options, *pair);
  if (!path) return report(path.error());
  const std::string half = *path + ".unfinished";
  size_t n_saved = 0;
  const auto progress = [&](const ProfileProgress& state) {
    show_progress("profile", state.n_done, state.n_total);
    if (state.so_far.context.size() > n_saved) {
      n_saved = state.so_far.context.size();
      if (Status saved = save_cost(state.so_far, half); !saved) std::fprintf(stderr, "draftscope: %s\n", saved.error().c_str());
    }
    return !interrupted();
  };
  Result<CostModel> cost = measure_profile(*pair, options.profile, options.again ? CostModel{} : unfinished(half), progress);
  if (!cost) return interrupted() ? kInterruptedStatus : report(cost.error());
  print_summary(*cost);
  if (Status saved = save_cost(*cost, *path); !saved) return report(saved.error());
  std::remove(half.c_str());
  std::printf("saved: %s\n", path->c_str());
  return 0;
}

}  // namespace

Run bind_profile(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_model_options(app, options->models);
  app.add_option("--contexts", options->profile.context, "cached tokens to measure at, ascending")->delimiter(',');
  app.add_option("--max-rows", options->profile.max_rows, "largest pass; every row count to 32, then steps of 8")
      ->check(CLI::Range(2, 4097))->capture_default_str();
  app.add_option("--repeats", options->profile.n_repeats, "timed passes per point; the median counts")
      ->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("-o,--out", options->out, "file to write; default: the cache, where the other commands find it")
      ->type_name("FILE");
  app.add_flag("--again", options->again, "forget what an interrupted run left");
  return [options] { return profile(*options); };
}

}  // namespace draftscope
