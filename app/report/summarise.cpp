// From figures per prompt to sums, ratios and intervals.
#include <algorithm>
#include <functional>

#include "app/report/report.h"
#include "engine/base/check.h"

namespace draftscope {
namespace {

constexpr uint64_t kSeed = 20260602;

PolicyFigures sum_of(const PolicyRow& row, const std::function<bool(size_t prompt)>& counts) {
  PolicyFigures sum;
  double expected = 0;
  int64_t n_expected = 0;
  for (size_t i = 0; i < row.prompts.size(); ++i) {
    if (!counts(i)) continue;
    const PromptFigures& one = row.prompts[i];
    ++sum.n_prompts;
    sum.n_exact += one.exact;
    sum.n_tokens += one.n_tokens, sum.n_rounds += one.n_rounds, sum.n_nodes += one.n_nodes;
    sum.seconds += one.seconds;
    expected += one.expected_sum, n_expected += one.n_expected;
    sum.stages.draft_ns += one.stages.draft_ns, sum.stages.grow_ns += one.stages.grow_ns;
    sum.stages.verify_ns += one.stages.verify_ns, sum.stages.accept_ns += one.stages.accept_ns;
    sum.stages.commit_ns += one.stages.commit_ns;
  }
  sum.expected_tokens_per_s = n_expected > 0 ? expected / static_cast<double>(n_expected) : 0;
  return sum;
}

Interval throughput_interval(const PolicyRow& row) {
  return bootstrap_interval(row.prompts.size(), [&](std::span<const uint32_t> picks) {
    double seconds = 0;
    int64_t n_tokens = 0;
    for (const uint32_t pick : picks) seconds += row.prompts[pick].seconds, n_tokens += row.prompts[pick].n_tokens;
    return seconds > 0 ? static_cast<double>(n_tokens) / seconds : 0.0;
  }, kSeed);
}

PairedRatio ratio_of(const PolicyRow& row, const PolicyRow& reference) {
  std::vector<double> numerator, denominator;
  for (const PromptFigures& one : row.prompts) numerator.push_back(one.tokens_per_s());
  for (const PromptFigures& one : reference.prompts) denominator.push_back(one.tokens_per_s());
  return paired_ratio(numerator, denominator);
}

int32_t best_fixed_of(const ReportSection& section) {
  int32_t best = -1;
  for (size_t i = 0; i < section.policies.size(); ++i) {
    const PolicyRow& row = section.policies[i];
    if (row.method != Method::kDdtree) continue;
    if (best < 0 || row.all.tokens_per_s() > section.policies[static_cast<size_t>(best)].all.tokens_per_s()) {
      best = static_cast<int32_t>(i);
    }
  }
  return best;
}

void summarise(const Report& report, ReportSection& section) {
  for (PolicyRow& row : section.policies) {
    DS_CHECK(row.prompts.size() == report.prompts.size());
    row.all = sum_of(row, [](size_t) { return true; });
    row.tokens_per_s_interval = throughput_interval(row);
    row.domains.clear();
    for (const std::string& domain : report.domains) {
      row.domains.push_back(sum_of(row, [&](size_t i) { return report.prompts[i].domain == domain; }));
    }
  }
  section.best_fixed = best_fixed_of(section);
  for (PolicyRow& row : section.policies) {
    row.over_plain = ratio_of(row, section.policies[0]);
    if (section.best_fixed >= 0) {
      row.over_best_fixed = ratio_of(row, section.policies[static_cast<size_t>(section.best_fixed)]);
    }
  }
  const auto between = [&](Method of, Method over) -> std::optional<PairedRatio> {
    const PolicyRow *a = section.row_of(of), *b = section.row_of(over);
    if (a == nullptr || b == nullptr) return std::nullopt;
    return ratio_of(*a, *b);
  };
  section.exact_over_caddtree = between(Method::kExact, Method::kCaddtree);
  section.hindsight_over_exact = between(Method::kOracle, Method::kExact);
}

}  // namespace

const PolicyRow* ReportSection::row_of(Method method) const {
  for (const PolicyRow& row : policies) {
    if (row.method == method) return &row;
  }
  return nullptr;
}

void summarise(Report& report) {
  report.domains.clear();
  for (const ReportPrompt& prompt : report.prompts) {
    if (std::find(report.domains.begin(), report.domains.end(), prompt.domain) == report.domains.end()) {
      report.domains.push_back(prompt.domain);
    }
  }
  if (report.prompts.empty()) return;
  for (ReportSection& section : report.sections) {
    DS_CHECK(!section.policies.empty() && section.policies[0].method == Method::kPlain);
    summarise(report, section);
  }
  for (ReportSection& section : report.sections) section.conclusions = section_conclusions(report, section);
  report.conclusions = report_conclusions(report);
}

}  // namespace draftscope
