// What counts as decoded, once for text, JSON, bench, batch and window. The prompt's own pass makes the first token; the
// end of text is a token that rounds decode; what was accepted behind the end or the limit is nobody's output.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>

#include "engine/record/round.h"

namespace draftscope {

/// Tokens that the rounds of a whole generation decoded.
inline int64_t decoded_tokens(const SessionEnd& end) {
  return std::max<int64_t>(0, end.n_tokens - 1 + (end.reason == EndReason::kEos ? 1 : 0));
}

/// Of the rounds at hand: their paths, and no more than the whole generation once its end is known.
inline int64_t decoded_tokens(const std::deque<RoundRecord>& rounds, const std::optional<SessionEnd>& end) {
  int64_t n_tokens = 0;
  for (const RoundRecord& round : rounds) n_tokens += static_cast<int64_t>(round.accepted.path.size());
  return end ? std::min(n_tokens, decoded_tokens(*end)) : n_tokens;
}

/// Both are 0 where nothing was decoded.
inline double tokens_per_round(int64_t n_decoded, int64_t n_rounds) {
  return n_rounds > 0 ? static_cast<double>(n_decoded) / static_cast<double>(n_rounds) : 0;
}
inline double tokens_per_s(int64_t n_decoded, int64_t took_ns) {
  return took_ns > 0 ? static_cast<double>(n_decoded) / (static_cast<double>(took_ns) * 1e-9) : 0;
}

}  // namespace draftscope
