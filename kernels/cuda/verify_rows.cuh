// The rows of a verify pass from a tree in shared memory; what engine/speculate/ancestors.cpp does on the host.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda/round.h"
#include "kernels/shared/frontier.h"

namespace draftscope::cuda {

/// A row that is not in use: it embeds token 0, sees one cached token and leaves nothing.
__device__ inline void pad_row(const RowsArrays& rows, int32_t r) {
  rows.token[r] = 0;
  rows.position[r] = 0;
  rows.cache_row[r] = kNoCacheRow;
  rows.first_key[r] = 0;
  rows.n_contiguous[r] = 1;
}

/// The row of node `node` of `text`: it attends to the context, its ancestors and itself. While the path from the root
/// runs 0, 1, 2, ... in its tree, its rows are contiguous with the context. place: of each node in its own tree.
__device__ inline void node_row(const RowsArrays& rows, const TextRound& text, int32_t node, int32_t token,
                                const Link* tree, const uint16_t* place, int32_t bit_words) {
  const int32_t row = text.first_row + place[node];
  rows.token[row] = token;
  rows.position[row] = text.context_len + tree[node].depth;
  rows.cache_row[row] = text.first_new + place[node];
  rows.first_key[row] = text.target_first;
  uint32_t* bits = rows.extra_bits + row * bit_words;
  for (int32_t word = 0; word < bit_words; ++word) bits[word] = 0;
  int32_t at = node;
  for (; tree[at].depth != place[at]; at = tree[at].parent) {  // on the leading chain, place and depth agree
    const int32_t ancestor = text.first_row + place[at];
    bits[ancestor / 32] |= 1u << ancestor % 32;
  }
  rows.n_contiguous[row] = text.context_len + place[at] + 1;
}

}  // namespace draftscope::cuda
