#include "engine/speculate/ancestors.h"

#include "engine/base/check.h"

namespace draftscope {

AncestorRows ancestor_rows(const DraftTree& tree, int32_t n_nodes, int32_t context_len) {
  DS_CHECK(n_nodes >= 0 && n_nodes < tree.size() && context_len >= 0, "{} nodes of a tree of {}, context {}",
           n_nodes, tree.size(), context_len);
  const size_t n_rows = static_cast<size_t>(n_nodes) + 1;
  AncestorRows rows;
  rows.n_contiguous.reserve(n_rows);
  rows.extra_begin.reserve(n_rows + 1);
  rows.extra_begin.push_back(0);
  for (size_t node = 0; node < n_rows; ++node) {
    const int32_t index = static_cast<int32_t>(node);
    // On the leading chain, node and depth agree and so do those of every ancestor.
    const bool on_chain = tree.depth[node] == index;
    if (on_chain) {
      rows.n_contiguous.push_back(context_len + index + 1);
    } else {
      // A parent's list comes first, being its ancestors in depth order; the node itself ends it.
      const size_t parent = static_cast<size_t>(tree.parent[node]);
      rows.n_contiguous.push_back(rows.n_contiguous[parent]);
      for (int32_t at = rows.extra_begin[parent]; at < rows.extra_begin[parent + 1]; ++at) {
        rows.extra.push_back(rows.extra[static_cast<size_t>(at)]);
      }
      rows.extra.push_back(context_len + index);
    }
    rows.extra_begin.push_back(static_cast<int32_t>(rows.extra.size()));
  }
  return rows;
}

}  // namespace draftscope
