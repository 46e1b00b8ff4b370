// Chooses the kernels of a product and cuts its rows into launches.
#include "kernels/cuda/matmul.h"

namespace draftscope::cuda {

int64_t matmul_workspace_bytes(int32_t max_rows, int32_t n_out, int32_t n_in) {
  const SplitPlan plan = plan_splits(n_out, n_in);
  const int32_t rows = max_rows < kSlabRows ? max_rows : kSlabRows;
  const int32_t padded = rows > kTileRows ? ceil_div(rows, kTileRows) * kTileRows : 16 * n_groups(rows);
  // Wide blocks are two tiles each.
  const int64_t n_partials = plan.n_splits > 1 ? int64_t{plan.n_splits} * ceil_div(plan.n_tiles, 2) * 2 * kTileOut * padded : 0;
  return kMaxCounters * static_cast<int64_t>(sizeof(int32_t)) + n_partials * static_cast<int64_t>(sizeof(float));
}

namespace {

bool is_on_tensor_cores(const MatmulArgs& args) { return args.precision == Precision::kBf16 && args.w.is_bf16; }

}  // namespace

// A block's warps share out the heads of its tile, so there may not be more heads than warps.
bool can_end_in_heads(const MatmulArgs& args) {
  const int32_t dim = args.heads.layout.head_dim;
  return is_on_tensor_cores(args) && args.heads.kv.is_bf16 && args.x.rows <= kSlabRows && (dim == 32 || dim == 64 || dim == 128);
}

void matmul(const MatmulArgs& args, LaunchStream stream) {
  const bool on_tensor_cores = is_on_tensor_cores(args);
  for (int32_t first = 0; first < args.x.rows; first += kSlabRows) {
    const int32_t left = args.x.rows - first, rows = left < kSlabRows ? left : kSlabRows;
    MatmulArgs part = args;
    part.x = args.x.rows_from(first, rows);
    part.out = args.out.rows_from(first, rows);
    on_tensor_cores ? matmul_tensor(part, stream) : matmul_plain(part, stream);
  }
}

}  // namespace draftscope::cuda
