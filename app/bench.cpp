// bench: all methods on a set of prompts, interleaved; exactness against plain decoding; the signature line.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/options.h"
#include "engine/base/json.h"
#include "engine/base/file_map.h"

namespace draftscope {
namespace {

struct Options {
  DecodeOptions decode;
  std::string prompts, out;
  int32_t n_prompts = 0;  // 0: all
};

struct Prompt {
  std::string text, domain;
};

/// What one method did on a group of prompts.
struct Tally {
  int64_t n_prompts = 0, n_exact = 0, n_tokens = 0, n_rounds = 0, n_nodes = 0, decode_ns = 0;
  StageTimes stages;
  std::vector<double> speedups;  // per prompt, against plain decoding of the same prompt

  double tokens_per_round() const { return n_rounds > 0 ? static_cast<double>(n_tokens) / static_cast<double>(n_rounds) : 0; }
  double tokens_per_s() const { return decode_ns > 0 ? static_cast<double>(n_tokens) * 1e9 / static_cast<double>(decode_ns) : 0; }
  double median_speedup() const {
    if (speedups.empty()) return 0;
    std::vector<double> sorted = speedups;
    std::nth_element(sorted.begin(), sorted.begin() + sorted.size() / 2, sorted.end());
    return sorted[sorted.size() / 2];
  }
};

/// FNV-1a over everything that was decided: the same on every run of one machine class.
class Signature {
 public:
  void add(int64_t value) {
    for (int i = 0; i < 8; ++i) hash_ = (hash_ ^ static_cast<uint64_t>(value >> (8 * i) & 0xff)) * 0x100000001b3u;
  }
  uint64_t value() const { return hash_; }

