// Compiled trees and greedy walks of the public DDTree code, all exact.
#include <gtest/gtest.h>

#include "engine/speculate/accept.h"
#include "engine/speculate/ancestors.h"
#include "tests/speculate/golden_files.h"

namespace draftscope {
namespace {

DraftTree tree_of(const Json& one) {
  DraftTree tree;
  tree.token = golden::wholes(one, "node_token_id");
  tree.token.insert(tree.token.begin(), golden::whole(one, "root_token"));
  tree.depth = golden::wholes(one, "node_depth");
  tree.depth.insert(tree.depth.begin(), 0);
  tree.parent = golden::wholes(one, "parents_with_root");
  tree.rank.assign(tree.token.size(), 0);
  tree.path_log_q.assign(tree.token.size(), 0.0);
  return tree;
}

// The boolean mask that the row lists stand for, columns being the tree's own rows.
std::vector<uint8_t> mask_of(const AncestorRows& rows, size_t n_rows, int32_t context_len) {
  std::vector<uint8_t> mask(n_rows * n_rows, 0);
  for (size_t row = 0; row < n_rows; ++row) {
    for (int32_t key = context_len; key < rows.n_contiguous[row]; ++key) {
      mask[row * n_rows + static_cast<size_t>(key - context_len)] += 1;
    }
    for (int32_t at = rows.extra_begin[row]; at < rows.extra_begin[row + 1]; ++at) {
      mask[row * n_rows + static_cast<size_t>(rows.extra[static_cast<size_t>(at)] - context_len)] += 1;
    }
  }
  return mask;
}

TEST(GoldenVerify, AncestorsAndPositionsAreThoseOfTheReference) {
  const Json cases = golden::get(golden::read_json("verify/verify.json"), "cases");
  const golden::Tensors tensors("verify/verify.safetensors");
  ASSERT_GT(cases.size(), 0u);
  size_t n_masks = 0;
  for (size_t c = 0; c < cases.size(); ++c) {
    const Json one = cases.at(c);
    SCOPED_TRACE(golden::text(one, "name"));
    const DraftTree tree = tree_of(one);
    const int32_t context_len = golden::whole(one, "past_length");
    const AncestorRows rows = ancestor_rows(tree, tree.size() - 1, context_len);
    EXPECT_EQ(golden::wholes(one, "verify_input_ids"), tree.token);
    const std::vector<int32_t> positions = golden::wholes(one, "verify_position_ids");
    for (size_t row = 0; row < positions.size(); ++row) {
      // The last attended key is the row itself, at its own position.
      const int32_t n_keys = rows.n_contiguous[row] + rows.extra_begin[row + 1] - rows.extra_begin[row];
      EXPECT_EQ(n_keys - 1, positions[row]) << "row " << row;
    }
    if (!one.has("visibility_tensor")) continue;
    EXPECT_EQ(mask_of(rows, tree.token.size(), context_len),
              tensors.values<uint8_t>(golden::text(one, "visibility_tensor")));
    ++n_masks;
  }
  EXPECT_GT(n_masks, 0u);
}

TEST(GoldenVerify, WalksAcceptWhatTheReferenceAccepts) {
  const Json cases = golden::get(golden::read_json("verify/verify.json"), "cases");
  size_t n_walks = 0;
  for (size_t c = 0; c < cases.size(); ++c) {
    SCOPED_TRACE(golden::text(cases.at(c), "name"));
    const DraftTree tree = tree_of(cases.at(c));
    const Json walks = golden::get(cases.at(c), "walks");
    for (size_t w = 0; w < walks.size(); ++w) {
      const Json walk = walks.at(w);
      SCOPED_TRACE(golden::text(walk, "mode"));
      const Accepted accepted = accept(tree, golden::wholes(walk, "target_argmax_per_index"));
      EXPECT_EQ(accepted.path, golden::wholes(walk, "accepted_indices"));
      EXPECT_EQ(accepted.bonus, golden::whole(walk, "bonus_token"));
      EXPECT_EQ(static_cast<int32_t>(accepted.path.size()), golden::whole(walk, "acceptance_length"));
      ++n_walks;
    }
  }
  EXPECT_GT(n_walks, 0u);
}

}  // namespace
}  // namespace draftscope
