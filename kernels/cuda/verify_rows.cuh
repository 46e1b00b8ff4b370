// The rows of a verify pass from a tree in shared memory; what engine/speculate/ancestors.cpp does on the host.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda/round.h"
#include "kernels/shared/frontier.h"

namespace draftscope::cuda {

/// A row that is not in use: it embeds token 0, sees the first cached token and leaves nothing.
__device__ inline void pad_row(const RowsArrays& rows, int32_t r) {
  rows.token[r] = 0;
  rows.position[r] = 0;
  rows.cache_row[r] = kNoCacheRow;
  rows.first_key[r] = 0;
  rows.n_contiguous[r] = 1;
}

/// Row `node` of the pass: it attends to the context, its ancestors and itself. While the path from the root runs
/// 0, 1, 2, ... its rows are contiguous with the context. node's bits must be 0.
__device__ inline void node_row(const RowsArrays& rows, int32_t node, int32_t token, const Link* tree,
                                int32_t context_len, int32_t bit_words) {
  rows.token[node] = token;
  rows.position[node] = context_len + tree[node].depth;
  rows.cache_row[node] = context_len + node;
  rows.first_key[node] = 0;
  int32_t at = node;
  for (; tree[at].depth != at; at = tree[at].parent) {  // on the leading chain, node and depth agree
    rows.extra_bits[node * bit_words + at / 32] |= 1u << at % 32;
  }
  rows.n_contiguous[node] = context_len + at + 1;
}

}  // namespace draftscope::cuda
