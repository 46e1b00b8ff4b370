#include <flatbuffers/flatbuffers.h>

#include <string>
#include <variant>

#include "engine/record/codec.h"
#include "engine/record/round_generated.h"
#include "engine/record/wire_enums.h"

namespace draftscope {
namespace {

using Builder = flatbuffers::FlatBufferBuilder;
template <class T>
using Offset = flatbuffers::Offset<T>;

// Empty vectors and strings are left out: the reader takes an absent one as empty.
template <class T>
Offset<flatbuffers::Vector<T>> put(Builder& builder, const std::vector<T>& values) {
  return values.empty() ? 0 : builder.CreateVector(values);
}
Offset<flatbuffers::String> put(Builder& builder, const std::string& text) {
  return text.empty() ? 0 : builder.CreateString(text);
}
Offset<flatbuffers::Vector<uint8_t>> put_bytes(Builder& builder, const std::string& bytes) {
  return bytes.empty() ? 0
                       : builder.CreateVector(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

Offset<wire::Marginals> put(Builder& builder, const Marginals& q) {
  const auto token = put(builder, q.token);
  const auto log_q = put(builder, q.log_q);
  return wire::CreateMarginals(builder, q.n_depths, q.n_ranks, token, log_q);
}

Offset<wire::DraftTree> put(Builder& builder, const DraftTree& tree) {
  const auto token = put(builder, tree.token);
  const auto parent = put(builder, tree.parent);
  const auto depth = put(builder, tree.depth);
  const auto rank = put(builder, tree.rank);
  const auto path_log_q = put(builder, tree.path_log_q);
  return wire::CreateDraftTree(builder, token, parent, depth, rank, path_log_q);
}

Offset<wire::BudgetDecision> put(Builder& builder, const BudgetDecision& decision) {
  const auto expected_tokens = put(builder, decision.expected_tokens);
  const auto cost_s = put(builder, decision.cost_s);
  const auto theta = put(builder, decision.theta_tokens_per_s);
  return wire::CreateBudgetDecision(builder, decision.chosen, decision.faithful_stop, decision.global_best,
                                    decision.runner_up, to_wire(decision.stop), expected_tokens, cost_s,
                                    theta, to_wire(decision.provenance));
}

Offset<wire::Verdict> put(Builder& builder, const Verdict& verdict) {
  const auto choice = put(builder, verdict.choice);
  const auto choice_log_p = put(builder, verdict.choice_log_p);
  return wire::CreateVerdict(builder, choice, choice_log_p);
}

Offset<wire::StageTimes> put(Builder& builder, const StageTimes& times) {
  return wire::CreateStageTimes(builder, times.draft_ns, times.grow_ns, times.verify_ns, times.accept_ns,
                                times.commit_ns, to_wire(times.provenance));
}

Offset<wire::TokenText> put(Builder& builder, const TokenText& text) {
  const auto id = put(builder, text.id);
  const auto offset = put(builder, text.offset);
  const auto pool = put_bytes(builder, text.pool);
  return wire::CreateTokenText(builder, id, offset, pool);
}

Offset<wire::CostModel> put(Builder& builder, const CostModel& cost) {
  const auto label = put(builder, cost.label);
  const auto source = put(builder, cost.source);
  const auto model = put(builder, cost.model);
  const auto machine = put(builder, cost.machine);
  const auto backend = put(builder, cost.backend);
  const auto context = put(builder, cost.context);
  const auto rows = put(builder, cost.rows);
  const auto verify_s = put(builder, cost.verify_s);
  const auto spread_s = put(builder, cost.spread_s);
  const auto draft_s = put(builder, cost.draft_s);
  const auto plain_s = put(builder, cost.plain_s);
  return wire::CreateCostModel(builder, to_wire(cost.kind), label, source, model, machine, backend, context,
                               rows, verify_s, spread_s, draft_s, cost.overhead_s, plain_s);
}

Offset<wire::SharedPass> put(Builder& builder, const std::optional<SharedPass>& shared) {
  if (!shared) return 0;
  return wire::CreateSharedPass(builder, shared->pass, shared->n_requests, shared->n_rows, shared->n_tokens,
                                shared->expected_tokens, shared->theta_tokens_per_s);
}

Offset<wire::RoundRecord> put(Builder& builder, const RoundRecord& round) {
  const auto q = put(builder, round.q);
  const auto tree = put(builder, round.tree);
  const auto decision = put(builder, round.decision);
  const auto verdict = put(builder, round.verdict);
  const auto path = put(builder, round.accepted.path);
  const auto accepted = wire::CreateAccepted(builder, path, round.accepted.bonus);
  const auto took = put(builder, round.took);
  const auto predicted = put(builder, round.predicted);
  const auto text = put(builder, round.text);
  const auto committed = put(builder, round.committed_utf8);
  const auto shared = put(builder, round.shared);
  return wire::CreateRoundRecord(builder, round.seq, round.session, round.context_len, to_wire(round.method),
                                 round.temperature, q, tree, decision, verdict, accepted, took, predicted,
                                 round.telemetry_ns, text, committed, round.cost_drift, round.drift_alarm, shared);
}

Offset<wire::SessionInfo> put(Builder& builder, const SessionInfo& info) {
  const auto target_name = put(builder, info.target_name);
  const auto drafter_name = put(builder, info.drafter_name);
  const auto backend = put(builder, info.backend);
  const auto precision = put(builder, info.precision);
  const auto machine = put(builder, info.machine);
  const auto note = put(builder, info.note);
  const auto prompt = put(builder, info.prompt_utf8);
  const auto cost = put(builder, info.cost);
  return wire::CreateSessionInfo(builder, info.session, target_name, drafter_name, backend, precision,
                                 machine, note, prompt, info.prompt_tokens, info.block_size, info.max_tokens,
                                 to_wire(info.method), info.budget, info.temperature, info.seed, cost,
                                 info.dense, info.max_nodes, info.n_slots);
}

Offset<wire::SessionEnd> put(Builder& builder, const SessionEnd& end) {
  const auto message = put(builder, end.message);
  const auto output = put(builder, end.output_utf8);
  return wire::CreateSessionEnd(builder, end.session, to_wire(end.reason), message, end.n_tokens,
                                end.n_rounds, end.decode_ns, end.prefill_ns, output);
}

template <class T>
std::span<const std::byte> encode_frame(Builder& builder, wire::Message type, const T& message) {
  builder.Clear();  // keeps the memory
  const auto body = put(builder, message);
  wire::FinishFrameBuffer(builder, wire::CreateFrame(builder, kRecordVersion, type, body.Union()));
  return {reinterpret_cast<const std::byte*>(builder.GetBufferPointer()), builder.GetSize()};
}

}  // namespace

struct Encoder::Buffer {
  Builder builder{64 * 1024};  // a round of 256 nodes fits without growing
};

Encoder::Encoder() : buffer_(std::make_unique<Buffer>()) {}
Encoder::~Encoder() = default;
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;

std::span<const std::byte> Encoder::encode(const SessionInfo& info) {
  return encode_frame(buffer_->builder, wire::Message::SessionInfo, info);
}
std::span<const std::byte> Encoder::encode(const RoundRecord& round) {
  return encode_frame(buffer_->builder, wire::Message::RoundRecord, round);
}
std::span<const std::byte> Encoder::encode(const SessionEnd& end) {
  return encode_frame(buffer_->builder, wire::Message::SessionEnd, end);
}
std::span<const std::byte> Encoder::encode(const Message& message) {
  return std::visit([this](const auto& body) { return encode(body); }, message);
}

std::vector<std::byte> encode(const Message& message) {
  Encoder encoder;
  const std::span<const std::byte> bytes = encoder.encode(message);
  return {bytes.begin(), bytes.end()};
}

}  // namespace draftscope
