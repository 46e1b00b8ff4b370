// Rounds of a session that stay on a device.
#include <algorithm>
#include <utility>

#include "engine/device_rounds.h"
#include "engine/session.h"

namespace draftscope {

LoopSizes Session::loop_sizes() const {
  LoopSizes sizes;
  sizes.n_nodes = options_.rule.max_nodes;
  sizes.n_ranks = std::min(sizes.n_nodes, pair_->target.config().vocab);
  sizes.n_answers = text_.n_answers();
  sizes.block_size = pair_->drafter ? options_.block_size : 0;
  return sizes;
}

bool Session::rounds_on_device() const {
  return !options_.dense && device_can_decide(*pair_, options_.rule.method, loop_sizes());
}

bool Session::on_device() {
  if (loop_ != nullptr) return true;
  if (!rounds_on_device()) return false;
  if (pair_->drafter) memory_->take_in_features(*pair_);
  const CostModel& cost = cost_->model();
  const size_t n_contexts = cost.context.size();
  if (!sized_.suits(loop_sizes(), n_contexts)) {
    sized_ = {};  // its memory first
    sized_ = {pair_->backend->make_round_loop(loop_setup(*pair_, *memory_, loop_sizes(), cost)), loop_sizes(), n_contexts};
  }
  loop_ = sized_.loop.get();
  tell_loop();
  return true;
}

// The host takes over: what the device has drafted ahead is forgotten, what the drafter has read stays read.
void Session::leave_loop() {
  if (loop_ == nullptr) return;
  loop_ = nullptr;
  if (pair_->drafter) memory_->drafter_kv.length = memory_->target_kv.length;
}

void Session::tell_loop() {
  if (loop_ == nullptr) return;
  if (!rounds_on_device() || cost_->model().context.size() > sized_.n_contexts) return leave_loop();
  const LoopSizes sizes = loop_sizes();
  loop_->set_cost(loop_costs(*cost_, loop_limits(sizes, cost_->model())));
  loop_->set_params(loop_params(options_.rule, sizes.n_nodes, sizes, cost_->model()));
  // What may have been drafted ahead was decided by the old rule and cost; a record speaks of those in force.
  const RoundStart start{memory_->target_kv.length, 0, 0, text_.root_token(), draws_of(text_)};
  loop_->begin({&start, 1});
  after_round_.leave();
}

RoundRecord Session::device_round() {
  const int64_t away_ns = after_round_.away_ns();
  const RoundImage& image = loop_->next()[0];
  after_round_.stages_ended();
  const SlotHeader& header = image.header;
  const RoundCost cost = cost_here();
  DS_CHECK(header.context_len == memory_->target_kv.length && header.root_token == text_.root_token(),
           "the device is at {} tokens, the session at {}", header.context_len, memory_->target_kv.length);
  RoundRecord record;
  record.context_len = header.context_len;
  Choice choice;
  choice.tree = tree_of(image);
  choice.decision.chosen = header.n_chosen;
  choice.decision.stop = static_cast<StopReason>(header.stop);
  fill_curves(choice.tree, cost, choice.decision);
  record.verdict = {image.choice, image.choice_log_p};
  record.accepted = {image.path, header.bonus};
  record.took = stages_of(image, away_ns);

  memory_->target_kv.length += header.n_kept;
  text_.commit(choice.tree, record.accepted);
  if (online_cost_) learn_cost(choice.decision.chosen + 1, record);
  finish_round(record, marginals_of(image), cost, std::move(choice));
  after_round_.leave();
  return record;
}

}  // namespace draftscope
