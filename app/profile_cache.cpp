#include "app/profile_cache.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "app/options.h"
#include "engine/base/file_map.h"
#include "engine/profile.h"
#include "engine/speculate/cost.h"

namespace draftscope {
namespace fs = std::filesystem;
namespace {

constexpr double kQuickProfile_s = 25;  // at most, about

}  // namespace

std::string cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache != '\0') return std::string(cache) + "/draftscope";
  const char* home = std::getenv("HOME");
  return home != nullptr && *home != '\0' ? std::string(home) + "/.cache/draftscope" : "";
}

std::string profile_path(const Pair& pair) {
  const std::string folder = cache_folder();
  return folder.empty() ? "" : folder + "/profiles/" + profile_key(pair) + ".json";
}

Status save_cost(const CostModel& cost, const std::string& path) { return replace_text(path, cost_json(cost) + "\n"); }

std::optional<CostModel> kept_profile(const Pair& pair) {
  const std::string path = profile_path(pair);
  std::error_code error;
  if (path.empty() || !fs::exists(path, error)) return std::nullopt;
  Result<std::string> text = read_text(path);
  Result<CostModel> cost = text ? parse_cost_json(*text, path) : Result<CostModel>(Error{text.error()});
  if (cost) return *std::move(cost);
  std::fprintf(stderr, "draftscope: %s; measuring again\n", cost.error().c_str());
  return std::nullopt;
}

std::string first_use_sentence() {
  return fmt::format("First use of this pair on this machine: what a round costs is measured once, up to about {:.0f} "
                     "seconds, because budgets are chosen by it.",
                     kQuickProfile_s);
}

Result<CostModel> measure_and_keep(const Pair& pair, const std::function<bool(const ProfileProgress&)>& progress) {
  ProfileOptions options;
  options.n_repeats = 5;
  options.max_s = kQuickProfile_s;
  Result<CostModel> cost = measure_profile(pair, options, {}, progress);
  const std::string path = profile_path(pair);
  if (!cost || path.empty()) return cost;
  if (Status saved = save_cost(*cost, path); !saved) std::fprintf(stderr, "draftscope: %s\n", saved.error().c_str());
  return cost;
}

Result<CostModel> cached_profile(const Pair& pair) {
  if (std::optional<CostModel> kept = kept_profile(pair)) return *std::move(kept);
  std::fprintf(stderr, "draftscope: %s\n", first_use_sentence().c_str());
  return measure_and_keep(pair, [](const ProfileProgress& progress) {
    show_progress("profile", progress.n_done, progress.n_total);
    return !interrupted();
  });
}

}  // namespace draftscope
