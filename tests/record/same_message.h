// Equality of messages, field by field and bit by bit (NaN equals itself).
#pragma once

#include <cstring>
#include <tuple>
#include <vector>

#include "engine/record/round.h"

namespace draftscope::test {

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

inline bool same(const Marginals& a, const Marginals& b) {
  return std::tie(a.n_depths, a.n_ranks, a.token) == std::tie(b.n_depths, b.n_ranks, b.token) &&
         same_bits(a.log_q, b.log_q);
}
inline bool same(const DraftTree& a, const DraftTree& b) {
  return std::tie(a.token, a.parent, a.depth, a.rank) == std::tie(b.token, b.parent, b.depth, b.rank) &&
         same_bits(a.path_log_q, b.path_log_q);
}
inline bool same(const BudgetDecision& a, const BudgetDecision& b) {
  return std::tie(a.chosen, a.faithful_stop, a.global_best, a.runner_up, a.stop, a.provenance) ==
             std::tie(b.chosen, b.faithful_stop, b.global_best, b.runner_up, b.stop, b.provenance) &&
         same_bits(a.expected_tokens, b.expected_tokens) && same_bits(a.cost_s, b.cost_s) &&
         same_bits(a.theta_tokens_per_s, b.theta_tokens_per_s);
}
inline bool same(const StageTimes& a, const StageTimes& b) {
  return std::tie(a.draft_ns, a.grow_ns, a.verify_ns, a.accept_ns, a.commit_ns, a.provenance) ==
         std::tie(b.draft_ns, b.grow_ns, b.verify_ns, b.accept_ns, b.commit_ns, b.provenance);
}
inline bool same(const CostModel& a, const CostModel& b) {
  return std::tie(a.kind, a.label, a.source, a.model, a.machine, a.backend, a.context, a.rows,
                  a.overhead_s) == std::tie(b.kind, b.label, b.source, b.model, b.machine, b.backend,
                                            b.context, b.rows, b.overhead_s) &&
         same_bits(a.verify_s, b.verify_s) && same_bits(a.spread_s, b.spread_s) &&
         same_bits(a.draft_s, b.draft_s) && same_bits(a.plain_s, b.plain_s);
}
inline bool same(const std::optional<SharedPass>& a, const std::optional<SharedPass>& b) {
  if (!a || !b) return !a && !b;
  return std::tie(a->pass, a->n_requests, a->n_rows, a->n_tokens, a->expected_tokens, a->theta_tokens_per_s) ==
         std::tie(b->pass, b->n_requests, b->n_rows, b->n_tokens, b->expected_tokens, b->theta_tokens_per_s);
}
inline bool same(const RoundRecord& a, const RoundRecord& b) {
  return std::tie(a.seq, a.session, a.context_len, a.method, a.temperature, a.telemetry_ns, a.committed_utf8,
                  a.cost_drift, a.drift_alarm) == std::tie(b.seq, b.session, b.context_len, b.method, b.temperature,
                                                           b.telemetry_ns, b.committed_utf8, b.cost_drift,
                                                           b.drift_alarm) &&
         same(a.q, b.q) && same(a.tree, b.tree) && same(a.decision, b.decision) &&
         a.verdict.choice == b.verdict.choice && same_bits(a.verdict.choice_log_p, b.verdict.choice_log_p) &&
         std::tie(a.accepted.path, a.accepted.bonus) == std::tie(b.accepted.path, b.accepted.bonus) &&
         same(a.took, b.took) && same(a.predicted, b.predicted) &&
         std::tie(a.text.id, a.text.offset, a.text.pool) == std::tie(b.text.id, b.text.offset, b.text.pool) &&
         same(a.shared, b.shared);
}
inline bool same(const SessionInfo& a, const SessionInfo& b) {
  return std::tie(a.session, a.target_name, a.drafter_name, a.backend, a.precision, a.machine, a.note,
                  a.prompt_utf8, a.prompt_tokens, a.block_size, a.max_tokens, a.method, a.budget,
                  a.temperature, a.seed, a.n_slots) == std::tie(b.session, b.target_name, b.drafter_name, b.backend,
                                                     b.precision, b.machine, b.note, b.prompt_utf8,
                                                     b.prompt_tokens, b.block_size, b.max_tokens, b.method,
                                                     b.budget, b.temperature, b.seed, b.n_slots) &&
         same(a.cost, b.cost);
}
inline bool same(const SessionEnd& a, const SessionEnd& b) {
  return std::tie(a.session, a.reason, a.message, a.n_tokens, a.n_rounds, a.decode_ns, a.prefill_ns,
                  a.output_utf8) == std::tie(b.session, b.reason, b.message, b.n_tokens, b.n_rounds,
                                             b.decode_ns, b.prefill_ns, b.output_utf8);
}
inline bool same(const Message& a, const Message& b) {
  if (a.index() != b.index()) return false;
  return std::visit(
      [&b](const auto& message) { return same(message, std::get<std::decay_t<decltype(message)>>(b)); }, a);
}

}  // namespace draftscope::test
