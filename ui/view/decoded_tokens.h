// What counts as decoded, once for text, JSON, bench, batch and window. The prompt's own pass makes the first token; the
// end of text is a token that rounds decode; what was accepted behind the end or the limit is nobody's output.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>

#include "ui/store.h"

namespace draftscope {

/// Tokens that the rounds of a whole generation decoded.
inline int64_t decoded_tokens(const SessionEnd& end) {
  return std::max<int64_t>(0, end.n_tokens - 1 + (end.reason == EndReason::kEos ? 1 : 0));
}

/// What the last round committed behind the end of the text, once the end is known: bonus included, and no other round has
/// any. The round's own context says where it began, whatever is missing before it.
inline int64_t behind_the_end(const RequestHistory& request) {
  if (!request.info || !request.end || request.rounds.empty()) return 0;
  const RoundRecord& last = request.rounds.back();
  if (last.seq + 1 < request.end->n_rounds) return 0;
  const auto n_path = static_cast<int64_t>(last.accepted.path.size());
  const int64_t decoded_before = last.context_len - request.info->prompt_tokens;
  return std::clamp<int64_t>(decoded_before + n_path - decoded_tokens(*request.end), 0, n_path);
}

/// Tokens of rounds()[round] that the text kept.
inline int64_t kept_tokens(const RequestHistory& request, size_t round) {
  const auto n_path = static_cast<int64_t>(request.rounds[round].accepted.path.size());
  return round + 1 == request.rounds.size() ? n_path - behind_the_end(request) : n_path;
}

/// How many of a round's kept tokens were drafted: all but the bonus, which is the last one.
inline int64_t kept_drafts(const RoundRecord& record, int64_t n_kept) {
  return std::min(n_kept, std::max<int64_t>(0, static_cast<int64_t>(record.accepted.path.size()) - 1));
}

/// What the requests that ended in a pass committed behind their ends, by the pass's number; others are left out.
inline std::map<int64_t, int64_t> behind_by_pass(const RecordStore& store) {
  std::map<int64_t, int64_t> behind;
  for (const RequestHistory& request : store.requests()) {
    const int64_t n_tokens = behind_the_end(request);
    if (n_tokens > 0 && request.rounds.back().shared) behind[request.rounds.back().shared->pass] += n_tokens;
  }
  return behind;
}

/// Both are 0 where nothing was decoded.
inline double tokens_per_round(int64_t n_decoded, int64_t n_rounds) {
  return n_rounds > 0 ? static_cast<double>(n_decoded) / static_cast<double>(n_rounds) : 0;
}
inline double tokens_per_s(int64_t n_decoded, int64_t took_ns) {
  return took_ns > 0 ? static_cast<double>(n_decoded) / (static_cast<double>(took_ns) * 1e-9) : 0;
}

}  // namespace draftscope
