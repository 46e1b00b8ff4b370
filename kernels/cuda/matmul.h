// What the product's translation units share: the cut of a matrix into blocks of work, and the two kernel families.
#pragma once

#include <cstdint>

#include "kernels/cuda/ops.h"

namespace draftscope::cuda {

constexpr int32_t kTileOut = 128;          // outputs of one block; two tiles in wide ones
constexpr int32_t kTileRows = 64;          // rows of one block, at most
constexpr int32_t kUnitIn = 256;           // inputs; a split is a whole number of these
constexpr int32_t kSlabRows = 512;         // rows of one launch, at most: bounds the workspace
constexpr int32_t kMaxCounters = 1 << 14;  // one per tile and group of rows whose inputs are split

constexpr int32_t ceil_div(int32_t a, int32_t b) { return (a + b - 1) / b; }

/// How the inputs of a matrix are split over blocks. Depends on the shape alone: not on the rows, so that a row's bits
/// are the same in any batch, and not on the device, so that they are the same everywhere.
/// One block of a multiprocessor keeps it busy, and the second place goes to the launch that follows. More splits would cost
/// many rows dearly: their sums are written, read back, and added by the last block of a tile while nobody else has work.
struct SplitPlan {
  int32_t n_tiles, n_splits, units_per_split;
};
constexpr SplitPlan plan_splits(int32_t n_out, int32_t n_in) {
  constexpr int32_t kBlocksWanted = 132;  // multiprocessors of an H100 or H200
  const int32_t n_tiles = ceil_div(n_out, kTileOut), n_units = n_in > 0 ? ceil_div(n_in, kUnitIn) : 1;
  const int32_t wanted = kBlocksWanted / n_tiles;
  const int32_t n_splits = wanted < 1 ? 1 : wanted < n_units ? wanted : n_units;
  const int32_t units_per_split = ceil_div(n_units, n_splits);
  return {n_tiles, ceil_div(n_units, units_per_split), units_per_split};
}

/// Groups of sixteen tokens that blocks of the tensor-core kernels are compiled for: 1, 2 or 4.
constexpr int32_t n_groups(int32_t rows) { return rows <= 16 ? 1 : rows <= 32 ? 2 : 4; }

/// On tensor cores; weights bf16, activations rounded to bf16. At most kSlabRows rows.
void matmul_tensor(const MatmulArgs& args, LaunchStream stream);
/// Every output one float32 accumulator over ascending inputs, whatever the weights and the precision.
void matmul_plain(const MatmulArgs& args, LaunchStream stream);

}  // namespace draftscope::cuda
