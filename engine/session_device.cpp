// Rounds that stay on a device: what a session tells its loop, and the record it makes of what comes back.
#include <algorithm>
#include <utility>

#include "engine/model/rows.h"
#include "engine/session.h"
#include "engine/speculate/accept.h"

namespace draftscope {
namespace {

constexpr int32_t kMaxDeviceNodes = 1024, kMaxDeviceRanks = 1024;  // of the growth and top-k kernels

/// How the device stops growing for a method; nullopt: the host decides.
std::optional<GrowRule> device_rule(Method method) {
  switch (method) {
    case Method::kPlain: return GrowRule::kRoot;
    case Method::kDflash: return GrowRule::kChain;
    case Method::kDdtree: return GrowRule::kFixed;
    case Method::kCaddtree: return GrowRule::kThetaFalls;
    case Method::kExact: return GrowRule::kExact;
    case Method::kExactFill: return GrowRule::kExactFill;
    default: return std::nullopt;
  }
}

CostGrid grid_of(const CostTable& cost, int32_t max_nodes) {
  CostGrid grid;
  grid.context = cost.model().context;
  for (const int32_t context : grid.context) {
    const RoundCost row = cost.at(context, max_nodes);
    grid.draft_s.push_back(row.draft_s);
    grid.verify_s.insert(grid.verify_s.end(), row.verify_s.begin(), row.verify_s.end());
    grid.faithful_s.insert(grid.faithful_s.end(), row.faithful_s.begin(), row.faithful_s.end());
  }
  return grid;
}

}  // namespace

bool Session::device_can_decide() const {
  if (!pair_->backend->has_round_loop()) return false;
  if (pair_->drafter) {
    const std::vector<int32_t>& windows = pair_->drafter->windows();  // 0 for none among them
    if (windows.size() > 2 || (windows.size() == 2 && windows[0] != 0)) return false;
  }
  return device_rule(options_.rule.method) && !options_.dense && options_.rule.max_nodes <= kMaxDeviceNodes &&
         text_.n_answers() <= kMaxDeviceRanks;
}

RoundParams Session::device_params() const {
  RoundParams params;
  params.rule = *device_rule(options_.rule.method);
  params.budget = options_.rule.budget;
  params.max_nodes = params.rule == GrowRule::kRoot ? 0 : options_.rule.max_nodes;
  params.fill_rows = options_.rule.bucket_rows;
  params.has_draft = params.rule != GrowRule::kRoot;
  params.temperature = options_.sampling.temperature;
  params.top_p = options_.sampling.top_p;
  params.seed = options_.sampling.seed;
  params.overhead_s = cost_->model().overhead_s;
  const std::vector<int32_t> buckets = bucket_rows(options_.rule.max_nodes + 1);
  params.n_buckets = static_cast<int32_t>(buckets.size());
  std::copy(buckets.begin(), buckets.end(), params.bucket_rows);
  return params;
}

RoundLoopSetup Session::loop_setup() {
  PairMemory* memory = memory_.get();
  const Pair* pair = pair_;
  const int32_t max_nodes = options_.rule.max_nodes, n_answers = text_.n_answers();
  RoundLoopSetup setup;
  setup.limits.max_nodes = max_nodes;
  setup.limits.max_rows = max_nodes + 1;
  setup.limits.answer_ranks = n_answers;
  setup.limits.max_contexts = static_cast<int32_t>(cost_->model().context.size());
  setup.target_kv = memory->target_kv.store.get();
  setup.verify_rows = &memory->rows;
  setup.answer = &memory->target_top;
  setup.marginals = &memory->drafter_work.top;
  setup.verify = [memory, pair, n_answers] {
    pair->target.forward(memory->rows, memory->target_rope, *memory->target_kv.store, memory->target_work);
    pair->target.head(memory->target_work.hidden->act.first_rows(memory->rows.n), n_answers, memory->target_top);
  };
  setup.limits.n_depths = 0;
  setup.limits.n_ranks = setup.limits.ring_ranks = 0;
  if (!pair->drafter) return setup;
  const int32_t block_size = options_.block_size, n_ranks = std::min(max_nodes, pair->target.config().vocab);
  setup.limits.n_depths = block_size - 1;
  setup.limits.n_ranks = setup.limits.ring_ranks = n_ranks;
  setup.drafter_kv = memory->drafter_kv.store.get();
  setup.mask_token = pair->drafter->config().mask_token_id;
  setup.windows = pair->drafter->windows();
  setup.features = memory->target_work.features->act;
  setup.new_features = memory->new_features->act.first_rows(block_size);
  setup.context_rows = &memory->drafter_work.context_rows;
  setup.block_rows = &memory->drafter_work.block_rows;
  setup.take_in = [memory, pair, block_size] {
    pair->drafter->append_pass(memory->new_features->act.first_rows(block_size), memory->drafter_rope,
                               *memory->drafter_kv.store, memory->drafter_work);
  };
  setup.draft = [memory, pair, n_ranks] {
    pair->drafter->draft_pass(n_ranks, pair->target, memory->drafter_rope, *memory->drafter_kv.store,
                              memory->drafter_work);
  };
  return setup;
}

bool Session::on_device() {
  if (loop_ != nullptr) return true;
  if (!device_can_decide()) return false;
  loop_ = pair_->backend->make_round_loop(loop_setup());
  loop_->set_cost(grid_of(*cost_, options_.rule.max_nodes));
  loop_->set_params(device_params());
  loop_->begin({memory_->target_kv.length, memory_->drafter_kv.length, memory_->n_new_features, text_.root_token()});
  return true;
}

// The host takes over: what the device has drafted ahead is forgotten, what the drafter has read stays read.
void Session::leave_loop() {
  if (loop_ == nullptr) return;
  loop_.reset();
  memory_->drafter_kv.length = pair_->drafter ? memory_->target_kv.length : 0;
  memory_->n_new_features = 0;
}

void Session::tell_loop() {
  if (loop_ == nullptr) return;
  if (!device_can_decide()) return leave_loop();
  loop_->set_cost(grid_of(*cost_, options_.rule.max_nodes));
  loop_->set_params(device_params());
}

RoundRecord Session::device_round(const RoundCost& cost) {
  const RoundImage& image = loop_->next();
  const SlotHeader& header = image.header;
  DS_CHECK(header.context_len == memory_->target_kv.length && header.root_token == text_.root_token(),
           "the device is at {} tokens, the session at {}", header.context_len, memory_->target_kv.length);
  RoundRecord record;
  record.context_len = header.context_len;
  Choice choice;
  choice.tree = {image.token, image.parent, image.depth, image.rank, image.path_log_q};
  choice.decision.chosen = header.n_chosen;
  choice.decision.stop = static_cast<StopReason>(header.stop);
  fill_curves(choice.tree, cost, choice.decision);
  record.verdict = {image.choice, image.choice_log_p};
  record.accepted = {image.path, header.bonus};
  int64_t* const stages[] = {&record.took.draft_ns, &record.took.grow_ns, &record.took.verify_ns, &record.took.accept_ns,
                             &record.took.commit_ns};
  for (size_t i = 0; i < std::size(stages); ++i) *stages[i] = header.stage_end_ns[i + 1] - header.stage_end_ns[i];

  memory_->target_kv.length += header.n_kept;
  text_.commit(choice.tree, record.accepted);
  if (online_cost_) learn_cost(choice.decision.chosen + 1, record);
  const Marginals q{header.n_depths, header.n_ranks, image.q_token, image.q_log_q};
  finish_round(record, q, cost, std::move(choice));
  return record;
}

}  // namespace draftscope
