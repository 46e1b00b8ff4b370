#include "engine/model/decoder_layer.h"

#include <utility>
#include <vector>

namespace draftscope {

Workspace make_workspace(Backend& backend, const LayerConfig& config, int32_t max_rows) {
  Workspace work;
  work.x = backend.make_act(max_rows, config.hidden);
  work.qkv = backend.make_act(max_rows, heads_of(config).qkv_cols());
  work.attended = backend.make_product_input(max_rows, heads_of(config).q_cols());
  work.mlp = backend.make_product_input(max_rows, config.intermediate);
  work.max_rows = max_rows;
  return work;
}

Result<std::unique_ptr<ActBuffer>> load_vector(const Checkpoint& checkpoint, const std::string& name, int32_t n,
                                               Backend& backend) {
  Result<Tensor> tensor = checkpoint.get(name, {n});
  if (!tensor) return Error{tensor.error()};
  return place_vector(backend, to_floats(*tensor));
}

namespace {

Result<std::vector<Tensor>> load_tensors(const Checkpoint& checkpoint, std::span<const NamedShape> parts) {
  std::vector<Tensor> tensors;
  for (const NamedShape& part : parts) {
    Result<Tensor> tensor = checkpoint.get(part.name, part.shape);
    if (!tensor) return Error{tensor.error()};
    tensors.push_back(*std::move(tensor));
  }
  return tensors;
}

/// Loads into `slot`, or keeps the first error; lets a list of loads read as a list.
template <class T>
void take(T& slot, Result<T> loaded, std::string& error) {
  if (!loaded) {
    if (error.empty()) error = loaded.error();
  } else {
    slot = *std::move(loaded);
  }
}

}  // namespace

Result<std::unique_ptr<Matrix>> load_matrix(const Checkpoint& checkpoint, std::span<const NamedShape> parts,
                                            Backend& backend) {
  Result<std::vector<Tensor>> tensors = load_tensors(checkpoint, parts);
  if (!tensors) return Error{tensors.error()};
  return backend.pack(*tensors);
}

Result<DecoderLayer> DecoderLayer::load(const Checkpoint& checkpoint, const std::string& prefix,
                                        const LayerConfig& c, Backend& backend) {
  DecoderLayer layer;
  std::string error;
  const int64_t q_cols = heads_of(c).q_cols();
  const int64_t kv_cols = static_cast<int64_t>(c.n_kv_heads) * c.head_dim;
  const auto vector = [&](std::unique_ptr<ActBuffer>& slot, const char* name, int32_t n) {
    take(slot, load_vector(checkpoint, prefix + name, n, backend), error);
  };
  const auto matrix = [&](std::unique_ptr<Matrix>& slot, std::vector<NamedShape> parts) {
    for (NamedShape& part : parts) part.name = prefix + part.name;
    take(slot, load_matrix(checkpoint, parts, backend), error);
  };
  vector(layer.input_norm, "input_layernorm.weight", c.hidden);
  vector(layer.post_norm, "post_attention_layernorm.weight", c.hidden);
  vector(layer.q_norm, "self_attn.q_norm.weight", c.head_dim);
  vector(layer.k_norm, "self_attn.k_norm.weight", c.head_dim);
  matrix(layer.qkv, {{"self_attn.q_proj.weight", {q_cols, c.hidden}},
                     {"self_attn.k_proj.weight", {kv_cols, c.hidden}},
                     {"self_attn.v_proj.weight", {kv_cols, c.hidden}}});
  matrix(layer.o, {{"self_attn.o_proj.weight", {c.hidden, q_cols}}});
  const NamedShape gate_up[] = {{prefix + "mlp.gate_proj.weight", {c.intermediate, c.hidden}},
                                {prefix + "mlp.up_proj.weight", {c.intermediate, c.hidden}}};
  std::vector<Tensor> gated;
  take(gated, load_tensors(checkpoint, gate_up), error);
  if (gated.size() == 2) layer.gate_up = backend.pack_gate_up(gated[0], gated[1]);
  matrix(layer.down, {{"mlp.down_proj.weight", {c.hidden, c.intermediate}}});
  if (!error.empty()) return Error{error};
  return layer;
}

void DecoderLayer::forward(Backend& backend, const LayerConfig& config, const PassRows& rows, RopeView rope, KvStore& kv,
                           int32_t layer, Workspace& work, Act x) const {
  const HeadLayout heads = heads_of(config);
  const Act qkv_act = work.qkv->act.first_rows(x.rows), attended = work.attended->act.first_rows(x.rows);
  const Act gated = work.mlp->act.first_rows(x.rows);

  backend.matmul_append(x, InputNorm{input_norm->act, config.rms_eps}, *qkv, qkv_act,
                        {heads, q_norm->act, k_norm->act, config.rms_eps, rope, rows, kv, layer});
  backend.attention(qkv_act, heads, kv, layer, rows, attended);
  backend.matmul(attended, *o, x, Backend::Write::kAdd);

  backend.norm_gate_up(x, post_norm->act, config.rms_eps, *gate_up, gated);
  backend.matmul(gated, *down, x, Backend::Write::kAdd);
}

}  // namespace draftscope
