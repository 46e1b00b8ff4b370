// The report as files for other programs: CSV and JSON.
#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>

#include "app/report/report.h"

namespace draftscope {
namespace {

using nlohmann::json;

/// A field of CSV: quoted, quotes doubled.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string number_or_empty(const std::vector<double>& ratios, size_t i) {
  return i < ratios.size() && ratios[i] == ratios[i] ? fmt::format("{:.9g}", ratios[i]) : "";
}

json to_json(const Interval& interval) { return {interval.low, interval.high}; }

json to_json(const PairedRatio& paired) {
  return {{"prompts", paired.n},
          {"median", paired.median}, {"median_interval", to_json(paired.median_interval)},
          {"geometric_mean", paired.geometric_mean}, {"geometric_mean_interval", to_json(paired.geometric_mean_interval)},
          {"faster", paired.sign.wins}, {"slower", paired.sign.losses}, {"equal", paired.sign.ties},
          {"sign_test_p", paired.sign.p}};
}

json to_json(const StageTimes& stages) {
  return {{"draft", static_cast<double>(stages.draft_ns) * 1e-6}, {"grow", static_cast<double>(stages.grow_ns) * 1e-6},
          {"verify", static_cast<double>(stages.verify_ns) * 1e-6}, {"accept", static_cast<double>(stages.accept_ns) * 1e-6},
          {"commit", static_cast<double>(stages.commit_ns) * 1e-6}};
}

json to_json(const PolicyFigures& sum, bool live) {
  json out = {{"prompts", sum.n_prompts}, {"exact", sum.n_exact}, {"tokens", sum.n_tokens}, {"rounds", sum.n_rounds},
              {"nodes", sum.n_nodes}, {"seconds", sum.seconds}, {"tokens_per_s", sum.tokens_per_s()},
              {"tokens_per_round", sum.tokens_per_round()}, {"nodes_per_round", sum.nodes_per_round()},
              {"expected_tokens_per_s", sum.expected_tokens_per_s}};
  if (live) out["stage_ms"] = to_json(sum.stages);
  return out;
}

json to_json(const Report& report, const ReportSection& section, const PolicyRow& row) {
  json out = to_json(row.all, section.live);
  out["label"] = row.label;
  out["method"] = name(row.method);
  out["budget"] = row.budget;
  out["tokens_per_s_interval"] = to_json(row.tokens_per_s_interval);
  out["over_plain"] = to_json(row.over_plain);
  if (section.best_fixed >= 0) out["over_best_fixed"] = to_json(row.over_best_fixed);
  out["chosen"] = row.chosen;
  for (size_t d = 0; d < row.domains.size(); ++d) out["domains"][report.domains[d]] = to_json(row.domains[d], section.live);
  for (size_t i = 0; i < row.prompts.size(); ++i) {
    const PromptFigures& one = row.prompts[i];
    out["by_prompt"].push_back({{"prompt", report.prompts[i].name}, {"tokens", one.n_tokens}, {"rounds", one.n_rounds},
                                {"nodes", one.n_nodes}, {"seconds", one.seconds}, {"tokens_per_s", one.tokens_per_s()},
                                {"exact", one.exact}});
  }
  return out;
}

json to_json(const Report& report, const ReportSection& section) {
  json out = {{"title", section.title}, {"provenance", section.live ? "measured" : "simulated"},
              {"cost", {{"label", section.cost_label}, {"source", section.cost_source}, {"context", section.cost.context_len},
                        {"last_measured_nodes", section.cost.last_measured_nodes}, {"verify_s", section.cost.verify_s},
                        {"round_s", section.cost.round_s}}},
              {"notes", section.notes}, {"conclusions", section.conclusions}, {"policies", json::array()}};
  for (const PolicyRow& row : section.policies) out["policies"].push_back(to_json(report, section, row));
  if (section.best_fixed >= 0) out["best_fixed"] = section.policies[static_cast<size_t>(section.best_fixed)].label;
  if (section.exact_over_caddtree) out["exact_over_caddtree"] = to_json(*section.exact_over_caddtree);
  if (section.hindsight_over_exact) out["hindsight_over_exact"] = to_json(*section.hindsight_over_exact);
  if (section.margin) {
    out["expected_exact_over_caddtree"] = {{"positions", section.margin->n_positions}, {"different", section.margin->n_different},
                                           {"ratio", section.margin->ratio}, {"worst_position", section.margin->worst}};
  }
  return out;
}

}  // namespace

std::string report_csv(const Report& report) {
  std::string out = "section,provenance,cost,policy,method,budget,prompt,domain,tokens,rounds,nodes,seconds,tokens_per_s,"
                    "tokens_per_round,exact,over_plain,over_best_fixed,draft_ms,grow_ms,verify_ms,accept_ms,commit_ms\n";
  for (const ReportSection& section : report.sections) {
    for (const PolicyRow& row : section.policies) {
      for (size_t i = 0; i < row.prompts.size(); ++i) {
        const PromptFigures& one = row.prompts[i];
        const double rounds = one.n_rounds > 0 ? static_cast<double>(one.n_rounds) : 1;
        fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{},{},{},{},{},{},{:.9g},{:.9g},{:.9g},{},{},{}",
                       quoted(section.title), section.live ? "measured" : "simulated", quoted(section.cost_label),
                       quoted(row.label), name(row.method), row.budget, quoted(report.prompts[i].name),
                       quoted(report.prompts[i].domain), one.n_tokens, one.n_rounds, one.n_nodes, one.seconds, one.tokens_per_s(),
                       static_cast<double>(one.n_tokens) / rounds, one.exact ? 1 : 0, number_or_empty(row.over_plain.ratios, i),
                       number_or_empty(row.over_best_fixed.ratios, i));
        const StageTimes& took = one.stages;
        for (const int64_t ns : {took.draft_ns, took.grow_ns, took.verify_ns, took.accept_ns, took.commit_ns}) {
          out += section.live ? fmt::format(",{:.6f}", static_cast<double>(ns) * 1e-6) : ",";
        }
        out += '\n';
      }
    }
  }
  return out;
}

std::string report_json(const Report& report) {
  json out = {{"schema", "draftscope-report/1"}, {"title", report.title}, {"machine", report.machine},
              {"backend", report.backend}, {"precision", report.precision}, {"target", report.target},
              {"drafter", report.drafter}, {"note", report.note},
              {"settings", {{"temperature", report.temperature}, {"max_tokens", report.max_tokens}, {"seed", report.seed},
                            {"threads", report.n_threads}}},
              {"remarks", report.remarks}, {"conclusions", report.conclusions}, {"prompts", json::array()},
              {"sections", json::array()}};
  for (const ReportPrompt& prompt : report.prompts) {
    out["prompts"].push_back({{"name", prompt.name}, {"domain", prompt.domain}, {"text", prompt.text}});
  }
  for (const ReportSection& section : report.sections) out["sections"].push_back(to_json(report, section));
  return out.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace draftscope
