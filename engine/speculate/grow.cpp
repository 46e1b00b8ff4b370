#include "engine/speculate/grow.h"

#include <algorithm>
#include <cmath>

#include "engine/base/check.h"

namespace draftscope {
namespace {

void append(DraftTree& tree, int32_t token, int32_t parent, int32_t depth, int32_t rank, double path_log_q) {
  tree.token.push_back(token);
  tree.parent.push_back(parent);
  tree.depth.push_back(depth);
  tree.rank.push_back(rank);
  tree.path_log_q.push_back(path_log_q);
}

DraftTree lone_root(int32_t root_token, int32_t max_nodes) {
  DraftTree tree;
  const size_t n_nodes = static_cast<size_t>(max_nodes) + 1;
  for (std::vector<int32_t>* column : {&tree.token, &tree.parent, &tree.depth, &tree.rank}) {
    column->reserve(n_nodes);
  }
  tree.path_log_q.reserve(n_nodes);
  append(tree, root_token, -1, 0, 0, 0.0);
  return tree;
}

// The table holds n_depths * n_ranks entries, and no row count is negative.
void check_sizes(const Marginals& q) {
  DS_CHECK(q.n_depths >= 0 && q.n_ranks >= 0);
  const size_t n_entries = static_cast<size_t>(q.n_depths) * static_cast<size_t>(q.n_ranks);
  DS_CHECK(q.token.size() == n_entries && q.log_q.size() == n_entries,
           "{} depths of {} ranks, {} tokens, {} log q", q.n_depths, q.n_ranks, q.token.size(),
           q.log_q.size());
}

}  // namespace

TreeGrower::TreeGrower(const Marginals& q, int32_t root_token, int32_t max_nodes, double off_spine)
    : q_(q), log_off_spine_(std::log(off_spine)), on_spine_{true} {
  check_sizes(q);
  DS_CHECK(max_nodes >= 0 && off_spine > 0 && off_spine <= 1);
  tree_ = lone_root(root_token, max_nodes);
  heap_.reserve(static_cast<size_t>(max_nodes) + 2);  // a pop removes one candidate and adds at most two
  push(0, 1, 0);
}

std::optional<double> TreeGrower::next_log_q() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().log_q;
}

void TreeGrower::pop() {
  DS_CHECK(!heap_.empty());
  std::pop_heap(heap_.begin(), heap_.end(),
                [this](const Candidate& a, const Candidate& b) { return before(b, a); });
  const Candidate next = heap_.back();
  heap_.pop_back();
  const int32_t index = tree_.size();
  append(tree_, q_.token_at(next.depth - 1, next.rank), next.parent, next.depth, next.rank, next.log_q);
  on_spine_.push_back(next.rank == 0 && on_spine_[static_cast<size_t>(next.parent)]);
  push(next.parent, next.depth, next.rank + 1);
  push(index, next.depth + 1, 0);
}

void TreeGrower::push(int32_t parent, int32_t depth, int32_t rank) {
  if (depth > q_.n_depths || rank >= q_.n_ranks) return;
  const float log_q = q_.log_q_at(depth - 1, rank);
  if (!std::isfinite(log_q)) return;
  double path_log_q = tree_.path_log_q[static_cast<size_t>(parent)] + log_q;
  if (!on_spine_[static_cast<size_t>(parent)]) path_log_q += log_off_spine_;
  heap_.push_back({path_log_q, parent, depth, rank});
  std::push_heap(heap_.begin(), heap_.end(),
                 [this](const Candidate& a, const Candidate& b) { return before(b, a); });
}

bool TreeGrower::before(const Candidate& a, const Candidate& b) const {
  if (a.log_q != b.log_q) return a.log_q > b.log_q;
  return rank_path_before(a, b);
}

// Climbs the deeper path to the depth of the other, then both to where they part. They do part: a path only
// becomes a candidate when everything above it is in the tree, so no candidate is a prefix of another.
bool TreeGrower::rank_path_before(Candidate a, Candidate b) const {
  const auto climb = [this](Candidate& c) {
    const size_t parent = static_cast<size_t>(c.parent);
    c.depth -= 1;
    c.rank = tree_.rank[parent];
    c.parent = tree_.parent[parent];
  };
  while (a.depth > b.depth) climb(a);
  while (b.depth > a.depth) climb(b);
  while (a.parent != b.parent) {
    climb(a);
    climb(b);
  }
  return a.rank < b.rank;
}

DraftTree grow_tree(const Marginals& q, int32_t root_token, int32_t max_nodes) {
  TreeGrower grower(q, root_token, max_nodes);
  for (int32_t n = 0; n < max_nodes && grower.next_log_q(); ++n) grower.pop();
  return grower.take();
}

DraftTree grow_spine(const Marginals& q, int32_t root_token, int32_t max_nodes) {
  DraftTree tree = grow_chain(q, root_token, max_nodes);
  const int32_t n_spine = tree.size();
  TreeGrower grower(q, root_token, max_nodes + n_spine);
  std::vector<int32_t> place{0};  // (popped + 1,) where each node of the grower's order stands in `tree`
  while (tree.size() <= max_nodes && grower.next_log_q()) {
    grower.pop();
    const DraftTree& popped = grower.tree();
    const size_t node = static_cast<size_t>(popped.size()) - 1;
    const int32_t parent = place[static_cast<size_t>(popped.parent[node])], depth = popped.depth[node];
    const bool is_spine = popped.rank[node] == 0 && parent == depth - 1 && depth < n_spine;
    place.push_back(is_spine ? depth : tree.size());
    if (!is_spine) append(tree, popped.token[node], parent, depth, popped.rank[node], popped.path_log_q[node]);
  }
  return tree;
}

DraftTree first_nodes(DraftTree tree, int32_t n_nodes) {
  DS_CHECK(n_nodes >= 0 && n_nodes < tree.size(), "{} of {} nodes", n_nodes, tree.size() - 1);
  const size_t size = static_cast<size_t>(n_nodes) + 1;
  for (std::vector<int32_t>* column : {&tree.token, &tree.parent, &tree.depth, &tree.rank}) column->resize(size);
  tree.path_log_q.resize(size);
  return tree;
}

Marginals first_ranks(const Marginals& q, int32_t n_ranks) {
  if (n_ranks >= q.n_ranks) return q;
  Marginals cut{q.n_depths, n_ranks, {}, {}};
  for (int32_t depth = 0; depth < q.n_depths; ++depth) {
    const ptrdiff_t begin = static_cast<ptrdiff_t>(depth) * q.n_ranks;
    cut.token.insert(cut.token.end(), q.token.begin() + begin, q.token.begin() + begin + n_ranks);
    cut.log_q.insert(cut.log_q.end(), q.log_q.begin() + begin, q.log_q.begin() + begin + n_ranks);
  }
  return cut;
}

DraftTree grow_chain(const Marginals& q, int32_t root_token, int32_t max_nodes) {
  check_sizes(q);
  DS_CHECK(max_nodes >= 0);
  const int32_t longest = q.n_ranks == 0 ? 0 : std::min(max_nodes, q.n_depths);
  DraftTree tree = lone_root(root_token, longest);
  for (int32_t depth = 1; depth <= longest; ++depth) {
    const float log_q = q.log_q_at(depth - 1, 0);
    if (!std::isfinite(log_q)) break;
    append(tree, q.token_at(depth - 1, 0), depth - 1, depth, 0, tree.path_log_q.back() + log_q);
  }
  return tree;
}

}  // namespace draftscope
