#include "app/bench_run.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "app/options.h"
#include "engine/base/file_map.h"
#include "engine/base/json.h"
#include "engine/record/policies.h"
#include "ui/view/decoded_tokens.h"

namespace draftscope {
namespace {

void add_to(StageTimes& sum, const StageTimes& part) {
  sum.draft_ns += part.draft_ns, sum.grow_ns += part.grow_ns, sum.verify_ns += part.verify_ns;
  sum.accept_ns += part.accept_ns, sum.commit_ns += part.commit_ns;
}

/// Cut short when the person stops.
Result<LiveRun> run_one(const Pair& pair, const std::vector<int32_t>& prompt, SessionOptions options) {
  options.whole_curves = false;
  Result<Session> session = Session::start(pair, prompt, std::move(options));
  if (!session) return Error{session.error()};
  LiveRun run;
  PromptFigures& figures = run.figures;
  while (!session->done() && !interrupted()) {
    const RoundRecord round = session->round();
    add_to(figures.stages, round.took);
    ++figures.n_rounds;
    figures.n_nodes += round.decision.chosen;
    figures.expected_sum += round.decision.theta_tokens_per_s[static_cast<size_t>(round.decision.chosen)];
    ++figures.n_expected;
    run.chosen.push_back(round.decision.chosen);
  }
  session->stop();
  figures.seconds = static_cast<double>(figures.stages.total_ns()) * 1e-9;
  figures.n_tokens = decoded_tokens(session->end());
  run.output = session->output();
  return run;
}

}  // namespace

Result<std::vector<ReportPrompt>> read_prompts(const std::string& path, int32_t n_wanted) {
  Result<std::string> text = read_text(path);
  if (!text) return Error{text.error()};
  std::vector<ReportPrompt> prompts;
  std::map<std::string, int> n_of_domain;
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
    const std::string known = domain_name ? *domain_name : "all";
    prompts.push_back({fmt::format("{} {}", known, ++n_of_domain[known]), known, *words, line_number});
  }
  if (prompts.empty()) return fail("{}: expected one JSON object with a prompt per line, found none", path);
  return prompts;
}

std::vector<BenchPolicy> bench_policies(std::span<const Method> methods, std::span<const int32_t> fixed,
                                        const BudgetRule& base, bool numbered) {
  std::vector<BenchPolicy> list;
  for (const Policy& policy : policies()) {
    const bool asked = std::find(methods.begin(), methods.end(), policy.method) != methods.end();
    if (!asked && policy.method != Method::kPlain) continue;
    std::vector<int32_t> budgets = {base.budget};
    if (policy.method == Method::kDdtree) budgets.insert(budgets.end(), fixed.begin(), fixed.end());
    std::sort(budgets.begin(), budgets.end());
    budgets.erase(std::unique(budgets.begin(), budgets.end()), budgets.end());
    for (const int32_t budget : budgets) {
      BudgetRule rule = base;
      rule.method = policy.method;
      rule.budget = budget;
      if (policy.budget == BudgetUse::kNodes) rule.max_nodes = std::max(base.max_nodes, budget);
      if (policy.method != Method::kCalibrated) rule.correction = nullptr;
      const bool shows = numbered && policy.budget == BudgetUse::kNodes;
      list.push_back({shows ? fmt::format("{} {}", name(policy.method), budget) : name(policy.method), rule});
    }
  }
  return list;
}

PolicyRow empty_row(const BenchPolicy& policy) {
  PolicyRow row;
  row.label = policy.label;
  row.method = policy.rule.method;
  switch (policy_of(row.method).budget) {
    case BudgetUse::kNodes: row.budget = policy.rule.budget; break;
    case BudgetUse::kBucketRows: row.budget = policy.rule.bucket_rows; break;
    case BudgetUse::kNone: break;
  }
  return row;
}

void count_round(PolicyRow& row, int32_t n_nodes) {
  if (static_cast<size_t>(n_nodes) >= row.chosen.size()) row.chosen.resize(static_cast<size_t>(n_nodes) + 1, 0);
  ++row.chosen[static_cast<size_t>(n_nodes)];
}

Result<std::vector<LiveRun>> run_live(const Pair& pair, const std::vector<int32_t>& prompt, const SessionOptions& base,
                                      std::span<const BenchPolicy> policies, size_t turn) {
  DS_CHECK(policies[0].rule.method == Method::kPlain);
  std::vector<LiveRun> runs(policies.size());
  std::vector<size_t> order(policies.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::rotate(order.begin(), order.begin() + static_cast<ptrdiff_t>(turn % order.size()), order.end());
  for (const size_t i : order) {
    SessionOptions one = base;
    one.rule = policies[i].rule;
    Result<LiveRun> run = run_one(pair, prompt, std::move(one));
    if (!run) return Error{run.error()};
    runs[i] = *std::move(run);
  }
  for (LiveRun& run : runs) run.figures.exact = run.output == runs[0].output;
  return runs;
}

void add_live(std::span<const LiveRun> runs, std::span<PolicyRow> rows, Signature& signature) {
  DS_CHECK(runs.size() == rows.size());
  for (size_t i = 0; i < runs.size(); ++i) {
    rows[i].prompts.push_back(runs[i].figures);
    for (const int32_t n_nodes : runs[i].chosen) count_round(rows[i], n_nodes);
    for (const int32_t token : runs[i].output) signature.add(token);
  }
}

}  // namespace draftscope
