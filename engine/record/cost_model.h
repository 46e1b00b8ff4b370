// CostModel: what a round is believed to cost, as plain data that records and files carry.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace draftscope {

enum class CostKind : uint8_t { kMeasured, kConvexFit, kAffine, kStaircase, kRoofline, kByHand };

/// Verify seconds on a grid of contexts and rows, plus the drafter's cost.
/// rows and context strictly ascending; every value finite and positive.
struct CostModel {
  CostKind kind = CostKind::kByHand;
  std::string label;              // shown to people, e.g. "measured on this machine"
  std::string source;             // paper, file or command that produced it
  std::string model, machine, backend;
  std::vector<int32_t> context;   // (n_contexts,) tokens in the KV cache
  std::vector<int32_t> rows;      // (n_rows,) rows in the verify pass: a tree of n nodes is n + 1 rows
  std::vector<double> verify_s;   // (n_contexts, n_rows) seconds
  std::vector<double> spread_s;   // (n_contexts, n_rows) half the interquartile range; empty when unknown
  std::vector<double> draft_s;    // (n_contexts,) seconds of one drafter block
  double overhead_s = 0;          // build, mask, accept, compaction outside verify_s
  std::vector<double> plain_s;    // (n_contexts,) seconds of one step of plain decoding: a pass of one row behind others
                                  // of one row, no drafter between; empty when unknown
};

const char* name(CostKind kind);

}  // namespace draftscope
