// Chain against trees: whole generations of a trained pair by every method that stays on the device.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <numeric>

#include "engine/profile.h"
#include "engine/record/policies.h"
#include "engine/session.h"
#include "engine/spread.h"
#include "tests/bench/gpu_figures.h"

namespace draftscope {
namespace {

struct MethodFigures {
  std::string label;
  BudgetRule rule;
  int64_t n_tokens = 0, n_rounds = 0;
  double seconds = 0;               // of whole generations, the recording of graphs included
  std::vector<double> round_s;      // wall time of every round
  int32_t n_texts = 0, n_exact = 0; // generations, and those whose text is plain decoding's
};

std::vector<MethodFigures> methods(int32_t max_nodes) {
  std::vector<MethodFigures> list;
  const auto add = [&](std::string label, Method method, int32_t budget) {
    list.push_back({std::move(label), {method, std::min(budget, max_nodes), max_nodes}, 0, 0, 0, {}, 0, 0});
  };
  add("plain", Method::kPlain, 1);
  add("dflash", Method::kDflash, 1);
  for (const int32_t budget : {16, 32, 64}) add("ddtree " + std::to_string(budget), Method::kDdtree, budget);
  add("caddtree", Method::kCaddtree, 1);
  add("exact", Method::kExact, 1);
  return list;
}

Result<Pair> open_bench_pair(const std::string& dir) {
  PairOptions options;
  options.target_dir = dir + "/target";
  options.drafter_dir = dir + (std::filesystem::exists(dir + "/drafter") ? "/drafter" : "/draft");
  options.backend = BackendChoice::kCuda;
  options.needs_tokenizer = std::filesystem::exists(options.target_dir + "/tokenizer.json");
  return open_pair(options);
}

Result<std::vector<std::vector<int32_t>>> read_prompts(const Pair& pair, const GpuBenchOptions& options) {
  Result<std::string> text = read_text(options.prompts_file);
  if (!text) return Error{text.error()};
  std::vector<std::vector<int32_t>> prompts;
  for (size_t begin = 0; begin < text->size() && prompts.size() < static_cast<size_t>(options.n_prompts);) {
    const size_t end = std::min(text->find('\n', begin), text->size());
    const nlohmann::json line = nlohmann::json::parse(text->substr(begin, end - begin), nullptr, false);
    begin = end + 1;
    if (!line.is_object() || !line.contains("prompt")) return fail("{}: expected a prompt in every line", options.prompts_file);
    const std::string words = line["prompt"].get<std::string>();
    std::vector<int32_t> tokens;
    if (pair.tokenizer) {
      const Result<std::string> prompt = chat_prompt(pair.chat, words, false);
      if (!prompt) return Error{prompt.error()};
      tokens = pair.tokenizer->encode(*prompt);
    } else {
      for (const char c : words) tokens.push_back(static_cast<unsigned char>(c) % pair.target.config().vocab);
    }
    prompts.push_back(std::move(tokens));
  }
  if (prompts.empty()) return fail("{}: expected prompts, found none", options.prompts_file);
  return prompts;
}

Result<std::vector<int32_t>> generate(const Pair& pair, const std::vector<int32_t>& prompt, const CostModel& cost,
                                      int32_t max_tokens, MethodFigures& figures) {
  SessionOptions options;
  options.rule = figures.rule;
  options.max_tokens = max_tokens;
  options.cost = cost;
  options.whole_curves = false;
  Result<Session> session = Session::start(pair, prompt, std::move(options));
  if (!session) return Error{session.error()};
  while (!session->done()) {
    const auto began = std::chrono::steady_clock::now();
    (void)session->round();
    figures.round_s.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    figures.seconds += figures.round_s.back();
    ++figures.n_rounds;
  }
  figures.n_tokens += std::max<int64_t>(0, static_cast<int64_t>(session->output().size()) - 1);  // the prefill made one
  ++figures.n_texts;
  return session->output();
}

/// Every method on every prompt, in an order that moves on from turn to turn.
Status run_all(const Pair& pair, const std::vector<std::vector<int32_t>>& prompts, const CostModel& cost,
               const GpuBenchOptions& options, std::vector<MethodFigures>& list) {
  for (size_t turn = 0; turn < static_cast<size_t>(options.n_turns) * prompts.size(); ++turn) {
    std::vector<std::vector<int32_t>> texts(list.size());
    std::vector<size_t> order(list.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::rotate(order.begin(), order.begin() + static_cast<ptrdiff_t>(turn % order.size()), order.end());
    for (const size_t i : order) {
      Result<std::vector<int32_t>> text = generate(pair, prompts[turn % prompts.size()], cost, options.max_tokens, list[i]);
      if (!text) return Error{text.error()};
      texts[i] = *std::move(text);
    }
    for (size_t i = 0; i < list.size(); ++i) list[i].n_exact += texts[i] == texts[0];
  }
  return success();
}

nlohmann::json figures_of(const MethodFigures& f) {
  const double tokens_per_round = static_cast<double>(f.n_tokens) / static_cast<double>(std::max<int64_t>(1, f.n_rounds));
  nlohmann::json found{{"method", f.label}, {"tokens", f.n_tokens},   {"rounds", f.n_rounds},
                       {"texts", f.n_texts}, {"exact", f.n_exact}, {"tokens_per_round", tokens_per_round}};
  if (f.round_s.empty()) return found;
  const double round_s = spread_of(f.round_s).median_s;
  found["tokens_per_s"] = static_cast<double>(f.n_tokens) / f.seconds;
  found["median_round_ms"] = round_s * 1e3;
  found["tokens_per_s_at_median_round"] = tokens_per_round / round_s;
  return found;
}

}  // namespace

Result<nlohmann::json> measure_methods(const GpuBenchOptions& options) {
  Result<Pair> pair = open_bench_pair(options.pair_dir);
  if (!pair) return Error{pair.error()};
  Result<std::vector<std::vector<int32_t>>> prompts = read_prompts(*pair, options);
  if (!prompts) return Error{prompts.error()};
  ProfileOptions profile;
  profile.max_rows = std::min(257, *std::max_element(options.rows.begin(), options.rows.end()) + 1);
  profile.context = {32};
  if (options.max_tokens > 64) profile.context.push_back(options.max_tokens * 4);
  profile.n_repeats = options.n_repeats;
  Result<CostModel> cost = measure_profile(*pair, profile, {}, {});
  if (!cost) return Error{cost.error()};
  std::vector<MethodFigures> list = methods(profile.max_rows - 1);
  if (Status ok = run_all(*pair, *prompts, *cost, options, list); !ok) return Error{ok.error()};
  Result<nlohmann::json> batches = measure_batches(*pair, *prompts, *cost, options);
  if (!batches) return Error{batches.error()};
  nlohmann::json found{{"pair", options.pair_dir.substr(options.pair_dir.find_last_of('/') + 1)},
                       {"prompts", prompts->size()},
                       {"max_tokens", options.max_tokens},
                       {"profile", {{"rows", cost->rows}, {"context", cost->context}, {"verify_s", cost->verify_s},
                                    {"draft_s", cost->draft_s}, {"overhead_s", cost->overhead_s}}},
                       {"rounds", measure_rounds(*pair, options)},
                       {"batches", *std::move(batches)},
                       {"methods", nlohmann::json::array()}};
  for (const MethodFigures& figures : list) found["methods"].push_back(figures_of(figures));
  return found;
}

}  // namespace draftscope
