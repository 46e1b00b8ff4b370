// Acceptance: walk the tree by the target's choices (lossless sample-and-match; DDTree, arXiv 2604.12989).
#pragma once

#include <cstdint>
#include <span>

#include "engine/record/round.h"

namespace draftscope {

/// The path of nodes whose token the target chose, from the root, and the bonus token after it.
/// choice (n_verified,): the target's token after each of the first n_verified nodes of the tree;
/// 1 <= n_verified <= tree.size(). Nodes beyond n_verified were not verified and are never entered.
Accepted accept(const DraftTree& tree, std::span<const int32_t> choice);

}  // namespace draftscope
