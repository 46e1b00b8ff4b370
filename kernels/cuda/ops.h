// The operations as launches on a stream, over raw device memory. cuda_backend.cpp checks shapes and owns the memory.
//
// Every operation is batch-invariant: the bits of a row do not depend on how many rows share the launch.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda/launch_stream.h"
#include "kernels/cuda/rows_view.h"
#include "kernels/types.h"

namespace draftscope::cuda {

/// Row-major weights (n_out, n_in) in device memory, rows 16-byte aligned; n_in a multiple of 8 (padded with zeros).
struct WeightsView {
  const void* data = nullptr;
  int32_t n_out = 0, n_in = 0;
  bool is_bf16 = true;  // otherwise float32
  /// Rows 16 j .. 16 j + 7 are gate rows 8 j .. 8 j + 7, rows 16 j + 8 .. 16 j + 15 the same rows of up.
  bool gate_up = false;
};

/// Keys and values (n_layers, n_kv_heads, capacity, head_dim), bf16 or float32.
struct KvView {
  void *keys = nullptr, *values = nullptr;
  int32_t n_layers = 0, n_kv_heads = 0, capacity = 0, head_dim = 0;
  bool is_bf16 = true;

  /// Where a layer begins, in numbers.
  int64_t layer_at(int32_t layer) const { return static_cast<int64_t>(layer) * n_kv_heads * capacity * head_dim; }
};
/// Rotation tables (n_positions, head_dim / 2).
struct RopeView {
  const float *cos = nullptr, *sin = nullptr;
};
/// What becomes of the heads of qkv (rows, qkv_cols): see norm_rope_append.
struct HeadsArgs {
  HeadLayout layout;
  const float *q_norm = nullptr, *k_norm = nullptr;  // (head_dim,)
  float eps = 0;
  RopeView rope;
  RowsView rows;
  KvView kv;
  int32_t layer = 0;
};

/// How a product ends.
enum class Epilogue : uint8_t {
  kSet,     // out = y
  kAdd,     // out += y, and out.squares is brought up to date where it is kept
  kSwiGlu,  // out (rows, n_out / 2) = silu(gate) * up
  kHeads,   // norm_rope_append of y; out gets queries, its other columns are left alone. See can_end_in_heads.
};

/// y = x w^T, or y = norm(x) w^T with norm(x) = x / sqrt(mean(x^2) + eps) * norm_weight.
struct MatmulArgs {
  Act x;                               // (rows, n_in), float32 or bf16; with norm_weight: float32, squares kept
  const float* norm_weight = nullptr;  // (n_in,); null: no norm
  float eps = 0;
  WeightsView w;
  Act out;  // (rows, n_out) float32; for kSwiGlu (rows, n_out / 2), float32 or bf16
  Epilogue epilogue = Epilogue::kSet;
  HeadsArgs heads;                         // for kHeads
  Precision precision = Precision::kBf16;  // of x where it enters the product
  void* workspace = nullptr;               // matmul_workspace_bytes; zeroed once, left zeroed where it must be
};
int64_t matmul_workspace_bytes(int32_t max_rows, int32_t n_out, int32_t n_in);
void matmul(const MatmulArgs& args, LaunchStream stream);
/// Whether kHeads is there for these: on tensor cores, in one launch, heads that blocks have whole.
bool can_end_in_heads(const MatmulArgs& args);

/// out[r] = table[token[r]]; fills out.squares where it is kept. table (n_vocab, dim).
void embed(WeightsView table, const RowsView& rows, Act out, LaunchStream stream);
/// out = x / sqrt(mean(x^2) + eps) * weight; x (rows, dim) float32, out (rows, dim).
void rms_norm(Act x, const float* weight, float eps, Act out, LaunchStream stream);

/// Per head: RMS norm of q and k, rotation to position[r]; k and v go to cache row cache_row[r] of the layer.
/// qkv (rows, qkv_cols), q normalised and rotated in place.
void norm_rope_append(Act qkv, const HeadsArgs& args, LaunchStream stream);

/// Grouped-query attention over one layer of the cache, scale 1 / sqrt(head_dim). qkv (rows, qkv_cols); out (rows,
/// q_cols), float32 or bf16. max_keys: no row attends to more; it decides the launch's size, not its results. workspace:
/// zeroed once, then left to these launches, which may share one on a stream whatever their shapes.
int64_t attention_workspace_bytes(int32_t max_rows, HeadLayout heads, int32_t max_keys);
void attention(Act qkv, HeadLayout heads, KvView kv, int32_t layer, const RowsView& rows, int32_t max_keys, Act out,
               void* workspace, LaunchStream stream);

/// Most likely tokens of x head^T, ties to the smaller id; NaN counts as the lowest logit, infinities as the largest
/// finite ones. x: with bf16 weights and precision kept as bf16. token, log_p (rows, k), log_p natural log normalised over
/// n_out. k <= n_out; above 1024 it is slow.
struct TopKView {
  int32_t* token = nullptr;
  float* log_p = nullptr;
  int32_t k = 0;
};
int64_t head_workspace_bytes(int32_t max_rows, int32_t n_out, int32_t max_k);
void head_top_k(Act x, WeightsView head, Precision precision, TopKView out, void* workspace, LaunchStream stream);

/// Which cache rows of some texts stay, all in device memory. Of text t: first[t * stride] and n_kept[t * stride], and
/// ascending kept[t * width + i].
struct KeptRows {
  const int32_t *first = nullptr, *n_kept = nullptr;
  int32_t stride = 0;
  const int32_t* kept = nullptr;
  int32_t width = 0, n_texts = 1;
};
/// Moves cache rows first + kept[i] to first + i in every layer, i < n_kept, for every text.
void keep_rows(KvView kv, const KeptRows& rows, LaunchStream stream);
/// out[i] columns [first_col, first_col + x.cols) = x[rows[i]], i < n; rows (n,) in device memory, null: i itself.
void gather_rows(Act x, const int32_t* rows, int32_t n, Act out, int32_t first_col, LaunchStream stream);

}  // namespace draftscope::cuda
