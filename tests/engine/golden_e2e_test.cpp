// Whole greedy generations against the published loops: plain, DFlash, DDTree 8/32/64, CaDDTree on four cost models.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "engine/session.h"
#include "tests/engine/tested_backends.h"
#include "tests/speculate/golden_files.h"

namespace draftscope::golden {
namespace {

/// Decisions closer than this may fall either way in another float32 implementation.
constexpr double kTokenGap = 1e-4, kThetaStep = 1e-5;

struct Run {
  std::vector<int32_t> output;
  std::vector<RoundRecord> rounds;
};

Run run(const Pair& pair, const std::vector<int32_t>& prompt, SessionOptions options) {
  Session session = must(Session::start(pair, prompt, std::move(options)));
  Run result;
  while (!session.done()) result.rounds.push_back(session.round());
  result.output = session.output();
  return result;
}

/// The published curve as a cost model: C_v(n) stands at row n, taken as it is.
CostModel curve(const std::string& name) {
  const Json manifest = read_json("tree/manifest.json");
  const Json about = get(get(manifest, "cost_models"), name);
  const Tensors tensors("tree/" + text(manifest, "cost_models_file"));
  const std::vector<double> seconds = tensors.values<double>(text(about, "tensor"));
  CostModel cost;
  cost.kind = CostKind::kConvexFit;
  cost.context = wholes(about, "context_lengths");
  const int32_t length = whole(about, "curve_len");
  for (int32_t n = 1; n < length; ++n) cost.rows.push_back(n);
  for (size_t row = 0; row < cost.context.size(); ++row) {
    const auto begin = seconds.begin() + static_cast<ptrdiff_t>(row) * length;
    cost.verify_s.insert(cost.verify_s.end(), begin + 1, begin + length);
    cost.draft_s.push_back(number(about, "Cd"));
  }
  return cost;
}

/// Method, budget and cost of a recorded run's name.
SessionOptions options_of(const std::string& method, const Json& about) {
  SessionOptions options;
  options.whole_curves = false;
  if (method == "ar") options.rule = {Method::kPlain, 1, 1};
  if (method == "dflash") options.rule = {Method::kDflash, 64, 64};
  if (method.rfind("ddtree_", 0) == 0) {
    const int32_t budget = whole(about, "budget");
    options.rule = {Method::kDdtree, budget, budget};
  }
  if (method.rfind("caddtree_", 0) == 0) {
    options.rule = {Method::kCaddtree, 1, whole(about, "max_tree_budget")};
    options.cost = curve(text(about, "cost_model"));
  }
  return options;
}

double gap(const Json& round, const char* key) { return round.has(key) ? number(round, key) : 1.0; }

/// First root position whose block the published tree loop cuts: its output buffer holds the text, the budget and
/// one more token, a block that would pass its end loses slots, and the loop then reads the drafts one slot early.
int32_t first_cut_root(const Json& about, const Json& method) {
  if (!method.has("budget")) return INT32_MAX;
  const int32_t length = static_cast<int32_t>(get(about, "prompt_ids").size()) + whole(about, "max_new_tokens");
  return length + whole(method, "budget") + 1 - whole(about, "block_size") + 1;
}

/// Another implementation may decide differently here.
bool within_rounding(const Json& round) {
  return gap(round, "min_draft_gap") < kTokenGap || gap(round, "min_target_gap_on_path") < kTokenGap ||
         gap(round, "min_log_weight_gap_between_pops") < kTokenGap || gap(round, "min_rel_theta_step") < kThetaStep;
}

bool same_round(const RoundRecord& found, const Json& expected) {
  const int32_t n = found.decision.chosen;
  std::vector<int32_t> tokens(found.tree.token.begin() + 1, found.tree.token.begin() + 1 + n);
  const bool is_tree = expected.has("node_token_ids");
  const std::vector<int32_t> drafted = wholes(expected, is_tree ? "node_token_ids" : "draft_tokens");
  if (tokens != drafted || static_cast<int32_t>(found.accepted.path.size()) != whole(expected, "accepted_length")) return false;
  if (!is_tree) return true;
  const std::vector<int32_t> parents(found.tree.parent.begin(), found.tree.parent.begin() + n + 1);
  return parents == wholes(expected, "parents") && found.accepted.path == wholes(expected, "accepted_indices") &&
         found.accepted.bonus == whole(expected, "bonus_token");
}

/// Rounds agree one by one until one was within rounding; returns how many were compared.
size_t check_rounds(const Run& found, const Json& rounds, int32_t first_cut) {
  // The published loop runs until the root passes the last token: at most one round more than ours.
  EXPECT_LE(found.rounds.size(), rounds.size());
  for (size_t i = 0; i < std::min(found.rounds.size(), rounds.size()); ++i) {
    if (same_round(found.rounds[i], rounds.at(i))) {
      EXPECT_EQ(found.rounds[i].context_len, whole(rounds.at(i), "start"));
      continue;
    }
    EXPECT_TRUE(within_rounding(rounds.at(i)) || whole(rounds.at(i), "start") >= first_cut) << "round " << i << " differs, and its gaps are not within rounding: nodes "
        << testing::PrintToString(found.rounds[i].tree.token) << ", path "
        << testing::PrintToString(found.rounds[i].accepted.path);
    return i;
  }
  EXPECT_GE(found.rounds.size() + 1, rounds.size());
  return found.rounds.size();
}

/// Generated part of the recorded output: the published loops delete the mask token from it.
std::vector<int32_t> expected_output(const Json& about, const std::vector<int32_t>& prompt) {
  const std::vector<int32_t> ids = wholes(get(get(about, "methods"), "ar"), "output_ids");
  return {ids.begin() + static_cast<ptrdiff_t>(prompt.size()), ids.end()};
}

void check_prompt(const std::string& file, size_t& n_rounds) {
  const Json about = read_json("e2e/" + file);
  PairOptions models;
  models.target_dir = path_of("e2e/" + text(about, "target_dir"));
  models.drafter_dir = path_of("e2e/" + text(about, "draft_dir"));
  models.precision = Precision::kF32;
  models.backend = tested_choice();
  models.needs_tokenizer = false;
  const Pair pair = must(open_pair(models));
  const std::vector<int32_t> prompt = wholes(about, "prompt_ids");
  std::vector<int32_t> stops;
  if (about.has("stop_token_ids")) stops = wholes(about, "stop_token_ids");
  const std::vector<int32_t> expected = expected_output(about, prompt);

  get(about, "methods").each([&](const std::string& method, const Json& reference) {
    SCOPED_TRACE(file + " " + method);
    SessionOptions options = options_of(method, reference);
    options.max_tokens = whole(about, "max_new_tokens");
    options.block_size = whole(about, "block_size");
    options.stop_ids = stops;
    const Run found = run(pair, prompt, std::move(options));
    std::vector<int32_t> output = found.output;
    // We leave the end of text out, the published loops keep it.
    if (output.size() + 1 == expected.size() && std::find(stops.begin(), stops.end(), expected.back()) != stops.end()) {
      output.push_back(expected.back());
    }
    EXPECT_EQ(output, expected);
    if (reference.has("rounds")) n_rounds += check_rounds(found, get(reference, "rounds"), first_cut_root(about, reference));
  });
}

TEST(GoldenE2e, GenerationsAgreeWithThePublishedLoops) {
  if (tested_backends().empty()) GTEST_SKIP() << missing_backend();
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(path_of("e2e"))) {
    const std::string file = entry.path().filename().string();
    if (entry.path().extension() == ".json" && file != "manifest.json") files.insert(file);
  }
  size_t n_rounds = 0, n_files = 0;
  for (const std::string& file : files) {
    if (n_files == static_cast<size_t>(test_share().n_golden_generations)) break;
    check_prompt(file, n_rounds);
    ++n_files;
  }
  EXPECT_GT(n_files, 0u);
  EXPECT_GT(n_rounds, n_files);
  RecordProperty("rounds_compared", static_cast<int>(n_rounds));
  std::printf("%zu generations files, %zu rounds compared one by one\n", n_files, n_rounds);
}

}  // namespace
}  // namespace draftscope::golden
