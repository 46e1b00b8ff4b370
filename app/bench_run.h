// Bench runs: prompts, the policies with their numbers, and live runs of them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "app/report/report.h"
#include "engine/model/pair.h"
#include "engine/session.h"

namespace draftscope {

/// JSON lines with "prompt" and perhaps "domain"; the first n_wanted, or all when 0.
Result<std::vector<ReportPrompt>> read_prompts(const std::string& path, int32_t n_wanted);

/// A policy with its numbers, as it runs.
struct BenchPolicy {
  std::string label;
  BudgetRule rule;
};

/// Plain decoding, then `methods` in the order of policies(). Fixed trees run with base.budget and with every budget of
/// `fixed`; `numbered` puts budgets into labels.
std::vector<BenchPolicy> bench_policies(std::span<const Method> methods, std::span<const int32_t> fixed,
                                        const BudgetRule& base, bool numbered);

/// A row without figures.
PolicyRow empty_row(const BenchPolicy& policy);
void count_round(PolicyRow& row, int32_t n_nodes);

/// FNV-1a over the tokens of every text: the same on every run of one machine class. Trees follow measured costs and are
/// not in it.
class Signature {
 public:
  void add(int64_t value) {
    for (int i = 0; i < 8; ++i) hash_ = (hash_ ^ static_cast<uint64_t>(value >> (8 * i) & 0xff)) * 0x100000001b3u;
  }
  uint64_t value() const { return hash_; }

 private:
  uint64_t hash_ = 0xcbf29ce484222325u;
};

/// One policy on one prompt.
struct LiveRun {
  std::vector<int32_t> output;
  std::vector<int32_t> chosen;  // (n_rounds,) nodes verified
  PromptFigures figures;
};

/// Runs every policy (plain first in the list) on one prompt; in the order of `policies`. The order of the runs turns with
/// `turn`, so that none always runs on a warm machine. Cut short, and of no use, when interrupted() says so.
Result<std::vector<LiveRun>> run_live(const Pair& pair, const std::vector<int32_t>& prompt, const SessionOptions& base,
                                      std::span<const BenchPolicy> policies, size_t turn);
/// Appends the runs of one prompt to the rows of their policies.
void add_live(std::span<const LiveRun> runs, std::span<PolicyRow> rows, Signature& signature);

}  // namespace draftscope
