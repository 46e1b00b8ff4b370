#include "engine/device_rounds.h"

#include <algorithm>
#include <optional>

#include "engine/model/rows.h"
#include "kernels/shared/frontier.h"

namespace draftscope {
namespace {

constexpr int32_t kMaxDeviceRanks = 1024;  // of the top-k kernels

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

/// Whether one growth order serves the trees of several texts.
bool serves_several(GrowRule rule) { return rule != GrowRule::kFixed && rule != GrowRule::kThetaFalls; }

bool windows_fit(const Drafter& drafter) {
  const std::vector<int32_t>& windows = drafter.windows();  // 0 for none among them
  return windows.size() == 1 || (windows.size() == 2 && windows[0] == 0);
}

}  // namespace

bool device_can_decide(const Pair& pair, Method method, const LoopSizes& sizes) {
  const std::optional<GrowRule> rule = device_rule(method);
  return pair.backend->has_round_loop() && rule && (sizes.n_texts == 1 || serves_several(*rule)) &&
         (sizes.block_size == 0 || windows_fit(*pair.drafter)) && sizes.n_nodes + sizes.n_texts - 1 <= kMaxTreeNodes &&
         sizes.n_answers <= kMaxDeviceRanks;
}

RoundLimits loop_limits(const LoopSizes& sizes, const CostModel& cost) {
  RoundLimits limits;
  limits.max_texts = sizes.n_texts;
  limits.max_nodes = sizes.n_nodes;
  limits.max_rows = sizes.n_nodes + sizes.n_texts;
  limits.answer_ranks = sizes.n_answers;
  limits.max_contexts = static_cast<int32_t>(cost.context.size());
  limits.n_depths = std::max(0, sizes.block_size - 1);
  limits.n_ranks = limits.ring_ranks = sizes.block_size == 0 ? 0 : sizes.n_ranks;
  return limits;
}

RoundLoopSetup loop_setup(const Pair& pair_of, PairMemory& memory_of, const LoopSizes& sizes, const CostModel& cost) {
  PairMemory* memory = &memory_of;
  const Pair* pair = &pair_of;
  RoundLoopSetup setup;
  setup.limits = loop_limits(sizes, cost);
  setup.target_kv = memory->target_kv.store.get();
  setup.verify_rows = &memory->rows;
  setup.answer = &memory->target_top;
  setup.marginals = &memory->drafter_work.top;
  setup.verify = [memory, pair, n_answers = sizes.n_answers] {
    pair->target.forward(memory->rows, memory->target_rope, *memory->target_kv.store, memory->target_work);
    pair->target.head(memory->target_work.hidden->act.first_rows(memory->rows.n), n_answers, memory->target_top);
  };
  if (sizes.block_size == 0) return setup;
  setup.drafter_kv = memory->drafter_kv.store.get();
  setup.mask_token = pair->drafter->config().mask_token_id;
  setup.windows = pair->drafter->windows();
  setup.features = memory->target_work.features->act;
  setup.new_features = memory->new_features->act.first_rows(sizes.n_texts * sizes.block_size);
  setup.context_rows = &memory->drafter_work.context_rows;
  setup.block_rows = &memory->drafter_work.block_rows;
  setup.take_in = [memory, pair, block_size = sizes.block_size](int32_t n_texts) {
    pair->drafter->append_pass(memory->new_features->act.first_rows(n_texts * block_size), memory->drafter_rope,
                               *memory->drafter_kv.store, memory->drafter_work);
  };
  setup.draft = [memory, pair, n_ranks = sizes.n_ranks](int32_t n_texts) {
    pair->drafter->draft_pass(n_ranks, pair->target, memory->drafter_rope, *memory->drafter_kv.store,
                              memory->drafter_work, n_texts);
  };
  return setup;
}

RoundParams loop_params(const BudgetRule& rule, int32_t max_nodes, const LoopSizes& sizes, const CostModel& cost) {
  RoundParams params;
  params.rule = *device_rule(rule.method);
  params.budget = rule.budget;
  params.max_nodes = params.rule == GrowRule::kRoot ? 0 : max_nodes;
  params.fill_rows = rule.bucket_rows;
  params.has_draft = params.rule != GrowRule::kRoot;
  params.overhead_s = cost.overhead_s;
  const std::vector<int32_t> buckets = bucket_rows(sizes.n_nodes + sizes.n_texts);
  params.n_buckets = static_cast<int32_t>(buckets.size());
  std::copy(buckets.begin(), buckets.end(), params.bucket_rows);
  return params;
}

CostGrid loop_costs(const CostTable& cost, const RoundLimits& limits) {
  CostGrid grid;
  grid.context = cost.model().context;
  for (const int32_t context : grid.context) {
    const RoundCost row = cost.at(context, cost_nodes(limits));
    grid.draft_s.push_back(row.draft_s);
    grid.verify_s.insert(grid.verify_s.end(), row.verify_s.begin(), row.verify_s.end());
    grid.faithful_s.insert(grid.faithful_s.end(), row.faithful_s.begin(), row.faithful_s.end());
  }
  return grid;
}

TextDraws draws_of(const TextState& text) {
  const SamplingOptions& sampling = text.options().sampling;
  return {sampling.temperature, sampling.top_p, text.n_answers(), sampling.seed};
}

DraftTree tree_of(const RoundImage& image) { return {image.token, image.parent, image.depth, image.rank, image.path_log_q}; }

Marginals marginals_of(const RoundImage& image) {
  return {image.header.n_depths, image.header.n_ranks, image.q_token, image.q_log_q};
}

StageTimes stages_of(const RoundImage& image, int64_t away_ns) {
  const SlotHeader& at = image.header;
  const int64_t stood_idle_ns = std::max<int64_t>(0, at.at(Mark::kVerifyBegan) - at.at(Mark::kGrown) - away_ns);
  StageTimes took;
  took.draft_ns = at.at(Mark::kDrafted) - at.at(Mark::kBegan);
  took.grow_ns = at.at(Mark::kGrown) - at.at(Mark::kDrafted) + stood_idle_ns;
  took.verify_ns = at.at(Mark::kVerified) - at.at(Mark::kVerifyBegan);
  took.accept_ns = at.at(Mark::kAccepted) - at.at(Mark::kVerified);
  took.commit_ns = at.at(Mark::kCommitted) - at.at(Mark::kAccepted);
  return took;
}

}  // namespace draftscope
