// What the head's translation units share: logits by tiles of kTileOut tokens, and where they lie.
#pragma once

#include <cstdint>

#include "kernels/cuda/matmul.h"
#include "kernels/cuda/ops.h"

namespace draftscope::cuda {

constexpr int32_t kHeadRows = kTileRows;  // rows whose logits are kept at once
constexpr int32_t kMaxSelected = 1024;    // more than that are ranked one by one

/// What is kept of each tile of a row's logits, (rows, n_tiles) each.
struct TileStats {
  float* max;
  float* sum;      // of e^(logit - max)
  int32_t* token;  // of the maximum; the smallest of equals
};

/// Finite logits of a pass and their tiles.
struct HeadView {
  int32_t rows, n_out, n_tiles;
  TileStats stats;
  float* logits;  // (rows, n_tiles * kTileOut), columns from n_out on undefined; null: not kept
};

/// Product and statistics in one kernel, on tensor cores; x (rows, n_in) and head bf16.
void head_product(Act x, WeightsView head, const HeadView& view, LaunchStream stream);
/// Makes view.logits finite and gathers their statistics.
void scan_logits(const HeadView& view, LaunchStream stream);
/// The best token of each row, from the statistics alone.
void take_best(const HeadView& view, TopKView out, LaunchStream stream);
/// The best k of each row, from view.logits.
void take_top_k(const HeadView& view, TopKView out, LaunchStream stream);

}  // namespace draftscope::cuda
