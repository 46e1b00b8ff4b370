#include "engine/session.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <utility>

#include "engine/base/utf8.h"
#include "engine/speculate/accept.h"
#include "engine/speculate/grow.h"

namespace draftscope {
namespace {

constexpr int32_t kViewedRanks = 16;   // ranks per depth that a record keeps at least, for the marginals panel
constexpr int64_t kRoundsPerFit = 8;   // a re-estimated cost model needs its fits anew: some 50 us, or 4 ms on 9,216 points

/// Splits one round's wall time into its stages.
class StageClock {
 public:
  void lap(int64_t& stage_ns) {
    const auto now = std::chrono::steady_clock::now();
    stage_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now - last_).count();
    last_ = now;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

int64_t to_ns(double seconds) { return static_cast<int64_t>(std::llround(seconds * 1e9)); }

}  // namespace

// The program. Everything else in the engine serves these lines.
RoundRecord Session::round() {
  DS_CHECK(!done());
  const RoundCost cost = cost_->at(memory_->target_kv.length, options_.rule.max_nodes);
  if (on_device()) return device_round(cost);
  RoundRecord record;
  record.context_len = memory_->target_kv.length;
  StageClock clock;

  // 1. Draft: one drafter pass gives a distribution for every position of the block.
  const Marginals q = draft();
  clock.lap(record.took.draft_ns);

  // 2. Grow: the most probable prefixes form a tree; the budget rule says how many to verify.
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

  finish_round(record, q, cost, std::move(choice));
  return record;
}

void Session::finish_round(RoundRecord& record, const Marginals& q, const RoundCost& cost, Choice choice) {
  record.seq = n_rounds_++;
  record.method = options_.rule.method;
  record.telemetry_ns = telemetry_ns_;
  decode_ns_ += record.took.total_ns();
  describe(record, q, cost, std::move(choice));
}

Marginals Session::draft() {
  if (options_.rule.method == Method::kPlain && !options_.dense) return {};
  memory_->take_in_features(*pair_);
  const int32_t n_ranks = options_.rule.method == Method::kDflash ? kViewedRanks : options_.rule.max_nodes;
  return pair_->drafter->draft(root_token_, options_.block_size, n_ranks, pair_->target, memory_->drafter_rope,
                               memory_->drafter_kv, memory_->drafter_work);
}

Choice Session::grow(const Marginals& q, const RoundCost& cost) {
  BudgetRule& rule = options_.rule;
  if (rule.method == Method::kCast && rule.width == 0) {
    rule.width = cast_width(expected_tokens_of(every_candidate(q, root_token_, rule)), cost);
  }
  if (rule.method != Method::kPlain) return choose_tree(q, root_token_, cost, rule);
  Choice choice;
  choice.tree = grow_tree(q, root_token_, 0);
  choice.decision.stop = StopReason::kFixedBudget;
  return choice;
}

Verdict Session::verify(const DraftTree& tree, int32_t n_nodes) {
  const int32_t n_rows = n_nodes + 1;
  memory_->pass(*pair_, tree_rows(tree, n_nodes, memory_->target_kv.length));
  pair_->target.head(memory_->target_work.hidden->act.first_rows(n_rows), n_target_ranks(), memory_->target_top);

  Verdict verdict;
  for (int32_t i = 0; i < n_rows; ++i) {
    const std::span<const float> log_p(memory_->target_top.log_p.data() + static_cast<size_t>(i) * memory_->target_top.k, memory_->target_top.k);
    const int32_t rank = choose_rank(log_p, memory_->rows.position[i] + 1, options_.sampling);
    verdict.choice.push_back(memory_->target_top.token[static_cast<size_t>(i) * memory_->target_top.k + rank]);
    verdict.choice_log_p.push_back(log_p[rank]);
  }
  return verdict;
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
    // Plain rounds never draft, but the method may change between rounds: the drafter keeps up.
    if (options_.rule.method == Method::kPlain) memory.take_in_features(*pair_);
  }
  commit_text(tree, accepted);
}

void Session::commit_text(const DraftTree& tree, const Accepted& accepted) {
  for (size_t i = 1; i < accepted.path.size(); ++i) append_output(tree.token[accepted.path[i]]);
  append_output(accepted.bonus);
  root_token_ = accepted.bonus;
}

// Budgets never change the text, so neither does a cost that moves.
void Session::learn_cost(int32_t n_rows, RoundRecord& record) {
  online_cost_->observe(record.context_len, n_rows, static_cast<double>(record.took.verify_ns) * 1e-9);
  const CostDrift drift = online_cost_->drift();
  record.cost_drift = drift.factor;
  record.drift_alarm = drift.alarm;
  if ((n_rounds_ + 1) % kRoundsPerFit != 0) return;
  if (std::optional<CostModel> news = online_cost_->update()) {
    cost_ = std::make_unique<CostTable>(*std::move(news));
    tell_loop();
  }
}

void Session::append_output(int32_t token) {
  if (done()) return;
  if (std::find(stop_ids_.begin(), stop_ids_.end(), token) != stop_ids_.end()) {
    end_reason_ = EndReason::kEos;
    return;
  }
  output_.push_back(token);
  output_bytes_ += pair_->bytes_of(token);
  if (static_cast<int32_t>(output_.size()) >= max_output_) {
    end_reason_ = context_is_limit_ ? EndReason::kContextFull : EndReason::kMaxTokens;
  }
}

void Session::stop(EndReason reason) {
  if (!done()) end_reason_ = reason;
}

int32_t Session::n_target_ranks() const {
  if (options_.sampling.temperature <= 0) return 1;
  const int32_t vocab = pair_->target.config().vocab;
  return options_.sampling.top_k == 0 ? vocab : std::min(options_.sampling.top_k, vocab);
}

void Session::describe(RoundRecord& record, const Marginals& q, const RoundCost& cost, Choice choice) {
  record.session = options_.session;
  record.temperature = options_.sampling.temperature;
  if (options_.rule.method == Method::kPlain) {
    choice.decision.expected_tokens = {1.0};
    choice.decision.cost_s = {cost.verify_s[0]};
    choice.decision.theta_tokens_per_s = {1.0 / cost.verify_s[0]};
  } else if (options_.whole_curves) {
    complete_curves(q, cost, options_.rule, choice);
  }
  record.tree = std::move(choice.tree);
  record.decision = std::move(choice.decision);
  const DraftTree widest = options_.dense ? grow_tree(q, record.tree.token[0], options_.rule.max_nodes) : DraftTree{};
  const std::vector<int32_t>& ranks = options_.dense ? widest.rank : record.tree.rank;
  const int32_t deepest_rank = *std::max_element(ranks.begin(), ranks.end());
  record.q = first_ranks(q, std::max(kViewedRanks, deepest_rank + 1));
  record.predicted.draft_ns = options_.rule.method == Method::kPlain ? 0 : to_ns(cost.draft_s);
  record.predicted.grow_ns = options_.rule.method == Method::kPlain ? 0 : to_ns(cost.overhead_s);
  record.predicted.verify_ns = to_ns(cost.verify_s[record.decision.chosen]);
  record.predicted.provenance = cost_is_guess_ ? Provenance::kIllustrative : Provenance::kPredicted;
  if (cost_is_guess_) record.decision.provenance = Provenance::kIllustrative;

  std::vector<int32_t> tokens = record.tree.token;
  tokens.insert(tokens.end(), record.q.token.begin(), record.q.token.end());
  tokens.insert(tokens.end(), record.verdict.choice.begin(), record.verdict.choice.end());
  record.text = TokenText::of(std::move(tokens), [&](int32_t token) { return pair_->bytes_of(token); });
  const std::string_view untold = std::string_view(output_bytes_).substr(n_bytes_told_);
  const size_t n_whole = done() ? untold.size() : whole_characters(untold);
  record.committed_utf8 = replace_broken_utf8(untold.substr(0, n_whole));
  n_bytes_told_ += n_whole;
}

}  // namespace draftscope
