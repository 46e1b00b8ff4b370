// Best-first growth of a draft tree from the drafter's marginals (DDTree, arXiv 2604.12989).
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "engine/record/round.h"

namespace draftscope {

/// Grows one node at a time in order of descending path probability; stopping after n pops gives the
/// n most probable prefixes under independent marginals, which are always a tree.
/// Equal path_log_q pops the lexicographically smaller rank path first, a prefix before its extensions.
/// O(log n) per pop: only the next sibling and the first child of a popped node can become candidates.
class TreeGrower {
 public:
  /// q: see Marginals; entries that are not finite are never popped, nor anything after them in their row.
  /// Borrows q. Room for `max_nodes` nodes is set aside; growing further stays correct.
  /// off_spine: factor in (0, 1] on the probability of every child of a node that is not on the most likely chain.
  TreeGrower(const Marginals& q, int32_t root_token, int32_t max_nodes = 0, double off_spine = 1);

  /// log q of the path that the next pop would add; nullopt when no finite candidate is left.
  std::optional<double> next_log_q() const;
  /// Appends the next node to the tree. Requires next_log_q().
  void pop();

  const DraftTree& tree() const { return tree_; }
  DraftTree take() { return std::move(tree_); }

 private:
  struct Candidate {
    double log_q;
    int32_t parent, depth, rank;
  };
  bool before(const Candidate& a, const Candidate& b) const;
  bool rank_path_before(Candidate a, Candidate b) const;
  void push(int32_t parent, int32_t depth, int32_t rank);

  const Marginals& q_;
  double log_off_spine_;
  std::vector<bool> on_spine_;   // (n_nodes + 1,) whether a node lies on the chain of ranks 0
  DraftTree tree_;
  std::vector<Candidate> heap_;  // the next pop is at the front
};

/// Grows at most max_nodes nodes below the root.
DraftTree grow_tree(const Marginals& q, int32_t root_token, int32_t max_nodes);
/// The drafter's most likely chain: rank 0 at every depth, at most max_nodes nodes.
DraftTree grow_chain(const Marginals& q, int32_t root_token, int32_t max_nodes);

/// The most likely chain first, then the most probable other prefixes, at most max_nodes nodes in all. Any prefix of
/// at least the chain's length is the tree of that many nodes.
DraftTree grow_spine(const Marginals& q, int32_t root_token, int32_t max_nodes);

/// The tree that the first n_nodes pops made.
DraftTree first_nodes(DraftTree tree, int32_t n_nodes);

/// The first n_ranks columns.
Marginals first_ranks(const Marginals& q, int32_t n_ranks);

}  // namespace draftscope
