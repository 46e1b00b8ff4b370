// RowsView: the rows of a pass as kernels read them.
#pragma once

#include <cstdint>

namespace draftscope::cuda {

constexpr int32_t kNoCacheRow = -1;    // of a row whose key and value are not kept
constexpr int32_t kMaxExtraKeys = 32;  // of one row: ancestors in a tree, at most its depth and itself

/// All arrays in device memory. Row r embeds token[r], stands at position[r], and stores its key and value at cache row
/// cache_row[r], or nowhere (kNoCacheRow). It attends to cache rows [first_key[r], first_key[r] + n_contiguous[r]) and then, in ascending j, to
/// cache_row[j] of every pass row j whose bit j % 32 of extra_bits[r * bit_words + j / 32] is set. The t-th attended key
/// counts as position t.
struct RowsView {
  int32_t n_rows = 0;     // rows launched; rows beyond those in use are well-formed and ignored
  int32_t bit_words = 0;  // words per row of extra_bits
  const int32_t* token = nullptr;         // (n_rows,)
  const int32_t* position = nullptr;      // (n_rows,)
  const int32_t* cache_row = nullptr;     // (n_rows,)
  const int32_t* first_key = nullptr;     // (n_rows,)
  const int32_t* n_contiguous = nullptr;  // (n_rows,)
  const uint32_t* extra_bits = nullptr;   // (n_rows, bit_words)
};

}  // namespace draftscope::cuda
