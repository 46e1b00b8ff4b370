#include "ui/view/transcript.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/utf8.h"
#include "ui/view/decoded_tokens.h"

namespace draftscope {
namespace {

constexpr const char* kNothing =
    "Nothing has been decoded yet: write a prompt and press Run, or open a recording.";
constexpr const char* kMeasuring =
    "What a round costs on this machine is being measured. Then decoding begins and its text appears here; after "
    "that, write a prompt and press Run for another.";

void add_span(Transcript& out, SpanKind kind, std::string text, int64_t round, int32_t n_tokens) {
  if (text.empty()) return;
  out.spans.push_back({kind, std::move(text), round, n_tokens});
}

void add_gap(Transcript& out, int64_t n_missing, int64_t round) {
  add_span(out, SpanKind::kGap, fmt::format("[{} rounds were not received]", n_missing), round, 0);
}

/// The root of a first round, which no round before has committed, as the text begins with it.
std::string_view first_token(const RoundRecord& record) {
  if (record.seq != 0 || record.tree.size() == 0) return {};
  const std::string_view root = record.text.text_of(record.tree.token[0]);
  std::string all(root);
  for (size_t i = 1; i < record.accepted.path.size(); ++i)
    all += record.text.text_of(record.tree.token[record.accepted.path[i]]);
  if (record.accepted.bonus >= 0) all += record.text.text_of(record.accepted.bonus);
  return all.starts_with(record.committed_utf8) ? root : std::string_view();
}

void add_round(Transcript& out, const RequestHistory& request, size_t index, std::string& pending) {
  const RoundRecord& record = request.rounds[index];
  const auto round = static_cast<int64_t>(index);
  const std::string& text = record.committed_utf8;
  if (record.method == Method::kPlain) {
    add_span(out, SpanKind::kTarget, text, round, static_cast<int32_t>(record.accepted.path.size()));
    return;
  }
  const std::string_view root = first_token(record);
  const size_t first = whole_characters(std::string_view(text).substr(0, root.size()));
  if (!root.empty()) pending = root;
  const size_t split = std::max(first, bonus_offset(record, pending));
  const auto n_accepted = static_cast<int32_t>(kept_drafts(record, kept_tokens(request, index)));
  add_span(out, SpanKind::kTarget, text.substr(0, first), round, 1);
  add_span(out, SpanKind::kAccepted, text.substr(first, split - first), round, n_accepted);
  add_span(out, SpanKind::kBonus, text.substr(split), round, 1);
}

}  // namespace

size_t bonus_offset(const RoundRecord& record, std::string& pending) {
  const std::string& committed = record.committed_utf8;
  std::string drafted = std::move(pending);
  pending.clear();
  for (const int32_t node : record.accepted.path) {
    if (node > 0 && node < record.tree.size()) drafted += record.text.text_of(record.tree.token[node]);
  }
  std::string all = drafted;
  if (record.accepted.bonus >= 0) all += record.text.text_of(record.accepted.bonus);
  if (all.compare(0, committed.size(), committed) == 0) {
    // What did not complete a character waits for the next round.
    pending = all.substr(std::min(all.size(), committed.size()));
    return whole_characters(
        std::string_view(committed).substr(0, std::min(drafted.size(), committed.size())));
  }
  // The text differs from the tokens' (broken bytes replaced, end of text): trust what was committed.
  const std::string_view bonus = record.accepted.bonus >= 0 ? record.text.text_of(record.accepted.bonus) : "";
  if (!bonus.empty() && std::string_view(committed).ends_with(bonus)) return committed.size() - bonus.size();
  return record.accepted.path.size() > 1 ? committed.size() : 0;
}

Transcript transcript(const RecordStore& store, const Measuring& measuring) {
  Transcript out;
  if (!store.info()) {
    out.empty_reason = measuring.running ? kMeasuring : kNothing;
    return out;
  }
  add_span(out, SpanKind::kPrompt, store.info()->prompt_utf8, -1, store.info()->prompt_tokens);
  if (store.empty()) {
    out.empty_reason =
        store.end() ? "The generation ended before its first round." : "Waiting for the first round.";
    return out;
  }
  std::string pending;
  int64_t expected_seq = 0;
  const RequestHistory& request = store.requests()[store.shown_request()];
  for (size_t i = 0; i < request.rounds.size(); ++i) {
    const int64_t seq = request.rounds[i].seq;
    if (seq > expected_seq) {
      pending.clear();
      add_gap(out, seq - expected_seq, static_cast<int64_t>(i));
    }
    expected_seq = seq + 1;
    add_round(out, request, i, pending);
  }
  if (store.end() && store.end()->n_rounds > expected_seq) {
    add_gap(out, store.end()->n_rounds - expected_seq, static_cast<int64_t>(store.rounds().size()) - 1);
  }
  return out;
}

std::string span_line(const TranscriptSpan& span, bool live) {
  const char* plural = span.n_tokens == 1 ? "" : "s";
  switch (span.kind) {
    case SpanKind::kPrompt:
      return fmt::format("prompt, {} token{}", span.n_tokens, plural);
    case SpanKind::kTarget:
      return fmt::format("round {}: the target's own token, not drafted", span.round);
    case SpanKind::kAccepted:
      return fmt::format("round {}: {} drafted token{} accepted", span.round, span.n_tokens, plural);
    case SpanKind::kBonus:
      return fmt::format("round {}: bonus, the target's own token", span.round);
    case SpanKind::kGap:
      return live ? "The window was slower than the engine, which never waits for it." : "The recording lacks these rounds.";
  }
  return {};
}

}  // namespace draftscope
