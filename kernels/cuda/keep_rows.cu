// Compaction of the KV cache to an accepted path; each thread owns 16 bytes of the columns of one layer and
// head.
#include "kernels/cuda/attention_plan.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/ops.h"

namespace draftscope::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kAhead = 8;  // rows read before any of them is written

struct KeepTask {
  uint4 *keys, *values;  // (n_heads, capacity, row_words) of all layers
  int32_t n_heads, capacity, row_words;
  KeptRows rows;
};

// kept ascends, so kept[i] >= i: nothing that is written here is read for a later row. Texts have rows of their own.
__global__ void __launch_bounds__(kThreads) keep_rows_kernel(const KeepTask task) {
  follow();
  const int32_t item = static_cast<int32_t>(blockIdx.x) * kThreads + static_cast<int32_t>(threadIdx.x);
  const int32_t head = item / task.row_words, word = item % task.row_words, text = static_cast<int32_t>(blockIdx.y);
  const int32_t n = task.rows.n_kept[text * task.rows.stride];
  const int32_t* kept = task.rows.kept + text * task.rows.width;
  if (head >= 2 * task.n_heads) return;
  uint4* cache = head < task.n_heads ? task.keys : task.values;
  const int32_t first = task.rows.first[text * task.rows.stride];
  const int64_t first_row = static_cast<int64_t>(head % task.n_heads) * task.capacity + first;
  uint4* column = cache + first_row * task.row_words + word;
  for (int32_t begin = 0; begin < n; begin += kAhead) {
    uint4 row[kAhead];
#pragma unroll
    for (int i = 0; i < kAhead; ++i) {
      if (begin + i < n) row[i] = column[static_cast<int64_t>(kept[begin + i]) * task.row_words];
    }
#pragma unroll
    for (int i = 0; i < kAhead; ++i) {
      if (begin + i < n) column[static_cast<int64_t>(begin + i) * task.row_words] = row[i];
    }
  }
}

}  // namespace

void keep_rows(KvView kv, const KeptRows& rows, LaunchStream stream) {
  KeepTask task;
  task.keys = static_cast<uint4*>(kv.keys);
  task.values = static_cast<uint4*>(kv.values);
  task.n_heads = kv.n_layers * kv.n_kv_heads;
  task.capacity = kv.capacity;
  task.row_words = kv.head_dim * (kv.is_bf16 ? 2 : 4) / static_cast<int32_t>(sizeof(uint4));
  task.rows = rows;
  const int32_t n_items = 2 * task.n_heads * task.row_words;
  launch(keep_rows_kernel, dim3(ceil_div(n_items, kThreads), rows.n_texts), dim3(kThreads), 0, stream, task);
}

}  // namespace draftscope::cuda
