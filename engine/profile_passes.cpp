#include "engine/profile_passes.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "engine/speculate/accept.h"
#include "engine/speculate/ancestors.h"
#include "engine/speculate/grow.h"

namespace draftscope {
namespace {

constexpr int32_t kChunk = 128;  // rows of a pass that fills the cache

/// Without a drafter: siblings under the root.
DraftTree flat_tree(int32_t n_nodes) {
  DraftTree tree;
  for (int32_t i = 0; i <= n_nodes; ++i) {
    tree.token.push_back(1);
    tree.parent.push_back(i == 0 ? -1 : 0);
    tree.depth.push_back(i == 0 ? 0 : 1);
    tree.rank.push_back(std::max(0, i - 1));
    tree.path_log_q.push_back(-i);
  }
  return tree;
}

}  // namespace

ProfilePasses::ProfilePasses(const Pair& pair, int32_t max_context, int32_t max_rows)
    : pair_(pair), kv_(pair.target.make_kv(max_context + max_rows + kChunk)) {
  const TargetConfig& target = pair.target.config();
  const int32_t capacity = kv_.store->capacity;
  rope_ = make_rope(target.layer.head_dim, target.layer.rope_theta, capacity);
  std::vector<int32_t> taps;
  if (pair.drafter) {
    const DrafterConfig& drafter = pair.drafter->config();
    taps = drafter.target_layer_ids;
    drafter_rope_ = make_rope(drafter.layer.head_dim, drafter.layer.rope_theta, capacity);
    drafter_kv_ = pair.drafter->make_kv(capacity);
    drafter_work_ = pair.drafter->make_workspace(kChunk);
  }
  work_ = pair.target.make_workspace(std::max(max_rows, kChunk), std::move(taps));
}

void ProfilePasses::fill(int32_t context) {
  while (kv_.length < context) {
    const int32_t rows = std::min(kChunk, context - kv_.length);
    std::vector<int32_t> tokens(rows), positions(rows), kept(rows);
    for (int32_t i = 0; i < rows; ++i) {
      tokens[i] = static_cast<int32_t>((kv_.length + i) * int64_t{7919} % pair_.target.config().vocab);
    }
    std::iota(positions.begin(), positions.end(), kv_.length);
    std::iota(kept.begin(), kept.end(), 0);
    const KeySets keys = causal_keys(kv_.length, rows);
    pair_.target.forward(tokens, {positions, keys, rope_}, kv_, work_);
    kv_.keep(*pair_.backend, kept);
    if (pair_.drafter) {
      pair_.drafter->append_context(work_.features->act.first_rows(rows), drafter_rope_, drafter_kv_, drafter_work_);
    }
  }
}

void ProfilePasses::draft(int32_t n_ranks) {
  q_ = pair_.drafter->draft(1, pair_.drafter->config().block_size, n_ranks, pair_.target, drafter_rope_, drafter_kv_,
                            drafter_work_);
}

void ProfilePasses::grow(int32_t n_nodes) { tree_ = pair_.drafter ? grow_tree(q_, 1, n_nodes) : flat_tree(n_nodes); }

void ProfilePasses::verify(int32_t n_nodes) {
  AncestorRows seen = ancestor_rows(tree_, n_nodes, kv_.length);
  const KeySets keys{std::move(seen.n_contiguous), std::move(seen.extra_begin), std::move(seen.extra)};
  std::vector<int32_t> positions(n_nodes + 1);
  for (int32_t i = 0; i <= n_nodes; ++i) positions[i] = kv_.length + tree_.depth[i];
  pair_.target.forward(std::span(tree_.token).first(n_nodes + 1), {positions, keys, rope_}, kv_, work_);
  pair_.target.head(work_.hidden->act.first_rows(n_nodes + 1), 1, top_);
}

void ProfilePasses::accept_and_compact() {
  std::vector<int32_t> path{tree_.size() - 1};
  while (path.back() > 0) path.push_back(tree_.parent[path.back()]);
  std::reverse(path.begin(), path.end());
  std::vector<int32_t> choice(tree_.size(), -1);
  for (size_t i = 0; i + 1 < path.size(); ++i) choice[path[i]] = tree_.token[path[i + 1]];
  const Accepted accepted = accept(tree_, choice);
  pair_.backend->keep_rows(*kv_.store, kv_.length, accepted.path);
}

}  // namespace draftscope
