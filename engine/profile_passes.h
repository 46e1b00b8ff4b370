// ProfilePasses: the stages of a round, run outside any session so that each can be timed alone.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "engine/pair_memory.h"
#include "engine/record/round.h"

namespace draftscope {

/// Draft, grow, verify, accept and compact on a cache of arbitrary tokens; each may be repeated, nothing is committed.
class ProfilePasses {
 public:
  /// Memory for contexts up to max_context and passes of up to max_rows rows. `pair` must outlive this.
  ProfilePasses(const Pair& pair, int32_t max_context, int32_t max_rows);

  /// Lengthens the caches to `context` tokens; never shortens. Asks before every piece; false when it is not to go on.
  bool fill(int32_t context, const std::function<bool()>& keep_going = [] { return true; });
  /// One drafter block; grow() reads its marginals. Requires a drafter.
  void draft(int32_t n_ranks);
  /// A tree of at most n_nodes nodes: best-first, or siblings under the root when there is no drafter.
  void grow(int32_t n_nodes);
  /// That tree instead.
  void use(DraftTree tree) { tree_ = std::move(tree); }
  int32_t n_nodes() const { return tree_.size() - 1; }
  /// One masked pass over the root and the first n_nodes nodes, answers included.
  void verify(int32_t n_nodes);
  /// Seconds of each of n replays of a drafter block and of the context it takes in first, padded as rounds pad it; and of
  /// a pass as verify() makes it. On a backend with round loops. The block's marginals are grow()'s afterwards.
  std::vector<double> replay_draft(int32_t n_ranks, int32_t n);
  std::vector<double> replay_verify(int32_t n_nodes, int32_t n);
  /// Acceptance and compaction of the path to the last node.
  void accept_and_compact();

 private:
  const Pair& pair_;
  PairMemory memory_;
  Marginals q_;
  DraftTree tree_;
  TopK top_;
};

}  // namespace draftscope
