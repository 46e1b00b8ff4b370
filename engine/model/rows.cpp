#include "engine/model/rows.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "engine/speculate/ancestors.h"

namespace draftscope {
namespace {

std::vector<int32_t> counting(int32_t first, int32_t n) {
  std::vector<int32_t> values(n);
  std::iota(values.begin(), values.end(), first);
  return values;
}

}  // namespace

PassRows chain_rows(std::span<const int32_t> tokens, int32_t context_len, int32_t first_key) {
  PassRows rows;
  rows.n = static_cast<int32_t>(tokens.size());
  rows.token.assign(tokens.begin(), tokens.end());
  rows.position = counting(context_len, rows.n);
  rows.cache_row = counting(first_key + context_len, rows.n);
  rows.keys.n_contiguous = counting(context_len + 1, rows.n);
  rows.keys.extra_begin.assign(rows.n + 1, 0);
  if (first_key != 0) rows.keys.first_key.assign(rows.n, first_key);
  return rows;
}

PassRows tree_rows(const DraftTree& tree, int32_t n_nodes, int32_t context_len, int32_t first_key) {
  PassRows rows;
  rows.n = n_nodes + 1;
  rows.token.assign(tree.token.begin(), tree.token.begin() + rows.n);
  rows.position.resize(rows.n);
  for (int32_t i = 0; i < rows.n; ++i) rows.position[i] = context_len + tree.depth[i];
  rows.cache_row = counting(first_key + context_len, rows.n);
  AncestorRows seen = ancestor_rows(tree, n_nodes, context_len);
  rows.keys = {std::move(seen.n_contiguous), std::move(seen.extra_begin), std::move(seen.extra), {}};
  if (first_key == 0) return rows;
  for (int32_t& cache_row : rows.keys.extra) cache_row += first_key;
  rows.keys.first_key.assign(rows.n, first_key);
  return rows;
}

PassRows block_rows(int32_t anchor_token, int32_t mask_token, int32_t block_size, int32_t context_len, int32_t window,
                    int32_t first_key) {
  PassRows rows;
  rows.n = block_size;
  rows.token.assign(block_size, mask_token);
  rows.token[0] = anchor_token;
  rows.position = counting(context_len, block_size);
  rows.cache_row = counting(first_key + context_len, block_size);
  const int32_t end = context_len + block_size;
  rows.keys.n_contiguous.assign(block_size, end);
  rows.keys.extra_begin.assign(block_size + 1, 0);
  if (window == 0 && first_key == 0) return rows;
  for (int32_t row = 0; row < block_size; ++row) {
    const int32_t first = window == 0 ? 0 : std::max(0, context_len + row - window + 1);
    rows.keys.first_key.push_back(first_key + first);
    rows.keys.n_contiguous[row] = end - first;
  }
  return rows;
}

void append_rows(PassRows& rows, const PassRows& more) {
  const auto append = [](std::vector<int32_t>& to, const std::vector<int32_t>& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  if (!rows.keys.first_key.empty() || !more.keys.first_key.empty()) {  // rows without one begin at 0
    rows.keys.first_key.resize(rows.n, 0);
    append(rows.keys.first_key, more.keys.first_key);
    rows.keys.first_key.resize(rows.n + more.n, 0);
  }
  append(rows.token, more.token);
  append(rows.position, more.position);
  append(rows.cache_row, more.cache_row);
  append(rows.keys.n_contiguous, more.keys.n_contiguous);
  if (rows.keys.extra_begin.empty()) rows.keys.extra_begin.push_back(0);
  const int32_t n_extra = static_cast<int32_t>(rows.keys.extra.size());
  for (int32_t row = 1; row <= more.n; ++row) rows.keys.extra_begin.push_back(n_extra + more.keys.extra_begin[row]);
  append(rows.keys.extra, more.keys.extra);
  rows.n += more.n;
}

std::vector<int32_t> bucket_rows(int32_t max_rows) {
  std::vector<int32_t> rows;
  for (const int32_t n : {1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072}) {
    if (n < max_rows) rows.push_back(n);
  }
  rows.push_back(max_rows);
  return rows;
}

}  // namespace draftscope
