#include "engine/lab/answer.h"

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/lab/simulate.h"
#include "engine/record/policies.h"
#include "engine/speculate/budget.h"

namespace draftscope {
namespace {

constexpr std::array kOrders = {TreeOrder::kBestFirst, TreeOrder::kChain, TreeOrder::kSpine,
                                TreeOrder::kEightRanks};
static_assert(kOrders.size() == std::tuple_size_v<decltype(PreparedTexts::by_order)>);

BudgetRule rule_of(Method method, const PreparedTexts& texts, const LabQuestion& question) {
  BudgetRule rule;
  rule.method = method;
  rule.max_nodes = texts.text.max_nodes;
  rule.budget = std::clamp(question.budget, 0, rule.max_nodes);
  rule.bucket_rows = std::max(1, question.bucket_rows);
  if (method == Method::kCalibrated) rule.correction = texts.correction;
  return rule;
}

/// What the policy's budget was: of CAST the width that it chose for the text.
int32_t shown_budget(const BudgetRule& rule, const SimulatedRun& run) {
  if (rule.method == Method::kCast) return run.rounds.front().chosen;
  switch (policy_of(rule.method).budget) {
    case BudgetUse::kNodes:
      return rule.budget;
    case BudgetUse::kBucketRows:
      return rule.bucket_rows;
    case BudgetUse::kNone:
      return 0;
  }
  return 0;
}

LabPolicy summary(const SimulatedRun& run, int32_t budget) {
  LabPolicy out;
  out.method = run.method;
  out.budget = budget;
  out.tokens_per_s = run.tokens_per_s();
  out.tokens_per_round = run.tokens_per_round();
  out.nodes_per_round = run.nodes_per_round();
  out.seconds = run.seconds;
  out.expected_tokens_per_s = run.expected_tokens_per_s();
  out.rounds.reserve(run.rounds.size());
  for (const SimulatedRound& round : run.rounds) {
    out.rounds.push_back({round.position, round.context_len, round.chosen, round.accepted,
                          round.expected_tokens, round.predicted_s});
  }
  return out;
}

std::vector<LabPolicy> decide_all(const PreparedTexts& texts, const LabQuestion& question,
                                  const CostModel& model) {
  const CostTable cost(model);
  std::vector<LabPolicy> out;
  for (const Policy& policy : policies()) {
    const SimulatedRun run = simulate_policy(texts, question, policy.method, cost);
    out.push_back(summary(run, shown_budget(rule_of(policy.method, texts, question), run)));
  }
  return out;
}

/// 1, 2, 3, 4, 6, 8, 12, 16, ...: the powers of two and the middles between them.
int32_t next_budget(int32_t n) {
  if (n < 2) return n + 1;
  return std::has_single_bit(static_cast<uint32_t>(n)) ? n / 2 * 3 : n / 3 * 4;
}

}  // namespace

PreparedTexts prepare_all(DenseText text, std::shared_ptr<const Correction> correction) {
  DS_CHECK(!text.at.empty(), "an empty text");
  PreparedTexts out;
  for (const TreeOrder order : kOrders) out.by_order[static_cast<size_t>(order)] = prepare(text, order);
  out.corrected = correction ? prepare(text, TreeOrder::kBestFirst, *correction)
                             : out.by_order[static_cast<size_t>(TreeOrder::kBestFirst)];
  out.correction = std::move(correction);
  out.text = std::move(text);
  return out;
}

const PreparedText& prepared_for(const PreparedTexts& texts, Method method) {
  if (method == Method::kCalibrated) return texts.corrected;
  return texts.by_order[static_cast<size_t>(order_of(method))];
}

SimulatedRun simulate_policy(const PreparedTexts& texts, const LabQuestion& question, Method method,
                             const CostTable& cost) {
  return simulate(prepared_for(texts, method), cost, rule_of(method, texts, question));
}

LabReport answer(const PreparedTexts& texts, const LabQuestion& question) {
  LabReport report;
  report.question = question.number;
  report.n_tokens = texts.text.n_tokens();
  report.cost = question.cost;
  report.policies = decide_all(texts, question, question.cost);
  report.other_cost = question.other_cost;
  if (question.other_cost) report.other_policies = decide_all(texts, question, *question.other_cost);
  return report;
}

LabPolicy best_fixed(const PreparedTexts& texts, const CostModel& model) {
  const CostTable cost(model);
  const PreparedText& text = prepared_for(texts, Method::kDdtree);
  SimulatedRun best;
  int32_t budget = 0;
  for (int32_t n = 1; n <= text.max_nodes; n = next_budget(n)) {
    SimulatedRun run =
        simulate(text, cost, {.method = Method::kDdtree, .budget = n, .max_nodes = text.max_nodes});
    if (budget == 0 || run.tokens_per_s() > best.tokens_per_s()) {
      best = std::move(run);
      budget = n;
    }
  }
  return summary(best, budget);
}

}  // namespace draftscope
