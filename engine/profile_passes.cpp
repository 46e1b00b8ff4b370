#include "engine/profile_passes.h"

#include <algorithm>

#include "engine/speculate/accept.h"
#include "engine/speculate/grow.h"

namespace draftscope {
namespace {

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
    : pair_(pair), memory_(PairMemory::make(pair, max_context + max_rows + kPromptRows, max_rows)) {}

bool ProfilePasses::fill(int32_t context, const std::function<bool()>& keep_going) {
  while (memory_.target_kv.length < context) {
    if (!keep_going()) return false;
    const int32_t first = memory_.target_kv.length;
    std::vector<int32_t> tokens(std::min(kPromptRows, context - first));
    for (size_t i = 0; i < tokens.size(); ++i) {
      tokens[i] = static_cast<int32_t>((first + static_cast<int64_t>(i)) * 7919 % pair_.target.config().vocab);
    }
    memory_.read(pair_, tokens);
  }
  return true;
}

void ProfilePasses::draft(int32_t n_ranks) {
  q_ = pair_.drafter->draft(1, pair_.drafter->config().block_size, n_ranks, pair_.target, memory_.drafter_rope,
                            memory_.drafter_kv, memory_.drafter_work);
}

void ProfilePasses::grow(int32_t n_nodes) { tree_ = pair_.drafter ? grow_tree(q_, 1, n_nodes) : flat_tree(n_nodes); }

void ProfilePasses::verify(int32_t n_nodes) {
  memory_.pass(pair_, tree_rows(tree_, n_nodes, memory_.target_kv.length));
  pair_.target.head(memory_.target_work.hidden->act.first_rows(n_nodes + 1), 1, top_);
}

std::vector<double> ProfilePasses::replay_draft(int32_t n_ranks, int32_t n) {
  draft(n_ranks);
  const Drafter& drafter = *pair_.drafter;
  DrafterWorkspace& work = memory_.drafter_work;
  const std::vector<int32_t> block(static_cast<size_t>(drafter.config().block_size), 0);
  work.context_rows = chain_rows(block, memory_.drafter_kv.length);
  pair_.backend->place(work.context_rows);
  const Act features = memory_.target_work.features->act.first_rows(work.context_rows.n);
  return pair_.backend->time_runs(n, [&] {
    drafter.append_pass(features, memory_.drafter_rope, *memory_.drafter_kv.store, work);
    drafter.draft_pass(n_ranks, pair_.target, memory_.drafter_rope, *memory_.drafter_kv.store, work);
  });
}

std::vector<double> ProfilePasses::replay_verify(int32_t n_nodes, int32_t n) {
  verify(n_nodes);
  return pair_.backend->time_runs(n, [&] {
    pair_.target.forward(memory_.rows, memory_.target_rope, *memory_.target_kv.store, memory_.target_work);
    pair_.target.head(memory_.target_work.hidden->act.first_rows(n_nodes + 1), 1, top_);
  });
}

void ProfilePasses::accept_and_compact() {
  std::vector<int32_t> path{tree_.size() - 1};
  while (path.back() > 0) path.push_back(tree_.parent[path.back()]);
  std::reverse(path.begin(), path.end());
  std::vector<int32_t> choice(tree_.size(), -1);
  for (size_t i = 0; i + 1 < path.size(); ++i) choice[path[i]] = tree_.token[path[i + 1]];
  const Accepted accepted = accept(tree_, choice);
  pair_.backend->keep_rows(*memory_.target_kv.store, memory_.target_kv.length, accepted.path);
}

}  // namespace draftscope