 private:
  uint64_t hash_ = 0xcbf29ce484222325u;
};

Result<std::vector<Prompt>> read_prompts(const std::string& path, int32_t n_wanted) {
  Result<std::string> text = read_text(path);
  if (!text) return Error{text.error()};
  std::vector<Prompt> prompts;
  size_t line_number = 0;
  for (size_t begin = 0; begin < text->size() && (n_wanted == 0 || static_cast<int32_t>(prompts.size()) < n_wanted);) {
    const size_t end = std::min(text->find('\n', begin), text->size());
    const std::string line = text->substr(begin, end - begin);
    begin = end + 1;
    ++line_number;
    if (line.empty()) continue;
    Result<Json> json = Json::parse(line, fmt::format("{}:{}", path, line_number));
    if (!json) return Error{json.error()};
    Result<Json> prompt = json->at("prompt");
    if (!prompt) return Error{prompt.error()};
    Result<std::string> words = prompt->as_string();
    if (!words) return Error{words.error()};
    Result<Json> domain = json->at("domain");
    Result<std::string> domain_name = domain ? domain->as_string() : Result<std::string>(std::string("all"));
    prompts.push_back({*words, domain_name ? *domain_name : "all"});
  }
  if (prompts.empty()) return fail("{}: expected one JSON object with a prompt per line, found none", path);
  return prompts;
}

struct Outcome {
  std::vector<int32_t> output;
  double tokens_per_s = 0;
};

Result<Outcome> run_one(const Pair& pair, const std::vector<int32_t>& ids, SessionOptions options, Tally& tally,
                        Signature& signature) {
  options.whole_curves = false;
  Result<Session> session = Session::start(pair, ids, std::move(options));
  if (!session) return Error{session.error()};
  const int64_t tokens_before = tally.n_tokens, ns_before = tally.decode_ns;
  while (!session->done()) {
    const RoundRecord round = session->round();
    tally.stages.draft_ns += round.took.draft_ns;
    tally.stages.grow_ns += round.took.grow_ns;
    tally.stages.verify_ns += round.took.verify_ns;
    tally.stages.accept_ns += round.took.accept_ns;
    tally.stages.commit_ns += round.took.commit_ns;
    tally.decode_ns += round.took.total_ns();
    tally.n_nodes += round.decision.chosen;
    tally.n_tokens += static_cast<int64_t>(round.accepted.path.size());
    ++tally.n_rounds;
  }
  ++tally.n_prompts;
  for (const int32_t token : session->output()) signature.add(token);
  const double seconds = static_cast<double>(tally.decode_ns - ns_before) * 1e-9;
  return Outcome{session->output(), seconds > 0 ? static_cast<double>(tally.n_tokens - tokens_before) / seconds : 0};
}

using Table = std::map<std::string, std::map<Method, Tally>>;  // by domain, "all" among them

/// Every method on one prompt; the order turns with `turn` so that none always runs on a warm machine.
Status run_prompt(const Pair& pair, const Prompt& prompt, size_t turn, const Options& options, const CostModel& cost,
                  std::map<Method, Tally>& tallies, Signature& signature) {
  Result<SessionOptions> base = session_options(options.decode, prompt.text);
  if (!base) return Error{base.error()};
  base->cost = cost;
  const std::vector<int32_t> ids = encode_prompt(pair, prompt.text, options.decode.raw, options.decode.thinking);
  std::map<Method, Outcome> outcomes;
  std::vector<Method> methods(std::begin(kAllMethods), std::end(kAllMethods));
  std::rotate(methods.begin(), methods.begin() + static_cast<ptrdiff_t>(turn % methods.size()), methods.end());
  for (const Method method : methods) {
    SessionOptions one = *base;
    one.rule.method = method;
    Result<Outcome> outcome = run_one(pair, ids, std::move(one), tallies[method], signature);
    if (!outcome) return Error{outcome.error()};
    outcomes[method] = *std::move(outcome);
  }
  const Outcome& plain = outcomes[Method::kPlain];
  for (const Method method : kAllMethods) {
    tallies[method].n_exact += outcomes[method].output == plain.output;
    if (plain.tokens_per_s > 0) tallies[method].speedups.push_back(outcomes[method].tokens_per_s / plain.tokens_per_s);
  }
  return success();
}

void add_to(Tally& sum, const Tally& part) {
  sum.n_prompts += part.n_prompts, sum.n_exact += part.n_exact, sum.n_tokens += part.n_tokens;
  sum.n_rounds += part.n_rounds, sum.n_nodes += part.n_nodes, sum.decode_ns += part.decode_ns;
  sum.stages.draft_ns += part.stages.draft_ns, sum.stages.grow_ns += part.stages.grow_ns;
  sum.stages.verify_ns += part.stages.verify_ns, sum.stages.accept_ns += part.stages.accept_ns;
  sum.stages.commit_ns += part.stages.commit_ns;
  sum.speedups.insert(sum.speedups.end(), part.speedups.begin(), part.speedups.end());
}

void print_table(const Table& table) {
  std::printf("%-11s %-9s %8s %8s %7s %7s %7s %7s %7s %7s %8s %7s\n", "domain", "method", "tokens/s", "x plain", "tok/rnd",
              "nodes", "draft", "grow", "verify", "acc+com", "ms/round", "exact");
  for (const auto& [domain, methods] : table) {
    for (const auto& [method, t] : methods) {
      const double rounds = static_cast<double>(std::max<int64_t>(1, t.n_rounds)) * 1e6;
      std::printf("%-11s %-9s %8.0f %8.2f %7.2f %7.1f %7.3f %7.3f %7.3f %7.3f %8.3f %3lld/%lld\n", domain.c_str(), name(method),
                  t.tokens_per_s(), t.median_speedup(), t.tokens_per_round(), static_cast<double>(t.n_nodes) * 1e6 / rounds,
                  static_cast<double>(t.stages.draft_ns) / rounds, static_cast<double>(t.stages.grow_ns) / rounds,
                  static_cast<double>(t.stages.verify_ns) / rounds,
                  static_cast<double>(t.stages.accept_ns + t.stages.commit_ns) / rounds,
                  static_cast<double>(t.decode_ns) / rounds, static_cast<long long>(t.n_exact),
                  static_cast<long long>(t.n_prompts));
    }
  }
}

nlohmann::json to_json(const Table& table) {
  nlohmann::json out;
  for (const auto& [domain, methods] : table) {
    for (const auto& [method, t] : methods) {
      out[domain][name(method)] = {{"prompts", t.n_prompts}, {"exact", t.n_exact}, {"tokens", t.n_tokens},
                                   {"rounds", t.n_rounds}, {"tokens_per_s", t.tokens_per_s()},
                                   {"median_speedup_over_plain", t.median_speedup()},
                                   {"tokens_per_round", t.tokens_per_round()},
                                   {"nodes_per_round", static_cast<double>(t.n_nodes) / static_cast<double>(std::max<int64_t>(1, t.n_rounds))},
                                   {"draft_ms", static_cast<double>(t.stages.draft_ns) * 1e-6},
                                   {"grow_ms", static_cast<double>(t.stages.grow_ns) * 1e-6},
                                   {"verify_ms", static_cast<double>(t.stages.verify_ns) * 1e-6},
                                   {"accept_ms", static_cast<double>(t.stages.accept_ns) * 1e-6},
                                   {"commit_ms", static_cast<double>(t.stages.commit_ns) * 1e-6}};
    }
  }
  return out;
}

Status write_json(const Pair& pair, const CostModel& cost, const Table& table, const std::string& signature,
                  const std::string& path) {
  const nlohmann::json json = {{"schema", "bench/1"}, {"machine", machine_name()}, {"backend", pair.backend->describe()},
                               {"precision", pair.backend->precision() == Precision::kBf16 ? "bf16" : "f32"},
                               {"target", pair.target_name}, {"drafter", pair.drafter_name}, {"note", pair.note},
                               {"cost", cost.label}, {"signature", signature}, {"domains", to_json(table)}};
  std::ofstream file(path);
  file << json.dump(1) << '\n';
  if (!file.flush()) return fail("{}: expected to write the results, found no room or no permission", path);
  return success();
}

int bench(const Options& options) {
  catch_interrupts();
  Result<std::string> path = options.prompts.empty() ? find_asset("prompts.jsonl") : Result<std::string>(options.prompts);
  if (!path) return report(path.error());
  Result<std::vector<Prompt>> prompts = read_prompts(*path, options.n_prompts);
  if (!prompts) return report(prompts.error());
  Result<Pair> pair = open_models(options.decode.models);
  if (!pair) return report(pair.error());
  if (!pair->drafter) return report("bench: expected a drafter folder (--drafter DIR), found none");
  Result<CostModel> cost = cost_for(*pair, options.decode.cost_file);
  if (!cost) return interrupted() ? kInterruptedStatus : report(cost.error());

  Table table;
  Signature signature;
  for (size_t i = 0; i < prompts->size() && !interrupted(); ++i) {
    show_progress("bench", static_cast<int64_t>(i), static_cast<int64_t>(prompts->size()));
    std::map<Method, Tally> tallies;
    if (Status ran = run_prompt(*pair, (*prompts)[i], i, options, *cost, tallies, signature); !ran) return report(ran.error());
    for (const auto& [method, tally] : tallies) {
      add_to(table[(*prompts)[i].domain][method], tally);
      add_to(table["all"][method], tally);
    }
  }
  show_progress("bench", 1, 1);
  std::printf("%s + %s%s on %s, %s; cost model: %s\n", pair->target_name.c_str(), pair->drafter_name.c_str(),
              pair->note.empty() ? "" : " (small demo pair)", machine_name().c_str(), pair->backend->describe().c_str(),
              cost->label.c_str());
  print_table(table);
  const std::string hash = fmt::format("{:016x}", signature.value());
  std::printf("Signature: %s\n", hash.c_str());
  if (!options.out.empty()) {
    if (Status written = write_json(*pair, *cost, table, hash, options.out); !written) return report(written.error());
  }
  if (interrupted()) return kInterruptedStatus;
  for (const auto& [method, t] : table["all"]) {
    if (t.n_exact != t.n_prompts) return report(fmt::format("{}: expected the text of plain decoding on all {} prompts, found it on {}", name(method), t.n_prompts, t.n_exact));
  }
  return 0;
}

}  // namespace

Run bind_bench(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_decode_options(app, options->decode);
  app.add_option("--prompts", options->prompts, "JSON lines with prompt and domain; default: the shipped set")->type_name("FILE");
  app.add_option("--n-prompts", options->n_prompts, "first so many only; 0: all")->capture_default_str();
  app.add_option("-o,--out", options->out, "write the figures as JSON")->type_name("FILE");
  return [options] { return bench(*options); };
}

}  // namespace draftscope
