// Prepared text: per position, everything about its candidate trees that no cost and no budget changes.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/lab/dense.h"
#include "engine/speculate/correction.h"

namespace draftscope {

/// In which order candidates become nodes.
enum class TreeOrder : uint8_t { kBestFirst, kChain, kSpine, kEightRanks };

struct PreparedPosition {
  int32_t context_len = 0;
  std::vector<double> expected_tokens;  // (n_candidates + 1,) 1 + Phi(n), bonus included
  std::vector<int32_t> enters;          // (n_reachable,) node at which the text's d-th token joins the tree; ascending

  int32_t n_candidates() const { return static_cast<int32_t>(expected_tokens.size()) - 1; }
  /// Accepted nodes when the first n candidates are verified (the text's end not considered).
  int32_t accepted_with(int32_t n) const;
};

struct PreparedText {
  int32_t max_nodes = 0;
  std::vector<PreparedPosition> at;     // as DenseText::at

  int32_t n_tokens() const { return static_cast<int32_t>(at.size()); }
};

/// Grows every position's candidates up to text.max_nodes. Some 20 us a position; done once per text and order.
PreparedText prepare(const DenseText& text, TreeOrder order, const Correction& correction = {});

}  // namespace draftscope
