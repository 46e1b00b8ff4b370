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

/// Runs every policy (plain first in the list) on one prompt and appends its figures to its row, `rows` as `policies`.
/// The order turns with `turn`, so that none always runs on a warm machine.
Status run_live(const Pair& pair, const std::vector<int32_t>& prompt, const SessionOptions& base,
                std::span<const BenchPolicy> policies, size_t turn, std::span<PolicyRow> rows, Signature& signature);

}  // namespace draftscope
