#include <flatbuffers/flatbuffers.h>

#include <string>
#include <utility>

#include "engine/record/codec.h"
#include "engine/record/invariants.h"
#include "engine/record/round_generated.h"
#include "engine/record/wire_enums.h"

namespace draftscope {
namespace {

// FlatBuffers reads values in place, so the bytes must begin where the widest value may lie.
constexpr size_t kAlignment_bytes = 8;

template <class T>
std::vector<T> get(const flatbuffers::Vector<T>* stored) {
  if (stored == nullptr) return {};
  return {stored->data(), stored->data() + stored->size()};
}
std::string get(const flatbuffers::String* stored) {
  return stored == nullptr ? std::string() : stored->str();
}
std::string get_bytes(const flatbuffers::Vector<uint8_t>* stored) {
  if (stored == nullptr) return {};
  return {reinterpret_cast<const char*>(stored->data()), stored->size()};
}

Marginals get(const wire::Marginals& stored) {
  return {stored.n_depths(), stored.n_ranks(), get(stored.token()), get(stored.log_q())};
}

DraftTree get(const wire::DraftTree& stored) {
  return {get(stored.token()), get(stored.parent()), get(stored.depth()), get(stored.rank()),
          get(stored.path_log_q())};
}

bool get(const wire::BudgetDecision& stored, BudgetDecision& decision) {
  decision.chosen = stored.chosen();
  decision.faithful_stop = stored.faithful_stop();
  decision.global_best = stored.global_best();
  decision.runner_up = stored.runner_up();
  decision.expected_tokens = get(stored.expected_tokens());
  decision.cost_s = get(stored.cost_s());
  decision.theta_tokens_per_s = get(stored.theta_tokens_per_s());
  return from_wire(stored.stop(), decision.stop) && from_wire(stored.provenance(), decision.provenance);
}

bool get(const wire::StageTimes& stored, StageTimes& times) {
  times.draft_ns = stored.draft_ns();
  times.grow_ns = stored.grow_ns();
  times.verify_ns = stored.verify_ns();
  times.accept_ns = stored.accept_ns();
  times.commit_ns = stored.commit_ns();
  return from_wire(stored.provenance(), times.provenance);
}

bool get(const wire::CostModel& stored, CostModel& cost) {
  cost.label = get(stored.label());
  cost.source = get(stored.source());
  cost.model = get(stored.model());
  cost.machine = get(stored.machine());
  cost.backend = get(stored.backend());
  cost.context = get(stored.context());
  cost.rows = get(stored.rows());
  cost.verify_s = get(stored.verify_s());
  cost.spread_s = get(stored.spread_s());
  cost.draft_s = get(stored.draft_s());
  cost.overhead_s = stored.overhead_s();
  cost.plain_s = get(stored.plain_s());
  return from_wire(stored.kind(), cost.kind);
}

// Each read_message is false when an enumeration holds an unknown value.
bool read_message(const wire::SessionInfo& stored, SessionInfo& info) {
  info.session = stored.session();
  info.target_name = get(stored.target_name());
  info.drafter_name = get(stored.drafter_name());
  info.backend = get(stored.backend());
  info.precision = get(stored.precision());
  info.machine = get(stored.machine());
  info.note = get(stored.note());
  info.prompt_utf8 = get(stored.prompt_utf8());
  info.prompt_tokens = stored.prompt_tokens();
  info.block_size = stored.block_size();
  info.max_tokens = stored.max_tokens();
  info.budget = stored.budget();
  info.temperature = stored.temperature();
  info.seed = stored.seed();
  info.dense = stored.dense();
  info.max_nodes = stored.max_nodes();
  info.n_slots = stored.n_slots();
  return from_wire(stored.method(), info.method) && get(*stored.cost(), info.cost);
}

bool read_message(const wire::RoundRecord& stored, RoundRecord& round) {
  round.seq = stored.seq();
  round.session = stored.session();
  round.context_len = stored.context_len();
  round.temperature = stored.temperature();
  round.q = get(*stored.q());
  round.tree = get(*stored.tree());
  round.verdict = {get(stored.verdict()->choice()), get(stored.verdict()->choice_log_p())};
  round.accepted = {get(stored.accepted()->path()), stored.accepted()->bonus()};
  round.telemetry_ns = stored.telemetry_ns();
  round.text = {get(stored.text()->id()), get(stored.text()->offset()), get_bytes(stored.text()->pool())};
  round.committed_utf8 = get(stored.committed_utf8());
  round.cost_drift = stored.cost_drift();
  round.drift_alarm = stored.drift_alarm();
  if (const wire::SharedPass* shared = stored.shared()) {
    round.shared = {shared->pass(),     shared->n_requests(),      shared->n_rows(),
                    shared->n_tokens(), shared->expected_tokens(), shared->theta_tokens_per_s()};
  }
  return from_wire(stored.method(), round.method) && get(*stored.decision(), round.decision) &&
         get(*stored.took(), round.took) && get(*stored.predicted(), round.predicted);
}

bool read_message(const wire::SessionEnd& stored, SessionEnd& end) {
  end.session = stored.session();
  end.message = get(stored.message());
  end.n_tokens = stored.n_tokens();
  end.n_rounds = stored.n_rounds();
  end.decode_ns = stored.decode_ns();
  end.prefill_ns = stored.prefill_ns();
  end.output_utf8 = get(stored.output_utf8());
  return from_wire(stored.reason(), end.reason);
}

template <class Plain, class Stored>
Result<Message> checked(const char* what, const Stored& stored) {
  Result<Message> message = Message();
  Plain& plain = message->emplace<Plain>();
  if (!read_message(stored, plain))
    return fail("{} holds an enumeration value that this version does not know", what);
  const Status status = check_invariants(plain);
  if (!status) return fail("{} of session {} is inconsistent: {}", what, plain.session, status.error());
  return message;
}

Result<Message> decode_aligned(std::span<const std::byte> bytes) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  flatbuffers::Verifier verifier(data, bytes.size());
  if (!wire::VerifyFrameBuffer(verifier)) {
    return fail("{} bytes are no record: expected identifier {} and whole tables", bytes.size(),
                wire::FrameIdentifier());
  }
  const wire::Frame& frame = *wire::GetFrame(data);
  if (frame.version() != kRecordVersion) {
    return fail("record has version {}, expected {}", frame.version(), kRecordVersion);
  }
  switch (frame.message_type()) {
    case wire::Message::SessionInfo:
      return checked<SessionInfo>("session info", *frame.message_as_SessionInfo());
    case wire::Message::RoundRecord:
      return checked<RoundRecord>("round", *frame.message_as_RoundRecord());
    case wire::Message::SessionEnd:
      return checked<SessionEnd>("session end", *frame.message_as_SessionEnd());
    case wire::Message::NONE:
      break;
  }
  return fail("record holds a message of unknown kind {}", static_cast<int>(frame.message_type()));
}

}  // namespace

Result<Message> decode(std::span<const std::byte> bytes) {
  if (bytes.size() > kMaxMessageBytes) {
    return fail("record has {} bytes, expected at most {}", bytes.size(), kMaxMessageBytes);
  }
  if (bytes.empty()) return fail("record is empty");
  if (reinterpret_cast<uintptr_t>(bytes.data()) % kAlignment_bytes == 0) return decode_aligned(bytes);
  const std::vector<std::byte> aligned(bytes.begin(), bytes.end());
  return decode_aligned(aligned);
}

}  // namespace draftscope
