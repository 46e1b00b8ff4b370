// The rows of a pass as texts and trees give them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/record/round.h"
#include "kernels/backend.h"

namespace draftscope {

/// Rows that each see every row before them: a prompt or a chain after `context_len` cached rows of a text whose first
/// row in the cache is `first_key`.
PassRows chain_rows(std::span<const int32_t> tokens, int32_t context_len, int32_t first_key = 0);

/// The root and the first n_nodes nodes of `tree` after `context_len` cached rows: every row sees the context, its
/// ancestors and itself, and stands at its depth. `first_key` as above.
PassRows tree_rows(const DraftTree& tree, int32_t n_nodes, int32_t context_len, int32_t first_key = 0);

/// A drafter's block after `context_len` cached rows: the anchor and then masks, every row sees the context and the whole
/// block, or with a sliding `window` (0: none) the keys at most window - 1 before its own position and the block's rest.
PassRows block_rows(int32_t anchor_token, int32_t mask_token, int32_t block_size, int32_t context_len, int32_t window,
                    int32_t first_key = 0);

/// `more` after `rows` in one pass: no row sees one of another text, since each names the cache rows that it attends to.
void append_rows(PassRows& rows, const PassRows& more);

/// The rows that a device's verify passes are padded to, ascending up to max_rows: one recording each.
std::vector<int32_t> bucket_rows(int32_t max_rows);

}  // namespace draftscope
