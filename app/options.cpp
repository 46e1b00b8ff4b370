#include "app/options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <new>
#include <string>
#include <system_error>
#include <typeinfo>
#include <utility>
#include <vector>

#include "app/cost_file.h"
#include "app/profile_cache.h"
#include "app/validators.h"
#include "engine/base/file_map.h"
#include "engine/record/policies.h"

namespace draftscope {
namespace fs = std::filesystem;

void add_model_options(CLI::App& app, ModelOptions& options) {
  app.add_option("--target", options.target_dir, "Qwen3 folder (default: the demo pair)")->check(not_empty())->type_name("DIR");
  app.add_option("--drafter", options.drafter_dir, "DFlash folder made for the target")->check(not_empty())->type_name("DIR");
  app.add_option("--precision", options.precision, "bf16, f32, or auto: as the weights are")
      ->check(CLI::IsMember({"auto", "bf16", "f32"}))->capture_default_str();
  app.add_option("--backend", options.backend, "cpu, cuda, or auto: a GPU if there is one")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))->capture_default_str();
  app.add_option("--numerics", options.numerics,
                 "of a GPU; invariant: text does not depend on the method; fastest: cuBLASLt where it takes less time")
      ->check(CLI::IsMember({"invariant", "fastest"}))->capture_default_str();
  app.add_option("--threads", options.n_threads, "worker threads of the CPU; 0: every core this process may use")
      ->check(CLI::Range(0, 256))->capture_default_str();
}

void add_decode_options(CLI::App& app, DecodeOptions& options) {
  add_model_options(app, options.models);
  CLI::Option* prompt = app.add_option("-p,--prompt", options.prompt, "what to answer")->check(not_empty())->type_name("TEXT");
  app.add_option("--prompt-file", options.prompt_file, "file with the prompt")->check(not_empty())->excludes(prompt)->type_name("FILE");
  add_decoding_options(app, options);
  app.add_flag("--online-cost", options.online_cost, "re-estimate the cost of passes while decoding, from the cost model");
}

void add_decoding_options(CLI::App& app, DecodeOptions& options) {
  app.add_flag("--raw", options.raw, "continue the prompt as it stands, without the chat template");
  app.add_flag("--thinking", options.thinking, "let the target think first");
  app.add_option("-m,--method", options.method, "how a round picks its tree")
      ->check(CLI::IsMember(method_words()))->capture_default_str();
  app.add_option("-b,--budget", options.budget, "nodes of a ddtree or spine tree")
      ->check(CLI::Range(1, 4096))->capture_default_str();
  app.add_option("--bucket", options.bucket_rows, "rows that passes are padded to: bastion, exact-fill")
      ->check(CLI::Range(1, 4096))->capture_default_str();
  app.add_option("--max-nodes", options.max_nodes, "no tree is larger")
      ->check(CLI::Range(1, 4096))->capture_default_str();
  app.add_option("-n,--max-tokens", options.max_tokens, "generated at most")->capture_default_str();
  app.add_flag("--ignore-end", options.ignore_end, "go on after the end of text");
  app.add_option("-t,--temperature", options.temperature, "0: always the most likely token")
      ->check(number_in(0, 100))->capture_default_str();
  app.add_option("--top-k", options.top_k, "most likely tokens to draw from; 0: all")->capture_default_str();
  app.add_option("--top-p", options.top_p, "probability mass to draw from")->capture_default_str();
  app.add_option("--seed", options.seed, "of the draws")->check(seed())->capture_default_str();
  app.add_option("--cost", options.cost_file, "cost model (JSON), the N-th where a file has several; default: this machine's profile")
      ->check(not_empty())->type_name("FILE[:N]");
  app.add_option("--correction", options.correction_file, "what calibrated corrects by (JSON); draftscope calibrate makes one")
      ->check(not_empty())->type_name("FILE");
}

int report(const std::string& sentence) {
  std::fflush(stdout);
  std::fprintf(stderr, "draftscope: %s\n", sentence.c_str());
  return 1;
}

std::string sentence_of(const std::exception& error) {
  const bool bare = typeid(error) == typeid(std::bad_alloc);
  return bare ? "out of memory: a smaller prompt, budget or max nodes may fit" : error.what();
}

bool same_file(const std::string& one, const std::string& other) {
  if (one.empty() || other.empty()) return false;
  std::error_code error;
  const fs::path first = cost_file_name(one).path, second = cost_file_name(other).path;
  if (fs::equivalent(first, second, error)) return true;
  const auto place = [&](const fs::path& path) { return fs::weakly_canonical(fs::absolute(path, error), error); };
  return place(first) == place(second);
}

Status check_output(const std::string& output, std::initializer_list<std::string> inputs) {
  for (const std::string& input : inputs) {
    if (same_file(output, input)) {
      return fail("{}: expected a file of its own for what is written, found one that is read", output);
    }
  }
  return success();
}

