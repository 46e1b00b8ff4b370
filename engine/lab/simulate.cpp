#include "engine/lab/simulate.h"

#include <algorithm>
#include <span>

namespace draftscope {
namespace {

/// The cost at one context, kept while rounds stay there.
class CostHere {
 public:
  CostHere(const CostTable& table, int32_t max_nodes) : table_(table), max_nodes_(max_nodes) {}
  const RoundCost& at(int32_t context_len) {
    if (context_len != context_len_) cost_ = table_.at(context_len, max_nodes_);
    context_len_ = context_len;
    return cost_;
  }

 private:
  const CostTable& table_;
  int32_t max_nodes_, context_len_ = -1;
  RoundCost cost_;
};

// The budget of every position on the fastest way through the text: its tokens are given, so the least time to the end
// is found from the end backwards.
std::vector<int32_t> hindsight_plan(const PreparedText& text, const CostTable& table, int32_t max_nodes) {
  const auto n_tokens = static_cast<size_t>(text.n_tokens());
  std::vector<double> to_end_s(n_tokens + 1, 0.0);
  std::vector<int32_t> plan(n_tokens, 0);
  for (size_t position = n_tokens; position-- > 0;) {
    const PreparedPosition& here = text.at[position];
    const RoundCost cost = table.at(here.context_len, max_nodes);
    const int32_t last = std::min(here.n_candidates(), max_nodes);
    size_t accepted = 0;
    to_end_s[position] = cost.total_s(0) + to_end_s[position + 1];
    for (int32_t n = 1; n <= last; ++n) {
      while (accepted < here.enters.size() && here.enters[accepted] <= n) ++accepted;
      const double seconds = cost.total_s(n) + to_end_s[std::min(position + accepted + 1, n_tokens)];
      if (seconds < to_end_s[position]) to_end_s[position] = seconds, plan[position] = n;
    }
  }
  return plan;
}

}  // namespace

double SimulatedRun::tokens_per_round() const {
  return rounds.empty() ? 0 : static_cast<double>(n_tokens) / static_cast<double>(rounds.size());
}

double SimulatedRun::nodes_per_round() const {
  double nodes = 0;
  for (const SimulatedRound& round : rounds) nodes += round.chosen;
  return rounds.empty() ? 0 : nodes / static_cast<double>(rounds.size());
}

double SimulatedRun::expected_tokens_per_s() const {
  double sum = 0;
  for (const SimulatedRound& round : rounds) sum += round.expected_tokens / round.predicted_s;
  return rounds.empty() ? 0 : sum / static_cast<double>(rounds.size());
}

TreeOrder order_of(Method method) {
  switch (method) {
    case Method::kDflash: return TreeOrder::kChain;
    case Method::kSpine: return TreeOrder::kSpine;
    case Method::kCast: return TreeOrder::kEightRanks;
    default: return TreeOrder::kBestFirst;
  }
}

SimulatedRun simulate(const PreparedText& text, const CostTable& cost, const BudgetRule& asked) {
  DS_CHECK(asked.max_nodes <= text.max_nodes);
  BudgetRule rule = asked;
  SimulatedRun run{rule.method, {}, 0, 0};
  CostHere here_cost(cost, rule.max_nodes);
  std::vector<int32_t> plan;
  if (rule.method == Method::kOracle) plan = hindsight_plan(text, cost, rule.max_nodes);
  for (int32_t position = 0; position < text.n_tokens();) {
    const PreparedPosition& here = text.at[static_cast<size_t>(position)];
    const RoundCost& now = here_cost.at(here.context_len);
    const int32_t last = std::min(here.n_candidates(), rule.max_nodes);
    const int32_t room = text.n_tokens() - position - 1;  // nodes that can be accepted before the text ends
    const std::span<const double> expected = std::span(here.expected_tokens).first(static_cast<size_t>(last) + 1);
    SimulatedRound round{position, here.context_len};
    if (rule.method == Method::kCast && rule.width == 0) rule.width = cast_width(expected, now);
    if (rule.method == Method::kOracle) round.chosen = plan[static_cast<size_t>(position)];
    else if (rule.method != Method::kPlain) round.chosen = decide(expected, now, rule);
    round.accepted = std::min(here.accepted_with(round.chosen), room);
    round.expected_tokens = expected[static_cast<size_t>(round.chosen)];
    round.predicted_s = rule.method == Method::kPlain ? now.plain_s : now.total_s(round.chosen);
    run.n_tokens += round.accepted + 1;
    run.seconds += round.predicted_s;
    position += round.accepted + 1;
    run.rounds.push_back(round);
  }
  return run;
}

}  // namespace draftscope
