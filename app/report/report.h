// Report: policies compared on the same prompts, as plain data; pages, tables and files are made from it alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/report/statistics.h"
#include "engine/record/cost_model.h"
#include "engine/record/round.h"

namespace draftscope {

struct ReportPrompt {
  std::string name;    // domain and number, e.g. "math 3"
  std::string domain;
  std::string text;
  size_t line = 0;     // of its file, counted from 1
};

/// What one policy did on one prompt.
struct PromptFigures {
  int64_t n_tokens = 0;              // decoded after the prompt's own pass; the same for every exact policy
  int64_t n_rounds = 0, n_nodes = 0;
  double seconds = 0;                // measured, or by the cost model in a simulated section
  bool exact = true;                 // the text of plain decoding; always so when simulated
  double expected_sum = 0;           // of expected tokens per second over n_expected rounds (live) or positions
  int64_t n_expected = 0;
  StageTimes stages;                 // live only

  double tokens_per_s() const { return seconds > 0 ? static_cast<double>(n_tokens) / seconds : 0; }
};

/// Sums over some prompts.
struct PolicyFigures {
  int64_t n_prompts = 0, n_exact = 0, n_tokens = 0, n_rounds = 0, n_nodes = 0;
  double seconds = 0, expected_tokens_per_s = 0;
  StageTimes stages;

  double tokens_per_s() const { return seconds > 0 ? static_cast<double>(n_tokens) / seconds : 0; }
  double tokens_per_round() const { return per_round(static_cast<double>(n_tokens)); }
  double nodes_per_round() const { return per_round(static_cast<double>(n_nodes)); }
  double per_round(double sum) const { return n_rounds > 0 ? sum / static_cast<double>(n_rounds) : 0; }
};

/// A policy with its number. `prompts` and `chosen` are filled by who ran it, the rest by summarise.
struct PolicyRow {
  std::string label;                   // e.g. "ddtree 64"
  Method method = Method::kPlain;
  int32_t budget = 0;                  // 0 where the policy takes none
  std::vector<PromptFigures> prompts;  // as Report::prompts
  std::vector<int64_t> chosen;         // chosen[n]: rounds that verified n nodes

  PolicyFigures all;
  std::vector<PolicyFigures> domains;  // as Report::domains
  Interval tokens_per_s_interval;
  PairedRatio over_plain, over_best_fixed;
};

/// Exact against CaDDTree where both stand at the same place: every position of the texts.
struct ExpectedMargin {
  int64_t n_positions = 0, n_different = 0;  // positions in all, positions with different budgets
  double ratio = 1;                          // of mean expected tokens per second
  double worst = 1;                          // smallest ratio at one position; below 1 would be a bug
};

/// The round cost at one context, for the picture.
struct CostPicture {
  int32_t context_len = 0;
  int32_t last_measured_nodes = 0;           // beyond: extrapolated
  std::vector<double> verify_s, round_s, convex_s;  // (n_nodes + 1,) pass, whole round, pass as CaDDTree believes it
};

/// All policies under one cost model.
struct ReportSection {
  std::string title;
  bool live = false;                   // false: simulated on dense text, times by the cost model
  std::string cost_label, cost_source; // which cost model the policies decided by
  std::vector<std::string> notes;      // what to know before reading the figures
  std::vector<PolicyRow> policies;     // plain first
  std::optional<ExpectedMargin> margin;
  CostPicture cost;

  int32_t best_fixed = -1;             // row of the fastest fixed tree on these prompts; -1: none ran
  std::optional<PairedRatio> exact_over_caddtree, hindsight_over_exact;
  std::vector<std::string> conclusions;

  const PolicyRow* row_of(Method method) const;  // the first such row; nullptr: none
};

struct Report {
  std::string title, machine, backend, precision, target, drafter, note;
  int32_t max_tokens = 0, n_threads = 0;  // n_threads 0: every core
  float temperature = 0;
  uint64_t seed = 0;
  std::vector<std::string> remarks;    // what was left out, and why
  std::vector<ReportPrompt> prompts;
  std::vector<ReportSection> sections;

  std::vector<std::string> domains;    // from here on: summarise
  std::vector<std::string> conclusions;
};

/// Fills everything that follows from prompts and figures: sums, ratios, intervals, tests and the sentences.
void summarise(Report& report);
/// The sentences of one section and of the whole; the parts of summarise that speak. Require its numbers.
std::vector<std::string> section_conclusions(const Report& report, const ReportSection& section);
std::vector<std::string> report_conclusions(const Report& report);

/// One page without scripts and without anything from outside.
std::string report_html(const Report& report);
/// One row per section, policy and prompt, under a header row.
std::string report_csv(const Report& report);
/// Schema "draftscope-report/1".
std::string report_json(const Report& report);

}  // namespace draftscope
