#include "engine/lab/observations.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/speculate/correction.h"
#include "engine/speculate/grow.h"

namespace draftscope {
namespace {

// Where a round begins; a row of it stands depth - 1 tokens further.
struct Start {
  int32_t context_len = 0;
  float temperature = 0;
};

int32_t rank_of(const Marginals& q, int32_t depth_row, int32_t token) {
  const auto begin = q.token.begin() + static_cast<ptrdiff_t>(depth_row) * q.n_ranks;
  const auto found = std::find(begin, begin + q.n_ranks, token);
  return found == begin + q.n_ranks ? -1 : static_cast<int32_t>(found - begin);
}

void add_row(Observations& into, const Start& start, const Marginals& q, int32_t depth, bool on_spine, int32_t answer) {
  const auto begin = q.log_q.begin() + static_cast<ptrdiff_t>(depth - 1) * q.n_ranks;
  int32_t answer_rank = rank_of(q, depth - 1, answer);
  if (answer_rank >= 0 && !std::isfinite(begin[answer_rank])) answer_rank = -1;
  into.rows.push_back({0, int64_t{start.context_len} + depth - 1, depth, on_spine, start.temperature, answer_rank,
                       into.log_q.size(), q.n_ranks});
  into.log_q.insert(into.log_q.end(), begin, begin + q.n_ranks);
}

// Observes the children of `node` among the first n_verified nodes as far as q has ranks; the child whose token is
// `answer`, or -1.
int32_t observe(Observations& into, const Start& start, const Marginals& q, const DraftTree& tree, int32_t n_verified,
                int32_t node, bool on_spine, int32_t answer) {
  int32_t accepted = -1;
  bool is_first = true;
  for (int32_t child = node + 1; child < n_verified; ++child) {
    const auto i = static_cast<size_t>(child);
    const int32_t rank = tree.rank[i];
    if (tree.parent[i] != node || rank >= q.n_ranks) continue;
    if (is_first) add_row(into, start, q, tree.depth[i], on_spine, answer);
    is_first = false;
    const double stated = std::exp(static_cast<double>(q.log_q_at(tree.depth[i] - 1, rank)));
    const bool is_answer = tree.token[i] == answer;
    into.children.push_back({static_cast<int32_t>(into.rows.size()) - 1, rank, std::min(1.0, stated), is_answer});
    if (is_answer) accepted = child;
  }
  return accepted;
}

// The rows of `all` that `keep` wants, with their children.
template <class Keep>
Observations only(const Observations& all, const Keep& keep) {
  Observations kept;
  kept.n_texts = all.n_texts;
  std::vector<int32_t> place(all.rows.size(), -1);
  for (size_t r = 0; r < all.rows.size(); ++r) {
    if (!keep(all.rows[r])) continue;
    place[r] = static_cast<int32_t>(kept.rows.size());
    const std::span<const float> log_q = all.log_q_of(all.rows[r]);
    kept.rows.push_back(all.rows[r]);
    kept.rows.back().begin = kept.log_q.size();
    kept.log_q.insert(kept.log_q.end(), log_q.begin(), log_q.end());
  }
  for (Observation child : all.children) {
    child.row = place[static_cast<size_t>(child.row)];
    if (child.row >= 0) kept.children.push_back(child);
  }
  return kept;
}

}  // namespace

void Observations::append(const Observations& more) {
  const auto n_rows = static_cast<int32_t>(rows.size());
  const size_t n_log_q = log_q.size();
  for (ObservedRow row : more.rows) {
    row.text += n_texts;
    row.begin += n_log_q;
    rows.push_back(row);
  }
  for (Observation child : more.children) {
    child.row += n_rows;
    children.push_back(child);
  }
  log_q.insert(log_q.end(), more.log_q.begin(), more.log_q.end());
  n_texts += more.n_texts;
}

Observations observations(const DenseText& text, int32_t max_nodes, std::span<const int32_t> positions) {
  Observations found;
  found.n_texts = 1;
  for (const int32_t position : positions) {
    DS_CHECK(position >= 0 && position < text.n_tokens());
    const DensePosition& here = text.at[static_cast<size_t>(position)];
    const Marginals q = first_ranks(here.q, kCorrectedRanks);
    const DraftTree tree = grow_tree(q, here.root_token, max_nodes);
    const Start start{here.context_len, text.temperature};
    int32_t node = 0;
    bool on_spine = true;
    for (int32_t ahead = position; node >= 0 && ahead < text.n_tokens(); ++ahead) {
      on_spine = on_spine && tree.rank[static_cast<size_t>(node)] == 0;
      node = observe(found, start, q, tree, tree.size(), node, on_spine,
                     text.at[static_cast<size_t>(ahead)].next_token);
    }
  }
  return found;
}

Observations observations(const DenseText& text, int32_t max_nodes) {
  std::vector<int32_t> every(text.at.size());
  std::iota(every.begin(), every.end(), 0);
  return observations(text, max_nodes, every);
}

Observations observations(std::span<const RoundRecord> rounds, int64_t n_decoded) {
  Observations found;
  found.n_texts = 1;
  for (const RoundRecord& round : rounds) {
    const auto n_kept = std::min(n_decoded, static_cast<int64_t>(round.accepted.path.size()));
    n_decoded -= n_kept;
    if (round.q.token.empty()) continue;
    const Marginals q = first_ranks(round.q, kCorrectedRanks);
    const Start start{round.context_len, round.temperature};
    bool on_spine = true;
    for (const int32_t node : std::span(round.accepted.path).first(static_cast<size_t>(n_kept))) {
      on_spine = on_spine && round.tree.rank[static_cast<size_t>(node)] == 0;
      observe(found, start, q, round.tree, round.n_verified_rows(), node, on_spine,
              round.verdict.choice[static_cast<size_t>(node)]);
    }
  }
  return found;
}

Halves split_by_blocks(const Observations& all) {
  const auto is_judged = [](const ObservedRow& row) { return (row.position / kBlockTokens + row.text) % 2 == 1; };
  return {only(all, [&](const ObservedRow& row) { return !is_judged(row); }), only(all, is_judged)};
}

}  // namespace draftscope
