#include "ui/view/cost_compare.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/record/cost_curves.h"
#include "ui/view/cost_shape.h"

namespace draftscope {
namespace {

std::string nodes(int32_t n) { return n == 1 ? "1 node" : fmt::format("{} nodes", n); }

}  // namespace

std::optional<BestBudget> best_budget(const RoundRecord& record, const CostModel& cost) {
  const std::vector<double>& tokens = record.decision.expected_tokens;
  if (tokens.empty() || record.method == Method::kPlain || !is_drawable(cost)) return std::nullopt;
  if (cost.draft_s.size() != cost.context.size()) return std::nullopt;
  if (record.shared && record.shared->n_requests > 1) return std::nullopt;  // the record lacks the others' candidates
  const std::vector<double> verify_s =
      verify_curves(cost).sample(record.context_len, 1, static_cast<int32_t>(tokens.size()));
  const Bracket place = bracket(cost.context, record.context_len);
  const double rest_s = place.blend(cost.draft_s[place.low], cost.draft_s[place.high]) + cost.overhead_s;
  BestBudget best;
  for (size_t n = 0; n < tokens.size(); ++n) {
    const double seconds = rest_s + verify_s[n];
    if (!(seconds > 0)) return std::nullopt;
    if (tokens[n] / seconds <= best.tokens_per_s) continue;
    best = {static_cast<int32_t>(n), tokens[n] / seconds};
  }
  return best;
}

double relative_price(const CostModel& cost, int32_t context_len, int32_t rows) {
  const std::vector<double> seconds = verify_curves(cost).sample(context_len, 1, rows);
  return seconds.back() / seconds.front();
}

std::vector<double> pass_seconds(const CostModel& cost, int32_t context_row, int32_t n_rows) {
  const size_t n = cost.rows.size();
  const auto begin =
      cost.verify_s.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(context_row) * n);
  return PiecewiseLinear{cost.rows, {begin, begin + static_cast<std::ptrdiff_t>(n)}}.sample(1, n_rows);
}

BudgetWords budget_words(const RoundRecord& record, const CostModel& a, const std::string& name_a,
                         const CostModel& b, const std::string& name_b) {
  const std::optional<BestBudget> best_a = best_budget(record, a), best_b = best_budget(record, b);
  if (!best_a || !best_b) return {};
  BudgetWords words;
  words.short_words = best_a->n == best_b->n ? fmt::format("best: {} under both", nodes(best_a->n))
                                             : fmt::format("best: {} ({}), {} ({})", nodes(best_a->n), name_a,
                                                           best_b->n, name_b);
  words.sentence = fmt::format(
      "Best budget of this round (derived from its expected tokens): {} and {:.1f} tokens/s under {}, {} and "
      "{:.1f} tokens/s under {}.",
      nodes(best_a->n), best_a->tokens_per_s, name_a, nodes(best_b->n), best_b->tokens_per_s, name_b);
  const int32_t rows = std::max(best_a->n, best_b->n) + 1;
  if (rows < 2) return words;
  words.why =
      fmt::format("A pass of {} rows costs as much as {:.2f} passes of one row under {}, {:.2f} under {}.",
                  rows, relative_price(a, record.context_len, rows), name_a,
                  relative_price(b, record.context_len, rows), name_b);
  return words;
}

}  // namespace draftscope
