#include "tests/bench/random_pair.h"

#include <algorithm>
#include <map>
#include <span>
#include <utility>

namespace draftscope {
namespace {

using Tensors = std::map<std::string, Tensor, std::less<>>;

PairShape qwen3(std::string name, LayerConfig layer, int32_t n_layers, bool tied) {
  PairShape shape;
  shape.name = std::move(name);
  shape.target = {layer, n_layers, 151936, 40960, tied, {}};
  return shape;
}

/// Random bf16 numbers: for matrices, and for norms between 1 and 1.25.
struct Pool {
  std::vector<uint16_t> matrix, norm;

  explicit Pool(int64_t n_largest) : matrix(static_cast<size_t>(n_largest) + 3), norm(1 << 16) {
    uint64_t state = 0x9E3779B97F4A7C15u;  // xorshift64 (Marsaglia 2003)
    const auto next = [&] {
      state ^= state << 13;
      state ^= state >> 7;
      return state ^= state << 17;
    };
    for (size_t i = 0; i + 4 <= matrix.size(); i += 4) {
      const uint64_t bits = next();
      for (size_t j = 0; j < 4; ++j) {
        matrix[i + j] = static_cast<uint16_t>((bits >> 16 * j & 0x80FF) | 0x3C00);
      }
    }
    for (uint16_t& value : norm) value = static_cast<uint16_t>(0x3F80 | (next() >> 40 & 0x1F));
  }
  void add(Tensors& tensors, const std::string& name, Shape shape) const {
    int64_t n = 1;
    for (const int64_t side : shape) n *= side;
    const std::vector<uint16_t>& from = shape.size() == 1 ? norm : matrix;
    DS_CHECK(n <= static_cast<int64_t>(from.size()), "{}", name);
    const std::span<const uint16_t> numbers(from.data(), static_cast<size_t>(n));
    tensors[name] = {name, DType::kBf16, std::move(shape), std::as_bytes(numbers)};
  }
};

void add_layer(const Pool& pool, Tensors& tensors, const std::string& prefix, const LayerConfig& c) {
  const int64_t q = static_cast<int64_t>(c.n_heads) * c.head_dim, kv = static_cast<int64_t>(c.n_kv_heads) * c.head_dim;
  pool.add(tensors, prefix + "input_layernorm.weight", {c.hidden});
  pool.add(tensors, prefix + "post_attention_layernorm.weight", {c.hidden});
  pool.add(tensors, prefix + "self_attn.q_norm.weight", {c.head_dim});
  pool.add(tensors, prefix + "self_attn.k_norm.weight", {c.head_dim});
  pool.add(tensors, prefix + "self_attn.q_proj.weight", {q, c.hidden});
  pool.add(tensors, prefix + "self_attn.k_proj.weight", {kv, c.hidden});
  pool.add(tensors, prefix + "self_attn.v_proj.weight", {kv, c.hidden});
  pool.add(tensors, prefix + "self_attn.o_proj.weight", {c.hidden, q});
  pool.add(tensors, prefix + "mlp.gate_proj.weight", {c.intermediate, c.hidden});
  pool.add(tensors, prefix + "mlp.up_proj.weight", {c.intermediate, c.hidden});
  pool.add(tensors, prefix + "mlp.down_proj.weight", {c.hidden, c.intermediate});
}

Tensors target_tensors(const Pool& pool, const TargetConfig& c) {
  Tensors tensors;
  pool.add(tensors, "model.embed_tokens.weight", {c.vocab, c.layer.hidden});
  if (!c.tied_embeddings) pool.add(tensors, "lm_head.weight", {c.vocab, c.layer.hidden});
  pool.add(tensors, "model.norm.weight", {c.layer.hidden});
  for (int32_t i = 0; i < c.n_layers; ++i) add_layer(pool, tensors, "model.layers." + std::to_string(i) + ".", c.layer);
  return tensors;
}

Tensors drafter_tensors(const Pool& pool, const DrafterConfig& c) {
  Tensors tensors;
  const int64_t n_features = static_cast<int64_t>(c.target_layer_ids.size());
  pool.add(tensors, "fc.weight", {c.layer.hidden, n_features * c.layer.hidden});
  pool.add(tensors, "hidden_norm.weight", {c.layer.hidden});
  pool.add(tensors, "norm.weight", {c.layer.hidden});
  for (int32_t i = 0; i < c.n_layers; ++i) add_layer(pool, tensors, "layers." + std::to_string(i) + ".", c.layer);
  return tensors;
}

DrafterConfig drafter_of(const PairShape& shape) {
  DrafterConfig c;
  c.layer = shape.target.layer;
  c.n_layers = shape.n_drafter_layers;
  c.block_size = shape.block_size;
  c.mask_token_id = shape.target.vocab - 1;
  for (int32_t i = 0; i < shape.n_features; ++i) {
    c.target_layer_ids.push_back((i + 1) * shape.target.n_layers / (shape.n_features + 1));
  }
  c.n_target_layers = shape.target.n_layers;
  c.sliding_window.assign(static_cast<size_t>(c.n_layers), 0);
  return c;
}

}  // namespace

PairShape qwen3_0_6b() { return qwen3("Qwen3-0.6B", {1024, 3072, 16, 8, 128}, 28, true); }
PairShape qwen3_4b() { return qwen3("Qwen3-4B", {2560, 9728, 32, 8, 128}, 36, true); }
PairShape qwen3_8b() { return qwen3("Qwen3-8B", {4096, 12288, 32, 8, 128}, 36, false); }

PairShape tiny_shape() {
  PairShape shape = qwen3("tiny", {64, 128, 4, 2, 32}, 3, true);
  shape.target.vocab = 300;
  shape.target.max_positions = 512;
  shape.n_drafter_layers = 1;
  shape.block_size = 4;
  shape.n_features = 2;
  return shape;
}

Pair make_random_pair(const PairShape& shape, std::unique_ptr<Backend> backend) {
  const LayerConfig& layer = shape.target.layer;
  const int64_t widest = std::max({static_cast<int64_t>(layer.intermediate), static_cast<int64_t>(shape.target.vocab),
                                   static_cast<int64_t>(layer.n_heads) * layer.head_dim,
                                   static_cast<int64_t>(shape.n_features) * layer.hidden});
  const Pool pool(widest * layer.hidden);
  const auto loaded = [](auto model) {
    DS_CHECK(model.ok(), "{}", model.ok() ? "" : model.error());
    return *std::move(model);
  };
  Target target = loaded(Target::load(shape.target, Checkpoint::of(shape.name, target_tensors(pool, shape.target)), *backend));
  Pair pair{std::move(backend), std::move(target), {}, {}, {}, {}, shape.name + " shape", "random", "random weights", ""};
  const DrafterConfig drafter = drafter_of(shape);
  const Checkpoint weights = Checkpoint::of("drafter", drafter_tensors(pool, drafter));
  pair.drafter = loaded(Drafter::load(drafter, weights, pair.target));
  return pair;
}

}  // namespace draftscope
