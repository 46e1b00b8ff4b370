// Grouped-query attention over the KV cache in one launch: split over the keys, tensor cores, results folded
// by the last thread block to arrive. What is computed in which order: attention_plan.h.
#include <algorithm>
#include <cmath>

#include "kernels/cuda/attention_scalar.h"
#include "kernels/cuda/attention_tensor.cuh"
#include "kernels/cuda/ops.h"

namespace draftscope::cuda {
namespace {

// A workspace begins with this many counters whatever it is used for, so that no launch writes where another
// counts.
constexpr int32_t kCounters = 1 << 15;
// Rows of one launch: long prompts need no more workspace than wide trees, and counters suffice.
int32_t launch_rows(HeadLayout heads) {
  return std::min(256, kCounters / (heads.n_kv_heads * tile_of(heads).sets_per_kv_head));
}

// Grid (n_parts + group_rows, n_sets, n_groups).
template <int HD, bool STACKED>
__global__ void __launch_bounds__(kAttentionWarps* kWarp, 2) attention_kernel(const AttentionTask task) {
  extern __shared__ uint4 dynamic_shared[];
  PartMemory<HD>& memory = *reinterpret_cast<PartMemory<HD>*>(dynamic_shared);
  __shared__ GroupRows rows;
  follow();
  const HeadSet heads(task, static_cast<int32_t>(blockIdx.y));
  load_group(task, heads, static_cast<int32_t>(blockIdx.z), rows);
  const ThreadBlock<HD> own{task, rows, heads, memory, reinterpret_cast<uint4*>(&memory + 1)};
  const int32_t n_parts = ceil_div(rows.most_blocks, kSplitBlocks * task.part_splits);

  // 1. Its part of the keys; thread blocks for longer rows or for rows behind the last have none.
  const int32_t part = static_cast<int32_t>(blockIdx.x), row = part - task.n_parts;
  if (row < 0) {
    if (part >= n_parts) return;
    if constexpr (STACKED)
      attend_stacked(own);
    else
      attend_spread(own);
  } else {
    if (row >= rows.n) return;
    attend_tail(own, row);
  }

  // 2. The last to arrive folds all parts.
  if (n_parts == 0) return;
  if (!arrives_last(task.arrived + blockIdx.y * gridDim.z + blockIdx.z, n_parts + rows.n)) return;
  SlotParts<HD> next;
  const auto ask_for = [&](int32_t slot) {
    if (slot < task.group_slots && rows.slot_row[slot] >= 0) next.load(task, rows.n_blocks[rows.slot_row[slot]], slot);
  };
  ask_for(warp_id());
  for (int32_t slot = warp_id(); slot < task.group_slots; slot += kAttentionWarps) {
    const SlotParts<HD> parts = next;
    ask_for(slot + kAttentionWarps);
    const int32_t slot_row = rows.slot_row[slot];
    if (slot_row < 0) continue;
    store_result<HD>(task, rows.first + slot_row, heads.first + rows.slot_head[slot], fold_partials<HD>(task, parts, slot));
  }
}

template <int HD, bool STACKED>
void launch_attention(const AttentionPlan& plan, const AttentionTask& task, LaunchStream stream) {
  const size_t bytes = sizeof(PartMemory<HD>) + (STACKED ? kGroupTiles : 1) * kQueryWords<HD> * sizeof(uint4);
  static const bool is_allowed = (allow_shared(attention_kernel<HD, STACKED>, bytes), true);
  (void)is_allowed;
  launch(attention_kernel<HD, STACKED>, dim3(plan.n_parts + plan.group_rows, plan.n_sets, plan.n_groups),
         dim3(kAttentionWarps * kWarp), bytes, stream, task);
}

template <int HD>
void start(const AttentionPlan& plan, const AttentionTask& task, LaunchStream stream) {
  if (plan.is_stacked)
    launch_attention<HD, true>(plan, task, stream);
  else
    launch_attention<HD, false>(plan, task, stream);
}

bool is_tensor_head(int32_t head_dim) { return head_dim == 64 || head_dim == 128; }

}  // namespace

// Counters, then values of partial results, then their sums.
int64_t attention_workspace_bytes(int32_t max_rows, HeadLayout heads, int32_t max_keys) {
  if (heads.n_q_heads == 0 || !is_tensor_head(heads.head_dim)) return 0;
  const int64_t n = most_partials(std::min(max_rows, launch_rows(heads)), heads, n_splits_of(max_keys));
  return kCounters * static_cast<int64_t>(sizeof(int32_t)) +
         n * (heads.head_dim + 2) * static_cast<int64_t>(sizeof(float));
}

void attention(Act qkv, HeadLayout heads, KvView kv, int32_t layer, const RowsView& rows, int32_t max_keys,
               Act out, void* workspace, LaunchStream stream) {
  if (!kv.is_bf16 || !is_tensor_head(heads.head_dim)) {
    return attention_scalar(qkv, heads, kv, layer, rows, out, stream);
  }
  const int64_t layer_words = static_cast<int64_t>(kv.n_kv_heads) * kv.capacity * kv.head_dim / 8;
  AttentionTask task;
  task.q = qkv.data;
  task.qkv_cols = qkv.cols;
  task.out = out;
  task.keys = static_cast<const uint4*>(kv.keys) + layer * layer_words;
  task.values = static_cast<const uint4*>(kv.values) + layer * layer_words;
  task.capacity = kv.capacity;
  task.n_group = heads.n_q_heads / heads.n_kv_heads;
  task.scale = static_cast<float>(kLog2E / std::sqrt(static_cast<double>(heads.head_dim)));
  task.rows = rows;
  const int32_t most_rows = launch_rows(heads);
  for (int32_t first = 0; first < rows.n_rows; first += most_rows) {
    const int32_t n = std::min(rows.n_rows - first, most_rows);
    const AttentionPlan plan = plan_attention(n, heads, n_splits_of(max_keys));
    task.first_row = first;
    task.end_row = first + n;
    task.tile = plan.tile;
    task.part_splits = plan.part_splits;
    task.n_parts = plan.n_parts;
    task.group_rows = plan.group_rows;
    task.group_slots = plan.group_slots;
    task.arrived = static_cast<int32_t*>(workspace);
    task.part_values = reinterpret_cast<float*>(task.arrived + kCounters);
    task.part_sums = reinterpret_cast<float2*>(task.part_values + plan.n_partials() * heads.head_dim);
    if (heads.head_dim == 64)
      start<64>(plan, task, stream);
    else
      start<128>(plan, task, stream);
  }
}

}  // namespace draftscope::cuda
