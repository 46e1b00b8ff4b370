#include "engine/profile.h"

#include <algorithm>
#include <chrono>
#include <cctype>
#include <utility>

#include "engine/profile_passes.h"
#include "engine/profile_replays.h"
#include "engine/spread.h"

namespace draftscope {
namespace {

double seconds_of(const std::function<void()>& work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

/// Every row count to 32, then steps of 8.
std::vector<int32_t> row_counts(int32_t max_rows) {
  std::vector<int32_t> rows;
  for (int32_t n = 1; n <= max_rows; n += n < 32 ? 1 : 8) rows.push_back(n);
  if (rows.back() != max_rows) rows.push_back(max_rows);
  return rows;
}

/// The first, the last and evenly spaced ones between: n_kept of them, but at least six.
std::vector<int32_t> thinned(const std::vector<int32_t>& rows, size_t n_kept) {
  if (n_kept >= rows.size()) return rows;
  std::vector<int32_t> kept;
  n_kept = std::max<size_t>(n_kept, 6);
  for (size_t i = 0; i < n_kept; ++i) kept.push_back(rows[i * (rows.size() - 1) / (n_kept - 1)]);
  kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
  return kept;
}

std::vector<int32_t> default_contexts(const TargetConfig& target, int32_t max_rows) {
  std::vector<int32_t> contexts;
  for (const int32_t context : {32, 256, 1024, 4096}) {
    if (context + max_rows <= target.max_positions) contexts.push_back(context);
  }
  if (contexts.empty()) contexts.push_back(1);
  return contexts;
}

const char* precision_of(const Pair& pair) { return pair.backend->precision() == Precision::kBf16 ? "bf16" : "f32"; }

/// Whether `resume` is the beginning of this very profile.
bool goes_on(const CostModel& resume, const CostModel& fresh, const std::vector<int32_t>& contexts) {
  return resume.plain_s.size() == resume.context.size() && resume.rows == fresh.rows && resume.model == fresh.model &&
         resume.machine == fresh.machine && resume.backend == fresh.backend && resume.context.size() <= contexts.size() &&
         std::equal(resume.context.begin(), resume.context.end(), contexts.begin());
}

}  // namespace

std::string profile_key(const Pair& pair) {
  const LayerConfig& layer = pair.target.config().layer;
  std::string key = fmt::format("{}-{}-{}x{}x{}-{}-{}", pair.target_name, pair.drafter_name, layer.hidden,
                                layer.intermediate, pair.target.config().n_layers, machine_name(),
                                pair.backend->describe() + " " + precision_of(pair));
  for (char& c : key) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-') c = '_';
  }
  return key;
}

namespace {

/// Axes and labels of a profile that has no measured context yet.
CostModel empty_profile(const Pair& pair, std::vector<int32_t> rows) {
  CostModel cost;
  cost.kind = CostKind::kMeasured;
  cost.label = "measured on this machine";
  cost.source = "draftscope profile";
  cost.model = pair.target_name + (pair.drafter ? " + " + pair.drafter_name : "");
  cost.machine = machine_name();
  cost.backend = fmt::format("{}, {}", pair.backend->describe(), precision_of(pair));
  cost.rows = std::move(rows);
  return cost;
}

Spread timed(int32_t n_repeats, const std::function<void()>& work) {
  work();  // warm-up
  std::vector<double> seconds(n_repeats);
  for (double& s : seconds) s = seconds_of(work);
  return spread_of(std::move(seconds));
}

/// Passes of one row until the caches are as plain decoding keeps them: behind a large pass the first took twice as long as the
/// eighth, and one of hundreds as long as the eighth (demo pair, two cores).
constexpr int32_t kPlainRun = 8;

/// Draft and verify seconds of one context, as rounds see them, and steps of plain decoding.
struct ContextTimes {
  std::vector<double> draft_s, plain_s;
  std::vector<std::vector<double>> verify_s;  // by row count
};

/// Every row count in turn, as often as asked, each pass behind a drafter block: so a round finds the caches, and a
/// burst of somebody else's work spoils one look at many points, not every look at one. Then a run of passes of one row, as
/// plain decoding makes them: its last counts. The first sweep warms up. False when `keep_going` said stop.
bool measure_sweeps(ProfilePasses& passes, bool has_drafter, int32_t n_repeats, const std::vector<int32_t>& rows,
                    ContextTimes& times, const std::function<bool()>& keep_going) {
  const int32_t max_nodes = rows.back() - 1;
  times.verify_s.resize(rows.size());
  for (int32_t sweep = 0; sweep <= n_repeats; ++sweep) {
    for (size_t r = 0; r < rows.size(); ++r) {
      if (!keep_going()) return false;
      const double draft_s = has_drafter ? seconds_of([&] { passes.draft(max_nodes); }) : 0;
      if (sweep == 0 && r == 0) passes.grow(max_nodes);
      const double verify_s = seconds_of([&] { passes.verify(std::min(rows[r] - 1, passes.n_nodes())); });
      if (sweep == 0) continue;
      times.draft_s.push_back(draft_s);
      times.verify_s[r].push_back(verify_s);
    }
    if (!keep_going()) return false;
    double plain_s = 0;
    for (int32_t i = 0; i < kPlainRun; ++i) plain_s = seconds_of([&] { passes.verify(0); });
    if (sweep > 0) times.plain_s.push_back(plain_s);
  }
  return true;
}

/// The same sweeps as one context's costs.
std::optional<ContextCost> sweep_context(ProfilePasses& passes, bool has_drafter, int32_t n_repeats,
                                         const std::vector<int32_t>& rows, const std::function<bool()>& keep_going) {
  ContextTimes times;
  if (!measure_sweeps(passes, has_drafter, n_repeats, rows, times, keep_going)) return std::nullopt;
  ContextCost cost;
  cost.draft_s = spread_of(std::move(times.draft_s)).median_s;
  for (std::vector<double>& seconds : times.verify_s) {
    const Spread spread = spread_of(std::move(seconds));
    cost.verify_s.push_back(spread.median_s);
    cost.spread_s.push_back(spread.half_iqr_s);
  }
  cost.plain_s = spread_of(std::move(times.plain_s)).median_s;
  return cost;
}

/// Appends one context's row to `cost`, of caches already that long; false when `keep_going` said stop.
bool measure_context(const Pair& pair, ProfilePasses& passes, int32_t context, int32_t n_repeats, CostModel& cost,
                     const std::function<bool()>& keep_going) {
  const int32_t max_nodes = cost.rows.back() - 1;
  const bool replays = pair.backend->has_round_loop();
  std::optional<ContextCost> found =
      (replays ? replay_context : sweep_context)(passes, pair.drafter.has_value(), n_repeats, cost.rows, keep_going);
  if (!found) return false;
  std::optional<double> overhead_s;
  if (replays) overhead_s = round_overhead_s(pair, context, max_nodes, n_repeats);
  if (!overhead_s) {
    overhead_s = timed(n_repeats, [&] { passes.grow(max_nodes), passes.accept_and_compact(); }).median_s;
  }
  const double n_before = static_cast<double>(cost.context.size());
  cost.overhead_s = (cost.overhead_s * n_before + *overhead_s) / (n_before + 1);
  cost.context.push_back(context);
  cost.draft_s.push_back(found->draft_s);
  cost.plain_s.push_back(found->plain_s);
  cost.verify_s.insert(cost.verify_s.end(), found->verify_s.begin(), found->verify_s.end());
  cost.spread_s.insert(cost.spread_s.end(), found->spread_s.begin(), found->spread_s.end());
  return true;
}

Status check_options(const ProfileOptions& options, const std::vector<int32_t>& contexts, const TargetConfig& target) {
  if (options.max_rows < 2 || options.max_rows > 4097) {
    return fail("rows: expected 2 to 4097, found {}", options.max_rows);
  }
  if (options.n_repeats < 1) return fail("repeats: expected at least 1, found {}", options.n_repeats);
  for (size_t i = 0; i < contexts.size(); ++i) {
    if (contexts[i] < 1 || contexts[i] >= target.max_positions || (i > 0 && contexts[i] <= contexts[i - 1])) {
      return fail("contexts: expected ascending lengths from 1 to {}, the target's context less one, found {}",
                  target.max_positions - 1, contexts[i]);
    }
  }
  return success();
}

}  // namespace

Result<CostModel> measure_profile(const Pair& pair, const ProfileOptions& options, const CostModel& resume,
                                  const std::function<bool(const ProfileProgress&)>& progress) {
  const std::vector<int32_t> contexts =
      options.context.empty() ? default_contexts(pair.target.config(), options.max_rows) : options.context;
  if (Status ok = check_options(options, contexts, pair.target.config()); !ok) return Error{ok.error()};
  ProfilePasses passes(pair, contexts.back(), options.max_rows);
  const bool replays = pair.backend->has_round_loop();
  std::vector<int32_t> rows = replays ? bucket_edges(options.max_rows) : row_counts(options.max_rows);
  if (options.max_s > 0 && !replays) {  // a first look decides how many row counts are affordable
    passes.fill(contexts.front());
    const double draft_s = pair.drafter ? seconds_of([&] { passes.draft(options.max_rows - 1); }) : 0;
    passes.grow(options.max_rows - 1);
    const double longest_s = seconds_of([&] { passes.verify(passes.n_nodes()); });
    const double sweeps = static_cast<double>(contexts.size()) * (options.n_repeats + 1);
    rows = thinned(rows, static_cast<size_t>(options.max_s / (sweeps * (0.6 * longest_s + draft_s))));
  }
  const CostModel fresh = empty_profile(pair, std::move(rows));
  const int32_t n_rows = static_cast<int32_t>(fresh.rows.size());
  const int32_t n_per_context = replays ? n_rows : (n_rows + 1) * (options.n_repeats + 1);
  ProfileProgress state{0, n_per_context * static_cast<int32_t>(contexts.size()), goes_on(resume, fresh, contexts) ? resume : fresh};
  const size_t n_known = state.so_far.context.size();
  state.n_done = n_per_context * static_cast<int32_t>(n_known);
  for (size_t i = n_known; i < contexts.size(); ++i) {
    const auto asked = [&] { return !progress || progress(state); };
    const auto keep_going = [&] { return ++state.n_done, asked(); };
    if (!passes.fill(contexts[i], asked) ||
        !measure_context(pair, passes, contexts[i], options.n_repeats, state.so_far, keep_going)) {
      return fail("profile: stopped after {} of {} passes", state.n_done, state.n_total);
    }
  }
  if (progress) progress(state);
  return state.so_far;
}

}  // namespace draftscope
