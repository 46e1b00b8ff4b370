// The attention and head operations behind CpuBackend, one .cpp per idea.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/cpu/kv_store.h"
#include "kernels/cpu/logit_ops.h"
#include "kernels/cpu/matmul.h"
#include "kernels/cpu/thread_pool.h"

namespace draftscope {

constexpr int32_t kKeyBlock = 32;   // keys whose scores are combined at once, aligned to attended positions
constexpr int32_t kQueryTile = 16;  // query rows that share converted key blocks
constexpr int32_t kMaxHeadDim = 256;

struct AttentionArgs {
  Act qkv;  // (rows, qkv_cols), q normalised and rotated
  HeadLayout heads;
  const CpuKvStore* kv;
  int32_t layer;
  const KeySets* keys;
  Act out;  // (rows, q_cols)
};

/// Rows [first_row, last_row) of all query heads that share one kv head.
using AttentionKernel = void (*)(const AttentionArgs& args, int32_t kv_head, int32_t first_row,
                                 int32_t last_row);
void attention_plain(const AttentionArgs& args, int32_t kv_head, int32_t first_row, int32_t last_row);
void attention_avx2(const AttentionArgs& args, int32_t kv_head, int32_t first_row, int32_t last_row);
void attention_avx512(const AttentionArgs& args, int32_t kv_head, int32_t first_row, int32_t last_row);

/// See Backend::head_top_k.
void head_top_k(const MatmulInput& x, const PackedMatrix& head, MatmulKernel kernel, const LogitOps& ops,
                int32_t k, ThreadPool& pool, TopK& out);

}  // namespace draftscope
