// simulate: a dense recording decided again by every policy under any cost model, without a model.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/commands.h"
#include "app/cost_file.h"
#include "app/dense_file.h"
#include "app/options.h"
#include "engine/lab/answer.h"
#include "engine/speculate/correction.h"

namespace draftscope {
namespace {

struct Options {
  std::string trace, cost_file, correction_file;
  std::vector<std::string> methods;
  int32_t budget = 64, bucket_rows = 32;
  bool json = false, rounds = false;
};

/// The cost models of --cost, all where none is chosen; else the one that the recording was made with.
Result<std::vector<CostModel>> cost_models(const Options& options, const SessionInfo& info) {
  if (options.cost_file.empty()) {
    if (Status valid = validate(info.cost); !valid) return fail("{}: {}", options.trace, valid.error());
    return std::vector<CostModel>{info.cost};
  }
  return read_costs(options.cost_file);
}

nlohmann::json json_of(const SimulatedRun& run, const CostModel& cost, bool with_rounds) {
  nlohmann::json row = {{"method", name(run.method)},
                        {"cost", cost.label},
                        {"tokens", run.n_tokens},
                        {"rounds", run.rounds.size()},
                        {"seconds", run.seconds},
                        {"tokens_per_s", run.tokens_per_s()},
                        {"expected_tokens_per_s", run.expected_tokens_per_s()},
                        {"tokens_per_round", run.tokens_per_round()},
                        {"nodes_per_round", run.nodes_per_round()},
                        {"provenance", name(Provenance::kDerived)}};
  if (!with_rounds) return row;
  for (const SimulatedRound& round : run.rounds) {
    row["per_round"].push_back({{"position", round.position}, {"context", round.context_len}, {"nodes", round.chosen},
                                {"accepted", round.accepted}, {"expected_tokens", round.expected_tokens},
                                {"seconds", round.predicted_s}});
  }
  return row;
}

void print_rounds(const SimulatedRun& run) {
  for (const SimulatedRound& round : run.rounds) {
    std::printf("    at %4d  context %5d  nodes %4d  accepted %2d  expected %6.2f  %9.3f ms\n", round.position,
                round.context_len, round.chosen, round.accepted, round.expected_tokens, round.predicted_s * 1e3);
  }
}

void print_run(const SimulatedRun& run, double plain_tokens_per_s, bool with_rounds) {
  std::printf("%-11s %10.1f %9.2fx %12.2f %11.1f %11.1f\n", name(run.method), run.tokens_per_s(),
              plain_tokens_per_s > 0 ? run.tokens_per_s() / plain_tokens_per_s : 0, run.tokens_per_round(),
              run.nodes_per_round(), run.expected_tokens_per_s());
  if (with_rounds) print_rounds(run);
}

void simulate_all(const PreparedTexts& texts, const std::vector<CostModel>& costs, const std::vector<Method>& methods,
                  const Options& options) {
  LabQuestion question;
  question.budget = options.budget;
  question.bucket_rows = options.bucket_rows;
  for (const CostModel& cost : costs) {
    const CostTable table(cost);
    const double plain = simulate_policy(texts, question, Method::kPlain, table).tokens_per_s();
    if (!options.json) {
      std::printf("%s (%s): %d tokens, times predicted by the cost model; plain counts as its %s\n", cost.label.c_str(),
                  name(cost.kind), texts.text.n_tokens(), cost.plain_s.empty() ? "pass of one row" : "measured plain step");
      std::printf("%-11s %10s %10s %12s %11s %11s\n", "method", "tokens/s", "x plain", "tokens/round", "nodes/round", "believed");
    }
    for (const Method method : methods) {
      const SimulatedRun run = simulate_policy(texts, question, method, table);
      if (options.json) std::printf("%s\n", json_of(run, cost, options.rounds).dump().c_str());
      else print_run(run, plain, options.rounds);
    }
  }
}

int simulate_command(const Options& options) {
  Result<DenseFile> file = read_dense_file(options.trace);
  if (!file) return report(file.error());
  std::shared_ptr<const Correction> correction;
  if (!options.correction_file.empty()) {
    Result<Correction> read = read_correction(options.correction_file);
    if (!read) return report(read.error());
    correction = std::make_shared<const Correction>(*std::move(read));
  }
  Result<std::vector<Method>> methods = parse_methods(options.methods, correction != nullptr);
  if (!methods) return report(methods.error());
  Result<std::vector<CostModel>> costs = cost_models(options, file->info);
  if (!costs) return report(costs.error());
  simulate_all(prepare_all(std::move(file->text), std::move(correction)), *costs, *methods, options);
  return 0;
}

}  // namespace

Run bind_simulate(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("trace", options->trace, "dense recording, made by record --dense")->type_name("FILE")->required();
  app.add_option("--cost", options->cost_file, "cost models (JSON), all or the N-th of a file; default: the recording's own")
      ->type_name("FILE[:N]");
  app.add_option("-m,--methods", options->methods, "policies to replay; default: all")->delimiter(',');
  app.add_option("-b,--budget", options->budget, "nodes of a ddtree or spine tree")->check(CLI::Range(1, 4096))->capture_default_str();
  app.add_option("--bucket", options->bucket_rows, "rows that passes are padded to: bastion, exact-fill")
      ->check(CLI::Range(1, 4096))->capture_default_str();
  app.add_option("--correction", options->correction_file, "for the calibrated policy")->type_name("FILE");
  app.add_flag("--rounds", options->rounds, "every round of every policy");
  app.add_flag("--json", options->json, "one JSON object per policy");
  return [options] { return simulate_command(*options); };
}

}  // namespace draftscope
