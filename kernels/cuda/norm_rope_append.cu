// Norm and rotation of queries and keys, and their way into the cache; one warp per row and head.
#include "kernels/cuda/attention_plan.h"
#include "kernels/cuda/heads.cuh"

namespace draftscope::cuda {
namespace {

constexpr int kWarps = 4;

template <class Cached>
__global__ void __launch_bounds__(kWarps* kWarp) norm_rope_append_kernel(const HeadsTask<Cached> task) {
  const int32_t item = static_cast<int32_t>(blockIdx.x) * kWarps + static_cast<int32_t>(threadIdx.x) / kWarp;
  const int32_t row = item / task.n_heads();
  const Head<Cached> head(task, item % task.n_heads());  // its norm comes from far away: asked for before the wait
  follow();
  if (row >= task.rows.n_rows) return;
  auto loaded = head.load(row, task.q + static_cast<int64_t>(row) * task.qkv_cols + head.head * 2 * head.half);
  head.finish(row, loaded);
}

template <class Cached>
void start(Act qkv, const HeadsArgs& args, LaunchStream stream) {
  const HeadsTask<Cached> task(qkv, args);
  const int32_t n_items = args.rows.n_rows * (args.layout.n_q_heads + 2 * args.layout.n_kv_heads);
  launch(norm_rope_append_kernel<Cached>, dim3(ceil_div(n_items, kWarps)), dim3(kWarps * kWarp), 0, stream, task);
}

}  // namespace

void norm_rope_append(Act qkv, const HeadsArgs& args, LaunchStream stream) {
  if (args.kv.is_bf16)
    start<__nv_bfloat16>(qkv, args, stream);
  else
    start<float>(qkv, args, stream);
}

}  // namespace draftscope::cuda
