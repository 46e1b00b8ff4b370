// DecoderLayer: one Qwen3 block, shared by target and drafter: the forward pass is written here, once.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "engine/base/check.h"
#include "engine/model/config.h"
#include "engine/model/kv_cache.h"
#include "engine/model/safetensors.h"
#include "kernels/backend.h"

namespace draftscope {

/// Activations of passes of up to max_rows rows; owned by a session, reused by every pass.
struct Workspace {
  std::unique_ptr<ActBuffer> x;         // (max_rows, hidden) residual stream
  std::unique_ptr<ActBuffer> qkv;       // (max_rows, qkv_cols)
  std::unique_ptr<ActBuffer> attended;  // (max_rows, n_heads * head_dim)
  std::unique_ptr<ActBuffer> mlp;       // (max_rows, intermediate)
  int32_t max_rows = 0;
};
Workspace make_workspace(Backend& backend, const LayerConfig& config, int32_t max_rows);

struct DecoderLayer {
  std::unique_ptr<ActBuffer> input_norm, post_norm;  // (1, hidden)
  std::unique_ptr<ActBuffer> q_norm, k_norm;         // (1, head_dim)
  std::unique_ptr<Matrix> qkv;         // (qkv_cols, hidden)
  std::unique_ptr<Matrix> o;           // (hidden, n_heads * head_dim)
  std::unique_ptr<Matrix> gate_up;     // (2 * intermediate, hidden), of a gated MLP
  std::unique_ptr<Matrix> down;        // (hidden, intermediate)

  /// Reads `prefix` + "self_attn.q_proj.weight" and so on. Errors name tensor, expected and found shape.
  static Result<DecoderLayer> load(const Checkpoint& checkpoint, const std::string& prefix, const LayerConfig& config,
                                   Backend& backend);

  /// x (rows, hidden), updated in place; keys and values go to the rows' cache rows of `layer`.
  void forward(Backend& backend, const LayerConfig& config, const PassRows& rows, RopeView rope, KvStore& kv,
               int32_t layer, Workspace& work, Act x) const;
};

/// Query and key-value heads of a layer.
inline HeadLayout heads_of(const LayerConfig& config) { return {config.n_heads, config.n_kv_heads, config.head_dim}; }

/// A norm's weights (1, n) as float32; an Error when missing or not of length n.
Result<std::unique_ptr<ActBuffer>> load_vector(const Checkpoint& checkpoint, const std::string& name, int32_t n,
                                               Backend& backend);
struct NamedShape {
  std::string name;
  Shape shape;  // (n_out, n_in)
};
/// One weight matrix or several stacked; an Error when one is missing or misshaped.
Result<std::unique_ptr<Matrix>> load_matrix(const Checkpoint& checkpoint, std::span<const NamedShape> parts,
                                            Backend& backend);

}  // namespace draftscope
