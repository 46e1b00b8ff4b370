// The drafter's marginals as a grid: depth by rank, and what became of every entry.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/record/round.h"

namespace draftscope {

enum class CellState : uint8_t { kUnused, kCandidate, kVerified, kAccepted };
const char* name(CellState state);

struct MarginalCell {
  std::string label;  // readable token text
  int32_t token = 0;
  double q = 0;  // drafter's probability at this depth, whole vocabulary
  CellState state = CellState::kUnused;
  int32_t n_nodes = 0;     // tree nodes with this depth and rank, candidates included
  int32_t n_verified = 0;  // of them below the budget
  int32_t node = -1;       // the accepted one, else the first in pop order; -1 when there is none
};

struct MarginalsGrid {
  int32_t n_depths = 0, n_ranks = 0;
  std::vector<MarginalCell> cells;  // (n_depths, n_ranks); row r is depth r + 1
  std::vector<double> rest_q;       // (n_depths,) mass of the tokens that are not in the grid
  std::string empty_reason;

  const MarginalCell& at(int32_t row, int32_t rank) const {
    return cells[static_cast<size_t>(row) * n_ranks + rank];
  }
};

MarginalsGrid marginals_grid(const RoundRecord& record);

/// What a cell says of its q: two digits, nothing below 0.005.
std::string cell_words(const MarginalCell& cell);
/// Mass of row `row` that the first n_ranks ranks leave out: of the other ranks, and of what the record does not hold.
double rest_beyond(const MarginalsGrid& grid, int32_t row, int32_t n_ranks);

}  // namespace draftscope
