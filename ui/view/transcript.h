// The output so far, cut into spans: which round committed it, and whether the drafter or the target wrote
// it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ui/measuring.h"
#include "ui/store.h"

namespace draftscope {

/// kTarget: the target's own tokens where nothing was drafted: the first one, which the prompt's pass makes,
/// and all of plain decoding.
enum class SpanKind : uint8_t { kPrompt, kTarget, kAccepted, kBonus, kGap };

struct TranscriptSpan {
  SpanKind kind = SpanKind::kAccepted;
  std::string text;      // UTF-8 as committed; of a gap: a sentence
  int64_t round = -1;    // index into RecordStore::rounds(); -1 for the prompt
  int32_t n_tokens = 0;  // drafted tokens that the text kept; 1 for the bonus and for each of the target's own
};

struct Transcript {
  std::vector<TranscriptSpan> spans;
  std::string empty_reason;
};

/// `measuring` tells why there is nothing yet.
///
/// Target, accepted and bonus spans join to the rounds' committed_utf8, in order. A character whose bytes
/// come from both belongs to the span that completes it.
Transcript transcript(const RecordStore& store, const Measuring& measuring = {});

/// "round 3: 5 drafted tokens accepted". Of a gap: why it is there, which depends on whether an engine decodes `live`.
std::string span_line(const TranscriptSpan& span, bool live);

/// Where the text of the bonus begins in record.committed_utf8, when `pending` bytes of an unfinished
/// character came from the rounds before. Sets `pending` for the next round.
size_t bonus_offset(const RoundRecord& record, std::string& pending);

}  // namespace draftscope