Result<std::string> find_asset(const std::string& relative) {
  std::error_code error;
  if (const char* chosen = std::getenv("DRAFTSCOPE_ASSETS"); chosen != nullptr && *chosen != '\0') {
    const fs::path path = fs::path(chosen) / relative;
    if (fs::exists(path, error)) return path.string();
    return fail("{}: expected the file or folder there, as DRAFTSCOPE_ASSETS says, found nothing", path.string());
  }
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  for (fs::path folder = program.parent_path(); !folder.empty(); folder = folder.parent_path()) {
    for (const fs::path& candidate : {folder / "assets" / relative, folder / "share/draftscope/assets" / relative}) {
      if (fs::exists(candidate, error)) return candidate.string();
    }
    if (folder == folder.root_path()) break;
  }
  return fail("assets/{}: expected beside the program or above it ({}), found nowhere", relative,
              program.parent_path().string());
}

Result<Pair> open_models(const ModelOptions& options) {
  PairOptions pair;
  pair.target_dir = options.target_dir;
  pair.drafter_dir = options.drafter_dir;
  if (pair.target_dir.empty() && !pair.drafter_dir.empty()) {
    return fail("--drafter {}: expected --target DIR beside it, a drafter fits one target only", pair.drafter_dir);
  }
  if (pair.target_dir.empty()) {
    Result<std::string> target = find_asset("demo/target"), drafter = find_asset("demo/drafter");
    if (!target) return Error{target.error()};
    if (!drafter) return Error{drafter.error()};
    pair.target_dir = *target;
    pair.drafter_dir = *drafter;
    pair.note = "small demo pair";
  }
  if (options.precision == "bf16") pair.precision = Precision::kBf16;
  if (options.precision == "f32") pair.precision = Precision::kF32;
  if (options.numerics == "fastest") pair.numerics = Numerics::kFastest;
  pair.cache_folder = cache_folder();
  pair.n_threads = options.n_threads;
  pair.backend = options.backend == "cpu"    ? BackendChoice::kCpu
                 : options.backend == "cuda" ? BackendChoice::kCuda
                                             : BackendChoice::kAuto;
  Result<Pair> opened = open_pair(pair);
  if (opened && !opened->backend_note.empty()) std::fprintf(stderr, "draftscope: %s\n", opened->backend_note.c_str());
  return opened;
}

std::vector<std::string> method_words() {
  std::vector<std::string> words;
  for (const Policy& policy : policies()) {
    if (policy.live) words.push_back(name(policy.method));
  }
  return words;
}

Result<Method> parse_method(const std::string& word) {
  if (const std::optional<Method> method = method_named(word); method && policy_of(*method).live) return *method;
  return fail("--method: expected one of {}, found {}", fmt::join(method_words(), ", "), word);
}

Result<std::vector<Method>> parse_methods(const std::vector<std::string>& words, bool has_correction) {
  std::vector<Method> methods;
  for (const std::string& word : words) {
    const std::optional<Method> method = method_named(word);
    if (!method) return fail("--methods: expected names as in `draftscope decode --help`, or oracle, found {}", word);
    if (*method == Method::kCalibrated && !has_correction) {
      return fail("--methods: calibrated: expected --correction FILE beside it (draftscope calibrate makes one), found none");
    }
    methods.push_back(*method);
  }
  if (!methods.empty()) return methods;
  for (const Policy& policy : policies()) {
    if (policy.method != Method::kCalibrated || has_correction) methods.push_back(policy.method);
  }
  return methods;
}

Result<std::string> read_prompt(const DecodeOptions& options) {
  if (!options.prompt.empty()) return options.prompt;
  if (!options.prompt_file.empty()) return read_text(options.prompt_file);
  if (isatty(STDIN_FILENO)) return std::string();
  return std::string(std::istreambuf_iterator<char>(std::cin), {});
}

Result<std::vector<int32_t>> encode_prompt(const Pair& pair, const std::string& prompt, bool raw, bool thinking) {
  const Result<std::string> text = raw ? Result<std::string>(prompt) : chat_prompt(pair.chat, prompt, thinking);
  if (!text) return Error{text.error()};
  return pair.tokenizer->encode(*text);
}

Result<Correction> read_correction(const std::string& path) {
  Result<std::string> text = read_text(path);
  if (!text) return Error{text.error()};
  return parse_correction_json(*text, path);
}

Result<SessionOptions> session_options(const DecodeOptions& options, const std::string& prompt) {
  Result<Method> method = parse_method(options.method);
  if (!method) return Error{method.error()};
  SessionOptions session;
  session.rule.method = *method;
  session.rule.budget = options.budget;
  session.rule.bucket_rows = options.bucket_rows;
  const bool fixed = policy_of(*method).budget == BudgetUse::kNodes;
  session.rule.max_nodes = std::max(options.max_nodes, fixed ? options.budget : 1);
  if (!options.correction_file.empty()) {
    Result<Correction> correction = read_correction(options.correction_file);
    if (!correction) return Error{correction.error()};
    session.rule.correction = std::make_shared<const Correction>(*std::move(correction));
  } else if (*method == Method::kCalibrated) {
    return fail("--method calibrated: expected --correction FILE beside it (draftscope calibrate makes one), found none");
  }
  session.max_tokens = options.max_tokens;
  session.sampling = {options.temperature, options.top_k, options.top_p, options.seed};
  session.prompt_utf8 = prompt;
  session.online_cost = options.online_cost;
  if (options.ignore_end) session.stop_ids.emplace();
  return session;
}

Result<CostModel> cost_for(const Pair& pair, const std::string& cost_file) {
  return cost_file.empty() ? cached_profile(pair) : read_cost(cost_file);
}

}  // namespace draftscope
