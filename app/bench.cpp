// bench: policies on a set of prompts, interleaved; exactness against plain decoding; the signature line; the report.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/bench_lab.h"
#include "app/bench_run.h"
#include "app/commands.h"
#include "app/options.h"
#include "app/report/report.h"
#include "app/writable.h"
#include "engine/base/file_map.h"
#include "engine/record/policies.h"
#include "engine/start_checks.h"

namespace draftscope {
namespace {

struct Options {
  DecodeOptions decode;
  std::string prompts, out, html, csv, json;
  std::vector<std::string> methods;
  std::vector<int32_t> fixed;
  int32_t n_prompts = 0;  // 0: all
  bool simulate_only = false;

  bool wants_report() const { return !html.empty() || !csv.empty() || !json.empty() || simulate_only; }
};

constexpr int32_t kGrid[] = {2, 4, 8, 16, 32, 64, 128};  // fixed budgets of a report

/// A prompt as the models read it.
struct EncodedPrompt {
  ReportPrompt prompt;
  std::vector<int32_t> ids;
};

/// Everything that a run needs, opened and checked.
struct Bench {
  Pair pair;
  CostModel cost;
  SessionOptions base;
  std::vector<BenchPolicy> policies;
  std::optional<BenchLab> lab;
};

/// What --methods names, else every policy. Says in `remarks` what is left out.
Result<std::vector<Method>> chosen_methods(const Options& options, std::vector<std::string>& remarks) {
  const bool has_correction = !options.decode.correction_file.empty();
  Result<std::vector<Method>> methods = parse_methods(options.methods, has_correction);
  if (!methods) return methods;
  if (!options.methods.empty()) {
    for (const Method method : *methods) {
      if (policy_of(method).live || options.wants_report()) continue;
      return fail("--methods: {}: expected --report, --csv, --json or --simulate-only beside it, as it is only simulated, "
                  "found none", name(method));
    }
    remarks.push_back(fmt::format("Only the policies that were asked for: {}.", fmt::join(options.methods, ", ")));
  } else if (!has_correction) {
    remarks.push_back("The calibrated policy is left out: it needs a correction fitted on other texts, and none was given.");
  } else {
    remarks.push_back("The calibrated policy is honest only if its correction was fitted on other prompts than these.");
  }
  return methods;
}

Result<Bench> open_bench(const Options& options, std::vector<std::string>& remarks) {
  Result<std::vector<Method>> methods = chosen_methods(options, remarks);
  if (!methods) return Error{methods.error()};
  Result<SessionOptions> base = session_options(options.decode, "");
  if (!base) return Error{base.error()};
  if (base->rule.budget < 1 || base->rule.budget > 4096) {
    return fail("--budget: expected 1 to 4096 nodes, found {}", base->rule.budget);
  }
  Result<Pair> pair = open_models(options.decode.models);
  if (!pair) return Error{pair.error()};
  if (!pair->drafter) return fail("bench: expected a drafter folder (--drafter DIR), found none");
  Result<CostModel> cost = cost_for(*pair, options.decode.cost_file);
  if (!cost) return Error{cost.error()};
  base->cost = *cost;
  std::vector<int32_t> fixed = options.fixed;
  if (fixed.empty() && options.wants_report()) fixed.assign(std::begin(kGrid), std::end(kGrid));
  const std::vector<BenchPolicy> policies = bench_policies(*methods, fixed, base->rule, options.wants_report());
  Bench bench{*std::move(pair), *cost, *std::move(base), policies, std::nullopt};
  if (!options.wants_report()) return bench;
  Result<std::vector<LabCost>> costs = bench_costs(*cost);
  if (!costs) return Error{costs.error()};
  bench.lab.emplace(*std::move(costs), policies);
  return bench;
}

/// The report but for its sections and prompts.
Report described(const Bench& bench, const Options& options, std::vector<std::string> remarks) {
  Report report;
  report.title = "Draftscope: budget policies compared";
  report.machine = machine_name();
  report.backend = bench.pair.backend->describe();
  report.precision = bench.pair.backend->precision() == Precision::kBf16 ? "bf16" : "f32";
  report.target = bench.pair.target_name;
  report.drafter = bench.pair.drafter_name;
  report.note = bench.pair.note;
  report.max_tokens = options.decode.max_tokens;
  report.n_threads = options.decode.models.n_threads;
  report.temperature = options.decode.temperature;
  report.seed = options.decode.seed;
  report.remarks = std::move(remarks);
  if (options.decode.online_cost) {
    report.remarks.push_back("Live runs re-estimate the cost while they decode, so their budgets may differ from simulated ones.");
  }
  return report;
}

/// Runs the prompts until they are done or the person stops; the report has its figures then, and is not summed up yet.
Status run_prompts(Bench& bench, const Options& options, const std::vector<EncodedPrompt>& prompts, Report& report,
                   Signature& signature) {
  std::vector<BenchPolicy> live;
  ReportSection section;
  section.title = "Live runs";
  section.live = true;
  section.cost_label = bench.cost.label;
  section.cost_source = bench.cost.source;
  for (const BenchPolicy& policy : bench.policies) {
    if (options.simulate_only || !policy_of(policy.rule.method).live) continue;
    live.push_back(policy);
    section.policies.push_back(empty_row(policy));
  }
  for (size_t i = 0; i < prompts.size(); ++i) {
    show_progress("bench", static_cast<int64_t>(i), static_cast<int64_t>(prompts.size()));
    const auto& [prompt, ids] = prompts[i];
    std::vector<LiveRun> runs;
    if (!live.empty()) {
      Result<std::vector<LiveRun>> ran = run_live(bench.pair, ids, bench.base, live, i);
      if (!ran) return Error{ran.error()};
      runs = *std::move(ran);
    }
    if (interrupted()) break;  // a prompt that was cut short gives no figures
    if (bench.lab) {
      Result<bool> added = bench.lab->add(bench.pair, ids, bench.base);
      if (!added) return Error{added.error()};
      if (!*added) break;
    }
    add_live(runs, section.policies, signature);
    report.prompts.push_back(prompt);
  }
  show_progress("bench", 1, 1);
  if (report.prompts.size() < prompts.size()) {
    report.remarks.push_back(fmt::format("Interrupted after {} of {} prompts.", report.prompts.size(), prompts.size()));
  }
  if (!live.empty()) report.sections.push_back(std::move(section));
  if (!bench.lab) return success();
  for (ReportSection& simulated : std::move(*bench.lab).finish()) report.sections.push_back(std::move(simulated));
  if (!live.empty()) report.sections[0].cost = report.sections[1].cost;
  return success();
}

void print_row(const std::string& domain, const std::string& label, const PolicyFigures& sum, double median_speedup) {
  const auto ms = [&](int64_t ns) { return sum.per_round(static_cast<double>(ns) * 1e-6); };
  std::printf("%-11s %-12s %8.0f %8.2f %7.2f %7.1f %7.3f %7.3f %7.3f %7.3f %8.3f %3lld/%lld\n", domain.c_str(), label.c_str(),
              sum.tokens_per_s(), median_speedup, sum.tokens_per_round(), sum.nodes_per_round(), ms(sum.stages.draft_ns),
              ms(sum.stages.grow_ns), ms(sum.stages.verify_ns), ms(sum.stages.accept_ns + sum.stages.commit_ns),
              sum.per_round(sum.seconds * 1e3), static_cast<long long>(sum.n_exact), static_cast<long long>(sum.n_prompts));
}

/// Median over the prompts of one domain, or of all when `domain` is empty; 0 without any.
double median_speedup(const Report& report, const PolicyRow& row, const std::string& domain) {
  std::vector<double> ratios;
  for (size_t i = 0; i < report.prompts.size(); ++i) {
    const double ratio = row.over_plain.ratios[i];
    if (ratio == ratio && (domain.empty() || report.prompts[i].domain == domain)) ratios.push_back(ratio);
  }
  return ratios.empty() ? 0 : median(ratios);
}

void print_table(const Report& report, const ReportSection& section) {
  std::printf("%-11s %-12s %8s %8s %7s %7s %7s %7s %7s %7s %8s %7s\n", "domain", "method", "tokens/s", "x plain", "tok/rnd",
              "nodes", "draft", "grow", "verify", "acc+com", "ms/round", "exact");
  for (const PolicyRow& row : section.policies) print_row("all", row.label, row.all, median_speedup(report, row, ""));
  for (size_t d = 0; d < report.domains.size() && report.domains.size() > 1; ++d) {
    for (const PolicyRow& row : section.policies) {
      print_row(report.domains[d], row.label, row.domains[d], median_speedup(report, row, report.domains[d]));
    }
  }
}

void print_report(const Report& report, const std::string& signature) {
  const ReportSection& first = report.sections[0];
  std::printf("%s + %s%s on %s, %s; cost model: %s\n", report.target.c_str(), report.drafter.c_str(),
              report.note.empty() ? "" : (" (" + report.note + ")").c_str(), report.machine.c_str(), report.backend.c_str(),
              first.cost_label.c_str());
  if (!first.live) std::printf("%s\n", first.title.c_str());
  print_table(report, first);
  for (const std::string& sentence : first.conclusions) std::printf("%s\n", sentence.c_str());
  for (const std::string& sentence : report.conclusions) std::printf("%s\n", sentence.c_str());
  if (first.live) std::printf("Signature: %s\n", signature.c_str());
}

nlohmann::json figures_json(const PolicyFigures& sum, double speedup) {
  return {{"prompts", sum.n_prompts}, {"exact", sum.n_exact}, {"tokens", sum.n_tokens}, {"rounds", sum.n_rounds},
          {"tokens_per_s", sum.tokens_per_s()}, {"median_speedup_over_plain", speedup},
          {"tokens_per_round", sum.tokens_per_round()}, {"nodes_per_round", sum.nodes_per_round()},
          {"draft_ms", static_cast<double>(sum.stages.draft_ns) * 1e-6}, {"grow_ms", static_cast<double>(sum.stages.grow_ns) * 1e-6},
          {"verify_ms", static_cast<double>(sum.stages.verify_ns) * 1e-6},
          {"accept_ms", static_cast<double>(sum.stages.accept_ns) * 1e-6},
          {"commit_ms", static_cast<double>(sum.stages.commit_ns) * 1e-6}};
}

/// "bench/1": the live figures by domain and method.
std::string bench_json(const Report& report, const std::string& signature) {
  nlohmann::json domains;
  for (const PolicyRow& row : report.sections[0].policies) {
    domains["all"][row.label] = figures_json(row.all, median_speedup(report, row, ""));
    for (size_t d = 0; d < report.domains.size(); ++d) {
      domains[report.domains[d]][row.label] = figures_json(row.domains[d], median_speedup(report, row, report.domains[d]));
    }
  }
  const nlohmann::json json = {{"schema", "bench/1"}, {"machine", report.machine}, {"backend", report.backend},
                               {"precision", report.precision}, {"target", report.target}, {"drafter", report.drafter},
                               {"note", report.note}, {"cost", report.sections[0].cost_label}, {"signature", signature},
                               {"domains", domains}};
  return json.dump(1) + "\n";
}

Status write_files(const Options& options, const Report& report, const std::string& signature) {
  if (!options.out.empty()) {
    if (Status written = replace_file(options.out, bench_json(report, signature)); !written) return written;
  }
  if (!options.html.empty()) {
    if (Status written = replace_file(options.html, report_html(report)); !written) return written;
  }
  if (!options.csv.empty()) {
    if (Status written = replace_file(options.csv, report_csv(report)); !written) return written;
  }
  return options.json.empty() ? success() : replace_file(options.json, report_json(report));
}

/// Every output can be written and is neither another one nor what the run reads.
Status check_outputs(const Options& options, const std::string& prompts) {
  std::vector<std::pair<const char*, std::string>> taken = {
      {"--prompts", prompts}, {"--cost", options.decode.cost_file}, {"--correction", options.decode.correction_file}};
  const std::pair<const char*, std::string> outputs[] = {
      {"--out", options.out}, {"--report", options.html}, {"--csv", options.csv}, {"--json", options.json}};
  for (const auto& output : outputs) {
    const auto& [option, path] = output;
    if (path.empty()) continue;
    for (const auto& [other, there] : taken) {
      if (!same_file(path, there)) continue;
      return fail("{}: expected a file of its own, found {}, which is that of {} too", option, path, other);
    }
    if (Status writable = check_writable(path); !writable) return writable;
    taken.push_back(output);
  }
  return success();
}

/// Every prompt encoded, and checked as a session will check it, before the first is run.
Result<std::vector<EncodedPrompt>> encode_prompts(const Bench& bench, const Options& options,
                                                  const std::vector<ReportPrompt>& prompts, const std::string& path) {
  const SessionOptions& base = bench.base;
  std::vector<EncodedPrompt> encoded;
  for (const ReportPrompt& prompt : prompts) {
    Result<std::vector<int32_t>> ids =
        encode_prompt(bench.pair, prompt.text, options.decode.raw, options.decode.thinking);
    if (!ids) return Error{ids.error()};
    const TextOptions text{0, base.max_tokens, base.sampling, base.stop_ids, prompt.text};
    if (Status ok = check_text(bench.pair, *ids, text); !ok) return fail("{}:{}: {}", path, prompt.line, ok.error());
    encoded.push_back({prompt, *std::move(ids)});
  }
  return encoded;
}

int bench(const Options& options) {
  catch_interrupts();
  Result<std::string> path = options.prompts.empty() ? find_asset("prompts.jsonl") : Result<std::string>(options.prompts);
  if (!path) return report(path.error());
  if (Status usable = check_outputs(options, *path); !usable) return report(usable.error());
  Result<std::vector<ReportPrompt>> prompts = read_prompts(*path, options.n_prompts);
  if (!prompts) return report(prompts.error());
  std::vector<std::string> remarks;
  Result<Bench> opened = open_bench(options, remarks);
  if (!opened) return interrupted() ? kInterruptedStatus : report(opened.error());
  const Result<std::vector<EncodedPrompt>> encoded = encode_prompts(*opened, options, *prompts, *path);
  if (!encoded) return report(encoded.error());
  Report results = described(*opened, options, std::move(remarks));
  Signature signature;
  if (Status ran = run_prompts(*opened, options, *encoded, results, signature); !ran) return report(ran.error());
  if (results.prompts.empty()) return kInterruptedStatus;
  summarise(results);

  const std::string hash = fmt::format("{:016x}", signature.value());
  print_report(results, hash);
  if (Status written = write_files(options, results, hash); !written) return report(written.error());
  if (interrupted()) return kInterruptedStatus;
  for (const PolicyRow& row : results.sections[0].policies) {
    if (row.all.n_exact == row.all.n_prompts) continue;
    return report(fmt::format("{}: expected the text of plain decoding on all {} prompts, found it on {}", row.label,
                              row.all.n_prompts, row.all.n_exact));
  }
  return 0;
}

}  // namespace

Run bind_bench(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_decode_options(app, options->decode);
  for (const char* of_one_run : {"--prompt", "--prompt-file", "--method"}) app.remove_option(app.get_option(of_one_run));
  app.add_option("--prompts", options->prompts, "JSON lines with prompt and domain; default: the shipped set")->type_name("FILE");
  app.add_option("--n-prompts", options->n_prompts, "first so many only; 0: all")->capture_default_str();
  app.add_option("--methods", options->methods, "policies to compare, separated by commas; default: all")->delimiter(',');
  app.add_option("--fixed", options->fixed, "budgets of fixed trees; default with a report: 2,4,8,16,32,64,128")
      ->delimiter(',')->check(CLI::Range(1, 4096));
  CLI::Option* out = app.add_option("-o,--out", options->out, "write the live figures as JSON")->type_name("FILE");
  app.add_option("--report", options->html, "write a page with plots; simulates other cost models too")->type_name("FILE");
  app.add_option("--csv", options->csv, "write the report's figures, one row per prompt and policy")->type_name("FILE");
  app.add_option("--json", options->json, "write the whole report as JSON")->type_name("FILE");
  app.add_flag("--simulate-only", options->simulate_only, "leave the live runs out")->excludes(out);
  return [options] { return bench(*options); };
}

}  // namespace draftscope
