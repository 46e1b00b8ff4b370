#include "ui/view/marginals_grid.h"

#include <algorithm>
#include <cmath>

#include "ui/view/probability.h"
#include "ui/view/token_label.h"

namespace draftscope {
namespace {

void mark_nodes(MarginalsGrid& grid, const RoundRecord& record) {
  const DraftTree& tree = record.tree;
  for (int32_t node = 1; node < tree.size(); ++node) {
    const int32_t row = tree.depth[node] - 1, rank = tree.rank[node];
    if (row < 0 || row >= grid.n_depths || rank < 0 || rank >= grid.n_ranks) continue;
    MarginalCell& cell = grid.cells[static_cast<size_t>(row) * grid.n_ranks + rank];
    const bool verified = node <= record.decision.chosen;
    ++cell.n_nodes;
    if (verified) ++cell.n_verified;
    if (cell.node < 0) cell.node = node;
    cell.state = std::max(cell.state, verified ? CellState::kVerified : CellState::kCandidate);
  }
  for (const int32_t node : record.accepted.path) {
    if (node <= 0 || node >= tree.size()) continue;
    const int32_t row = tree.depth[node] - 1, rank = tree.rank[node];
    if (row < 0 || row >= grid.n_depths || rank < 0 || rank >= grid.n_ranks) continue;
    MarginalCell& cell = grid.cells[static_cast<size_t>(row) * grid.n_ranks + rank];
    cell.state = CellState::kAccepted;
    cell.node = node;
  }
}

}  // namespace

const char* name(CellState state) {
  switch (state) {
    case CellState::kUnused:
      return "not in the tree";
    case CellState::kCandidate:
      return "candidate, not verified";
    case CellState::kVerified:
      return "verified";
    case CellState::kAccepted:
      return "accepted";
  }
  return "unknown";
}

MarginalsGrid marginals_grid(const RoundRecord& record) {
  MarginalsGrid grid;
  const Marginals& q = record.q;
  const auto size =
      static_cast<size_t>(std::max(0, q.n_depths)) * static_cast<size_t>(std::max(0, q.n_ranks));
  if (size == 0 || q.token.size() < size || q.log_q.size() < size) {
    grid.empty_reason = record.method == Method::kPlain
                            ? "Plain decoding runs no drafter, so there are no marginals."
                            : "This record carries no marginals.";
    return grid;
  }
  grid.n_depths = q.n_depths;
  grid.n_ranks = q.n_ranks;
  grid.cells.resize(size);
  for (int32_t row = 0; row < q.n_depths; ++row) {
    double shown = 0;
    for (int32_t rank = 0; rank < q.n_ranks; ++rank) {
      MarginalCell& cell = grid.cells[static_cast<size_t>(row) * q.n_ranks + rank];
      cell.token = q.token_at(row, rank);
      cell.label = token_label(record.text, cell.token);
      cell.q = std::exp(static_cast<double>(q.log_q_at(row, rank)));
      shown += cell.q;
    }
    grid.rest_q.push_back(std::clamp(1.0 - shown, 0.0, 1.0));
  }
  mark_nodes(grid, record);
  return grid;
}

std::string cell_words(const MarginalCell& cell) {
  constexpr double kLeastQ = 0.005;  // an unlikely one is not worth its ink
  return cell.q < kLeastQ ? std::string() : q_words(cell.q, 2);
}

double rest_beyond(const MarginalsGrid& grid, int32_t row, int32_t n_ranks) {
  double rest = grid.rest_q[static_cast<size_t>(row)];
  for (int32_t rank = n_ranks; rank < grid.n_ranks; ++rank) rest += grid.at(row, rank).q;
  return std::min(rest, 1.0);
}

}  // namespace draftscope
