// Best-first growth of a draft tree from the drafter's marginals (DDTree, arXiv 2604.12989).
#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

#include "engine/record/round.h"

namespace draftscope {

/// Grows one node at a time in order of descending path probability; stopping after n pops gives the
/// n most probable prefixes under independent marginals, which are always a tree.
/// Equal path_log_q pops the lexicographically smaller rank path first, a prefix before its extensions.
class TreeGrower {
 public:
  /// q: see Marginals; rows of -inf or exhausted ranks are never popped. Borrows q.
  TreeGrower(const Marginals& q, int32_t root_token);

  /// log q of the path that the next pop would add; nullopt when no finite candidate is left.
  std::optional<double> next_log_q() const;
  /// Appends the next node to the tree. Requires next_log_q().
  void pop();

  const DraftTree& tree() const { return tree_; }
  DraftTree take() { return std::move(tree_); }

 private:
  struct Candidate { double log_q; int32_t parent, depth, rank; };
  bool before(const Candidate& a, const Candidate& b) const;
  void push(Candidate candidate);

  const Marginals& q_;
  DraftTree tree_;
  std::vector<Candidate> heap_;
};

/// Grows at most max_nodes nodes below the root.
DraftTree grow_tree(const Marginals& q, int32_t root_token, int32_t max_nodes);
/// The drafter's most likely chain: rank 0 at every depth, at most max_nodes nodes.
DraftTree grow_chain(const Marginals& q, int32_t root_token, int32_t max_nodes);

}  // namespace draftscope
