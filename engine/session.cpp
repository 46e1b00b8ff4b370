#include "engine/session.h"

#include <algorithm>
#include <utility>

#include "engine/speculate/accept.h"
#include "engine/speculate/grow.h"
#include "engine/speculate/shared_budget.h"
#include "engine/stage_clock.h"

namespace draftscope {
namespace {

constexpr int64_t kRoundsPerFit = 8;   // a re-estimated cost model needs its fits anew: some 50 us, or 4 ms on 9,216 points

}  // namespace

// The program. Everything else in the engine serves these lines.
RoundRecord Session::round() {
  DS_CHECK(!done());
  if (on_device()) return device_round();
  RoundRecord record;
  record.context_len = memory_->target_kv.length;
  StageClock clock;

  // 1. Draft: one drafter pass gives a distribution for every position of the block.
  const Marginals q = draft();
  clock.lap(record.took.draft_ns);

  // 2. Grow: the most probable prefixes form a tree; the budget rule says how many to verify.
  const RoundCost cost = cost_here();
  Choice choice = grow(q, cost);
  clock.lap(record.took.grow_ns);

  // 3. Verify: one masked target pass answers after the root and after every node.
  record.verdict = verify(choice.tree, choice.decision.chosen);
  clock.lap(record.took.verify_ns);

  // 4. Accept: walk down while the target's token is a child; its last token is the bonus.
  record.accepted = accept(choice.tree, record.verdict.choice);
  clock.lap(record.took.accept_ns);

  // 5. Commit: keep the path's cache rows, hand its features to the drafter; the bonus is the next root.
  commit(choice.tree, record.accepted);
  if (online_cost_) learn_cost(choice.decision.chosen + 1, record);
  clock.lap(record.took.commit_ns);
  after_round_.stages_ended();

  finish_round(record, q, cost, std::move(choice));
  return record;
}

void Session::finish_round(RoundRecord& record, const Marginals& q, const RoundCost& cost, Choice choice) {
  record.method = options_.rule.method;
  record.telemetry_ns = telemetry_ns_;
  if (record.method == Method::kPlain) {
    fill_curves(choice.tree, cost, choice.decision);
  } else if (options_.whole_curves) {
    complete_curves(q, cost, options_.rule, choice);
  }
  record.predicted = predicted_times(cost, choice.decision.chosen);
  if (cost_is_guess_) record.predicted.provenance = choice.decision.provenance = Provenance::kIllustrative;
  int32_t min_ranks = kViewedRanks;
  if (options_.dense) {  // the largest tree can be grown again from the record
    const DraftTree widest = grow_tree(q, choice.tree.token[0], options_.rule.max_nodes);
    min_ranks = std::max(min_ranks, *std::max_element(widest.rank.begin(), widest.rank.end()) + 1);
  }
  text_.finish_round(record, q, std::move(choice), min_ranks);
}

// Plain rounds make their passes behind one another, dense ones behind a draft as all others do; neither grows a tree.
RoundCost Session::cost_here() const {
  const int32_t context_len = memory_->target_kv.length;
  if (!drafts()) return pass_cost(*cost_, context_len, 1, 0, 0);
  RoundCost cost = cost_->at(context_len, options_.rule.max_nodes);
  if (options_.dense) cost.overhead_s = 0;
  return cost;
}

Marginals Session::draft() {
  if (!drafts()) return {};
  memory_->take_in_features(*pair_);
  const int32_t n_ranks = options_.rule.method == Method::kDflash ? kViewedRanks : options_.rule.max_nodes;
  return pair_->drafter->draft(text_.root_token(), options_.block_size, n_ranks, pair_->target, memory_->drafter_rope,
                               memory_->drafter_kv, memory_->drafter_work);
}

Choice Session::grow(const Marginals& q, const RoundCost& cost) {
  BudgetRule& rule = options_.rule;
  if (rule.method == Method::kCast && rule.width == 0) {
    rule.width = cast_width(expected_tokens_of(every_candidate(q, text_.root_token(), rule)), cost);
  }
  if (rule.method != Method::kPlain) return choose_tree(q, text_.root_token(), cost, rule);
  Choice choice;
  choice.tree = grow_tree(q, text_.root_token(), 0);
  choice.decision.stop = StopReason::kFixedBudget;
  return choice;
}

Verdict Session::verify(const DraftTree& tree, int32_t n_nodes) {
  memory_->pass(*pair_, tree_rows(tree, n_nodes, memory_->target_kv.length));
  pair_->target.head(memory_->target_work.hidden->act.first_rows(n_nodes + 1), text_.n_answers(), memory_->target_top);
  return text_.verdict(memory_->target_top, 0, memory_->rows.position);
}

void Session::commit(const DraftTree& tree, const Accepted& accepted) {
  PairMemory& memory = *memory_;
  memory.target_kv.keep(*pair_->backend, accepted.path);
  if (pair_->drafter) {
    const Act features = memory.target_work.features->act;
    const int32_t n_kept = static_cast<int32_t>(accepted.path.size());
    const Act waiting{memory.new_features->act.row(memory.n_new_features), n_kept, features.cols};
    pair_->backend->gather_rows(features, accepted.path, waiting, 0);
    memory.n_new_features += n_kept;
    // Plain rounds never draft, but the method may change between rounds: what the drafter has not read is kept for it,
    // until there is no more room.
    if (memory.n_new_features == memory.new_features->act.rows) memory.take_in_features(*pair_);
  }
  text_.commit(tree, accepted);
}

// Budgets never change the text, so neither does a cost that moves.
void Session::learn_cost(int32_t n_rows, RoundRecord& record) {
  const double verify_s = static_cast<double>(record.took.verify_ns) * 1e-9;
  if (drafts()) {
    online_cost_->observe(record.context_len, n_rows, verify_s);
  } else {
    online_cost_->observe_plain(record.context_len, verify_s);
  }
  const CostDrift drift = online_cost_->drift();
  record.cost_drift = drift.factor;
  record.drift_alarm = drift.alarm;
  if ((text_.n_rounds() + 1) % kRoundsPerFit != 0) return;
  if (std::optional<CostModel> news = online_cost_->update()) {
    cost_ = std::make_unique<CostTable>(*std::move(news));
    tell_loop();
  }
}

}  // namespace draftscope
