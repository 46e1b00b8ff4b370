// Ancestors: which cached rows each verified row attends to, as index lists instead of a mask.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/record/round.h"

namespace draftscope {

/// Row i attends to cache rows [0, n_contiguous[i]) and then, in depth order, to
/// extra[extra_begin[i] .. extra_begin[i + 1]). The t-th attended row stands at position t of the text.
struct AncestorRows {
  std::vector<int32_t> n_contiguous;  // (rows,)
  std::vector<int32_t> extra_begin;   // (rows + 1,)
  std::vector<int32_t> extra;         // cache rows
};

/// Lists for the first n_nodes + 1 nodes of `tree`, node i living at cache row context_len + i. Every row
/// attends to the context, its ancestors and itself. While the path from the root runs 0, 1, 2, ... its
/// rows are contiguous with the context, so a chain has no extras at all.
AncestorRows ancestor_rows(const DraftTree& tree, int32_t n_nodes, int32_t context_len);

}  // namespace draftscope
