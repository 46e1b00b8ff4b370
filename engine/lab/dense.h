// Dense text: what the drafter says at every position of a generation, as `record --dense` keeps it. Everything in
// engine/lab follows from it without a model, because neither the drafter's context nor the target's next token
// depends on how the text was cut into rounds.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/check.h"
#include "engine/record/round.h"

namespace draftscope {

/// One token of the text as the root of a round.
struct DensePosition {
  int32_t context_len = 0;         // tokens in the target's cache before a round that begins here
  int32_t root_token = -1;
  int32_t next_token = -1;         // what the target says after the root
  Marginals q;                     // ranks as deep as any tree of max_nodes nodes needs them
};

/// at[i].next_token == at[i + 1].root_token; the text ends after the last next_token.
struct DenseText {
  float temperature = 0;
  int32_t max_nodes = 0;           // trees up to this size are exactly those of a live run
  std::vector<DensePosition> at;

  int32_t n_tokens() const { return static_cast<int32_t>(at.size()); }
};

/// The generation of `info`. Errors: not a dense trace, an impossible max_nodes, a missing round, rounds that do not
/// follow each other.
Result<DenseText> dense_text(const SessionInfo& info, std::span<const RoundRecord> rounds);

}  // namespace draftscope
