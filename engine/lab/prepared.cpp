#include "engine/lab/prepared.h"

#include <algorithm>

#include "engine/speculate/budget.h"

namespace draftscope {
namespace {

BudgetRule rule_of(TreeOrder order, int32_t max_nodes, const Correction& correction) {
  BudgetRule rule;
  rule.max_nodes = max_nodes;
  switch (order) {
    case TreeOrder::kBestFirst: rule.method = Method::kCalibrated; break;
    case TreeOrder::kChain: rule.method = Method::kDflash; break;
    case TreeOrder::kSpine: rule.method = Method::kSpine; break;
    case TreeOrder::kEightRanks: rule.method = Method::kCast; break;
  }
  rule.correction = std::make_shared<Correction>(correction);
  return rule;
}

// Where the text's tokens after `position` join the tree, one depth after the other, until one never does. A node's
// child with a given token is unique: tokens of a row differ.
std::vector<int32_t> entries_of(const DraftTree& tree, const DenseText& text, size_t position) {
  std::vector<int32_t> enters;
  int32_t at = 0;
  for (int32_t node = 1; node < tree.size(); ++node) {
    const size_t ahead = position + enters.size();
    if (ahead >= text.at.size()) break;
    const auto i = static_cast<size_t>(node);
    if (tree.parent[i] != at || tree.token[i] != text.at[ahead].next_token) continue;
    enters.push_back(node);
    at = node;
  }
  return enters;
}

}  // namespace

int32_t PreparedPosition::accepted_with(int32_t n) const {
  return static_cast<int32_t>(std::upper_bound(enters.begin(), enters.end(), n) - enters.begin());
}

PreparedText prepare(const DenseText& text, TreeOrder order, const Correction& correction) {
  const BudgetRule rule = rule_of(order, text.max_nodes, correction);
  PreparedText prepared{text.max_nodes, {}};
  prepared.at.reserve(text.at.size());
  for (size_t i = 0; i < text.at.size(); ++i) {
    const DensePosition& here = text.at[i];
    const DraftTree tree = every_candidate(here.q, here.root_token, rule);
    prepared.at.push_back({here.context_len, expected_tokens_of(tree), entries_of(tree, text, i)});
  }
  return prepared;
}

}  // namespace draftscope
