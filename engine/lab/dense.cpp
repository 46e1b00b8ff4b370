#include "engine/lab/dense.h"

namespace draftscope {
namespace {

constexpr int32_t kMostNodes = 4096;  // as the commands' --max-nodes

}  // namespace

Result<DenseText> dense_text(const SessionInfo& info, std::span<const RoundRecord> rounds) {
  if (!info.dense) return fail("session {}: expected a dense recording (record --dense), found one of {} rounds",
                               info.session, name(info.method));
  if (info.max_nodes < 1 || info.max_nodes > kMostNodes) {
    return fail("dense recording: max_nodes: expected 1 to {}, found {}", kMostNodes, info.max_nodes);
  }
  DenseText text{info.temperature, info.max_nodes, {}};
  text.at.reserve(rounds.size());
  for (const RoundRecord& round : rounds) {
    const size_t i = text.at.size();
    if (round.seq != static_cast<int64_t>(i)) return fail("dense recording: expected round {}, found {}", i, round.seq);
    if (round.method != Method::kPlain || round.verdict.choice.size() != 1) {
      return fail("dense recording: round {}: expected plain decoding of one row, found {} with {} rows", i,
                  name(round.method), round.verdict.choice.size());
    }
    if (i > 0 && round.tree.token[0] != text.at[i - 1].next_token) {
      return fail("dense recording: round {}: expected root {}, the token before it, found {}", i,
                  text.at[i - 1].next_token, round.tree.token[0]);
    }
    text.at.push_back({round.context_len, round.tree.token[0], round.verdict.choice[0], round.q});
  }
  if (text.at.empty()) return fail("dense recording: expected at least one round, found none");
  return text;
}

}  // namespace draftscope
