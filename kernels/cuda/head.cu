// Most likely tokens: cuts the rows into launches and lays out the workspace.
#include "kernels/cuda/head.h"

namespace draftscope::cuda {
namespace {

// A matmul's counters come first and are left alone, so that one workspace may serve both.
constexpr int64_t kCounterBytes = kMaxCounters * static_cast<int64_t>(sizeof(int32_t));

HeadView lay_out(int32_t rows, int32_t n_out, void* workspace) {
  HeadView view = {};
  view.rows = rows;
  view.n_out = n_out;
  view.n_tiles = ceil_div(n_out, kTileOut);
  const int64_t n_stats = static_cast<int64_t>(rows) * view.n_tiles;
  // Logits first: their size is whole vectors.
  view.logits = reinterpret_cast<float*>(static_cast<char*>(workspace) + kCounterBytes);
  view.stats.max = view.logits + int64_t{rows < kHeadRows ? rows : kHeadRows} * view.n_tiles * kTileOut;
  view.stats.sum = view.stats.max + n_stats;
  view.stats.token = reinterpret_cast<int32_t*>(view.stats.sum + n_stats);
  return view;
}

TopKView from_row(TopKView out, int32_t row) {
  const int64_t first = static_cast<int64_t>(row) * out.k;
  return {out.token + first, out.log_p + first, out.k};
}

}  // namespace

int64_t head_workspace_bytes(int32_t max_rows, int32_t n_out, int32_t /*max_k*/) {
  const int32_t rows = max_rows < kSlabRows ? max_rows : kSlabRows, kept = rows < kHeadRows ? rows : kHeadRows;
  const int64_t n_tiles = ceil_div(n_out, kTileOut);
  const auto n_words = n_tiles * (int64_t{kept} * kTileOut + int64_t{rows} * 3);
  return kCounterBytes + n_words * static_cast<int64_t>(sizeof(float));
}

void head_top_k(Act x, WeightsView head, Precision precision, TopKView out, void* workspace, LaunchStream stream) {
  const bool on_tensor_cores = precision == Precision::kBf16 && head.is_bf16;
  const bool keeps_logits = out.k > 1 || !on_tensor_cores;
  const int32_t slab = keeps_logits ? kHeadRows : kSlabRows;
  for (int32_t first = 0; first < x.rows; first += slab) {
    const int32_t rows = x.rows - first < slab ? x.rows - first : slab;
    const Act part = x.rows_from(first, rows);
    HeadView view = lay_out(rows, head.n_out, workspace);
    if (on_tensor_cores) {
      if (!keeps_logits) view.logits = nullptr;
      head_product(part, head, view, stream);
    } else {
      MatmulArgs product;
      product.x = part;
      product.w = head;
      product.out = {view.logits, rows, view.n_tiles * kTileOut};
      product.precision = precision;
      matmul_plain(product, stream);
      scan_logits(view, stream);
    }
    out.k == 1 ? take_best(view, from_row(out, first), stream) : take_top_k(view, from_row(out, first), stream);
  }
}

}  // namespace draftscope::cuda
