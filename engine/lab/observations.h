// Observations: which of the drafter's candidates the target took. Only children of accepted nodes are ever answered:
// what would have followed a rejected node is not in any recording. Every probability here is therefore conditional on
// an accepted parent, which makes the answers to different nodes of one path comparable.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/lab/dense.h"
#include "engine/record/round.h"

namespace draftscope {

/// An accepted node with children in the tree: the drafter's row below it and the token that the target put there.
struct ObservedRow {
  int32_t text = 0;         // which of the texts taken together
  int64_t position = 0;     // of the target's token: tokens of the context before it
  int32_t depth = 1;        // of the children
  bool on_spine = true;     // whether the node lies on the chain of ranks 0; the root does
  float temperature = 0;
  int32_t answer_rank = -1; // of the target's token; -1: none of the n_ranks, or one that the drafter ruled out
  size_t begin = 0;         // in Observations::log_q
  int32_t n_ranks = 0;
};

/// One child of an accepted node.
struct Observation {
  int32_t row = 0;          // index into Observations::rows
  int32_t rank = 0;         // > 0: a sibling of the most likely child
  double stated = 0;        // probability that the drafter gave, in [0, 1]
  bool accepted = false;
};

struct Observations {
  std::vector<ObservedRow> rows;
  std::vector<Observation> children;  // grouped by row, rows ascending; every row has at least one
  std::vector<float> log_q;           // rows one after the other, kCorrectedRanks each or as many as were recorded
  int32_t n_texts = 0;

  std::span<const float> log_q_of(const ObservedRow& row) const {
    return std::span(log_q).subspan(row.begin, static_cast<size_t>(row.n_ranks));
  }
  /// Adds the texts of `more` after those here.
  void append(const Observations& more);
};

/// The rounds that begin at `positions` (indices into text.at) and verify the best-first tree of max_nodes nodes on
/// the first kCorrectedRanks ranks, walked down for as long as the text's token is one of its nodes. Rounds of every
/// position overlap and judge a token from several roots; the positions of one run, round by round, do not.
Observations observations(const DenseText& text, int32_t max_nodes, std::span<const int32_t> positions);
/// The same from every position of the text.
Observations observations(const DenseText& text, int32_t max_nodes);
/// From rounds as they ran: children of accepted nodes among the verified nodes, the first kCorrectedRanks ranks of
/// them. Rounds without a tree or without the drafter's marginals give none. n_decoded: tokens of the text that rounds
/// decoded; what was accepted behind its end is in no text, here as in a dense recording.
Observations observations(std::span<const RoundRecord> rounds, int64_t n_decoded);

/// The target's tokens cut into blocks of kBlockTokens, every other block on the other side. The split is by the token
/// that is judged, not by the round's root, so that no token decides on both sides.
struct Halves {
  Observations fitted, judged;
};
inline constexpr int32_t kBlockTokens = 16;
Halves split_by_blocks(const Observations& all);

}  // namespace draftscope
