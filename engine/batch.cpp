#include "engine/batch.h"

#include <algorithm>
#include <utility>

#include "engine/batch_part.h"
#include "engine/speculate/accept.h"
#include "engine/speculate/grow.h"
#include "engine/stage_clock.h"

namespace draftscope {

// Session::round(), for all requests in flight at once.
std::vector<RoundRecord> Batch::round() {
  std::vector<Part> parts;
  for (const std::unique_ptr<Request>& request : slots_) {
    if (request != nullptr) parts.push_back({request.get(), request->target.length});
  }
  DS_CHECK(!parts.empty());
  if (on_device(parts)) return device_round(parts);
  StageTimes took;
  StageClock clock;

  // 1. Draft: one drafter pass over a block of every request.
  draft(parts);
  clock.lap(took.draft_ns);

  // 2. Grow: every request's next node competes for the rows of one pass.
  const RoundCost cost = cost_of(parts);
  grow(parts, cost);
  clock.lap(took.grow_ns);

  // 3. Verify: one masked target pass over all trees.
  verify(parts);
  clock.lap(took.verify_ns);

  // 4. Accept: each request walks its own tree.
  for (Part& part : parts) part.accepted = accept(part.tree, part.verdict.choice);
  clock.lap(took.accept_ns);

  // 5. Commit: keep the paths' cache rows, collect their features for the drafter.
  commit(parts);
  clock.lap(took.commit_ns);
  after_round_.stages_ended();

  return end_round(parts, cost, took);
}

std::vector<RoundRecord> Batch::end_round(std::span<Part> parts, const RoundCost& cost, const StageTimes& took) {
  std::vector<RoundRecord> records = describe(parts, cost, took);
  ++n_passes_;
  retire();
  return records;
}

// By the nodes of all requests together; as far as their trees may reach.
RoundCost Batch::cost_of(std::span<const Part> parts) const {
  int64_t sum = 0;
  for (const Part& part : parts) sum += part.context_len;
  const auto n_requests = static_cast<int32_t>(parts.size());
  const auto mean = static_cast<int32_t>(sum / n_requests);
  if (!drafts()) return pass_cost(cost_, mean, n_requests, 0, 0);
  const int32_t reach = options_.rule.max_nodes * (shares_budget(options_.rule.method) ? 1 : n_requests);
  return pass_cost(cost_, mean, n_requests, options_.block_size, reach);
}

void Batch::draft(std::span<Part> parts) {
  if (!drafts()) return;
  take_in_features();
  std::vector<BlockAnchor> anchors;
  for (const Part& part : parts) anchors.push_back({part.request->text.root_token(), &part.request->drafter});
  const int32_t n_ranks = options_.rule.method == Method::kDflash ? kViewedRanks : options_.rule.max_nodes;
  std::vector<Marginals> drafts = pair_->drafter->draft(anchors, options_.block_size, n_ranks, pair_->target,
                                                        memory_->drafter_rope, memory_->drafter_work);
  for (size_t i = 0; i < parts.size(); ++i) parts[i].q = std::move(drafts[i]);
}

void Batch::take_in_features() {
  std::vector<ContextPart> waiting;
  int32_t n_rows = 0;
  for (const std::unique_ptr<Request>& request : slots_) {
    if (request == nullptr || request->n_new == 0) continue;
    waiting.push_back({&request->drafter, request->n_new});
    n_rows += std::exchange(request->n_new, 0);
  }
  if (waiting.empty()) return;
  pair_->drafter->append_context(memory_->new_features->act.first_rows(n_rows), waiting, memory_->drafter_rope,
                                 memory_->drafter_work);
}

void Batch::grow(std::span<Part> parts, const RoundCost& cost) {
  if (!shares_budget(options_.rule.method)) {
    for (Part& part : parts) grow_alone(part);
    return;
  }
  std::vector<RequestDraft> requests;
  for (const Part& part : parts) requests.push_back({&part.q, part.request->text.root_token()});
  SharedChoice choice = choose_trees(requests, cost, options_.rule);
  for (size_t i = 0; i < parts.size(); ++i) {
    parts[i].tree = std::move(choice.tree[i]);
    parts[i].stop = choice.decision.stop;
  }
}

void Batch::grow_alone(Part& part) {
  const int32_t root = part.request->text.root_token();
  if (!drafts()) {
    part.tree = grow_tree(part.q, root, 0);
    return;
  }
  BudgetRule rule = options_.rule;
  const RoundCost cost = cost_.at(part.context_len, rule.max_nodes);
  if (rule.method == Method::kCast) {
    int32_t& width = part.request->cast_width;
    if (width == 0) width = cast_width(expected_tokens_of(every_candidate(part.q, root, rule)), cost);
    rule.width = width;
  }
  Choice choice = choose_tree(part.q, root, cost, rule);
  part.tree = first_nodes(std::move(choice.tree), choice.decision.chosen);
  part.stop = choice.decision.stop;
}

void Batch::verify(std::span<Part> parts) {
  PassRows rows;
  int32_t n_answers = 1;
  for (Part& part : parts) {
    const KvCache& cache = part.request->target;
    part.first_row = rows.n;
    append_rows(rows, tree_rows(part.tree, part.n_nodes(), cache.length, cache.first));
    n_answers = std::max(n_answers, part.request->text.n_answers());
  }
  memory_->pass(*pair_, std::move(rows));
  pair_->target.head(memory_->target_work.hidden->act.first_rows(memory_->rows.n), n_answers, memory_->target_top);
  for (Part& part : parts) {
    const auto positions = std::span(memory_->rows.position).subspan(part.first_row, part.tree.token.size());
    part.verdict = part.request->text.verdict(memory_->target_top, part.first_row, positions);
  }
}

void Batch::commit(std::span<Part> parts) {
  std::vector<int32_t> kept;  // rows of the pass whose features the drafter gets
  for (Part& part : parts) {
    Request& request = *part.request;
    request.target.keep(*pair_->backend, part.accepted.path);
    request.text.commit(part.tree, part.accepted);
    if (!drafts() || request.text.done()) continue;  // nobody will ask for what follows an ended text
    for (const int32_t node : part.accepted.path) kept.push_back(part.first_row + node);
    request.n_new = static_cast<int32_t>(part.accepted.path.size());
  }
  if (kept.empty()) return;
  const Act waiting = memory_->new_features->act.first_rows(static_cast<int32_t>(kept.size()));
  pair_->backend->gather_rows(memory_->target_work.features->act, kept, waiting, 0);
}

std::vector<RoundRecord> Batch::describe(std::span<Part> parts, const RoundCost& cost, const StageTimes& took) {
  std::vector<double> expected;
  SharedPass pass{n_passes_, static_cast<int32_t>(parts.size()), 0, 0, 0, 0};
  for (const Part& part : parts) {
    pass.n_rows += part.tree.size();
    expected.push_back(expected_tokens_of(part.tree).back());
    pass.expected_tokens += expected.back();
    pass.n_tokens += static_cast<int32_t>(part.accepted.path.size());
  }
  const int32_t n_nodes = pass.n_rows - pass.n_requests;
  pass.theta_tokens_per_s = pass.expected_tokens / cost.total_s(n_nodes);

  std::vector<RoundRecord> records;
  for (size_t i = 0; i < parts.size(); ++i) {
    Part& part = parts[i];
    const OthersInPass others{n_nodes - part.n_nodes(), pass.expected_tokens - expected[i]};
    const RequestDraft draft{&part.q, part.tree.token[0]};
    Choice choice = choice_beside(draft, std::move(part.tree), others, cost, options_.rule, options_.whole_curves);
    choice.decision.stop = part.stop;
    RoundRecord& record = records.emplace_back();
    record.method = options_.rule.method;
    record.context_len = part.context_len;
    record.telemetry_ns = telemetry_ns_;
    record.verdict = std::move(part.verdict);
    record.accepted = std::move(part.accepted);
    record.took = took;
    record.predicted = predicted_times(cost, n_nodes);
    record.predicted.provenance = Provenance::kDerived;
    record.shared = pass;
    part.request->text.finish_round(record, part.q, std::move(choice));
  }
  return records;
}

}  // namespace draftscope
