// Rounds of a batch that stay on a device: who takes part, and what is made of what comes back.
#include <algorithm>
#include <utility>

#include "engine/batch_part.h"
#include "engine/speculate/grow.h"

namespace draftscope {

LoopSizes Batch::loop_sizes(int32_t n_answers) const {
  LoopSizes sizes;
  sizes.n_texts = options_.n_slots;
  sizes.n_answers = n_answers;
  if (!drafts()) return sizes;
  sizes.block_size = options_.block_size;
  const bool chains = options_.rule.method == Method::kDflash;
  sizes.n_nodes = (chains ? options_.n_slots : 1) * max_tree_nodes();
  sizes.n_ranks = std::min(chains ? kViewedRanks : max_tree_nodes(), pair_->target.config().vocab);
  return sizes;
}

bool Batch::on_device(std::span<const Part> parts) {
  int32_t n_answers = 1;
  for (const Part& part : parts) n_answers = std::max(n_answers, part.request->text.n_answers());
  if (!device_can_decide(*pair_, options_.rule.method, loop_sizes(n_answers))) {
    leave_loop();
    return false;
  }
  if (loop_answers_ < n_answers) leave_loop();
  if (loop_ == nullptr) make_loop(loop_sizes(n_answers));
  if (company_changed_) begin_loop(parts);
  return true;
}

void Batch::make_loop(const LoopSizes& sizes) {
  if (drafts()) take_in_features();
  loop_ = pair_->backend->make_round_loop(loop_setup(*pair_, *memory_, sizes, options_.cost));
  loop_answers_ = sizes.n_answers;
  loop_->set_cost(loop_costs(cost_, loop_limits(sizes, options_.cost)));
  loop_->set_params(loop_params(options_.rule, max_tree_nodes(), sizes, options_.cost));
  company_changed_ = true;
}

void Batch::begin_loop(std::span<const Part> parts) {
  std::vector<RoundStart> starts;
  for (const Part& part : parts) {
    const Request& request = *part.request;
    starts.push_back({request.target.length, request.target.first, request.drafter.first, request.text.root_token(),
                      draws_of(request.text)});
  }
  loop_->begin(starts);
  after_round_.leave();
  company_changed_ = false;
}

// The host takes over: what the device has drafted ahead is forgotten, what the drafter has read stays read.
void Batch::leave_loop() {
  if (loop_ == nullptr) return;
  loop_.reset();
  loop_answers_ = 0;
  if (!drafts()) return;
  for (const std::unique_ptr<Request>& request : slots_) {
    if (request != nullptr) request->drafter.length = request->target.length;
  }
}

std::vector<RoundRecord> Batch::device_round(std::span<Part> parts) {
  const int64_t away_ns = after_round_.away_ns();
  const std::span<const RoundImage> images = loop_->next();
  after_round_.stages_ended();
  const RoundCost cost = cost_of(parts);
  for (size_t i = 0; i < parts.size(); ++i) {
    const SlotHeader& header = images[i].header;
    Part& part = parts[i];
    Request& request = *part.request;
    DS_CHECK(header.context_len == part.context_len && header.root_token == request.text.root_token(),
             "the device is at {} tokens, the request at {}", header.context_len, part.context_len);
    part.q = marginals_of(images[i]);
    part.tree = first_nodes(tree_of(images[i]), header.n_chosen);
    part.stop = static_cast<StopReason>(header.stop);
    part.verdict = {images[i].choice, images[i].choice_log_p};
    part.accepted = {images[i].path, header.bonus};
    request.target.length += header.n_kept;
    request.text.commit(part.tree, part.accepted);
  }
  std::vector<RoundRecord> records = end_round(parts, cost, stages_of(images[0], away_ns));
  after_round_.leave();
  return records;
}

}  // namespace draftscope
