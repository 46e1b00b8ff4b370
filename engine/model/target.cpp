#include "engine/model/target.h"

#include <algorithm>
#include <utility>

namespace draftscope {

Result<Target> Target::open(const std::string& dir, Backend& backend) {
  Result<TargetConfig> config = read_target_config(dir);
  if (!config) return Error{config.error()};
  const LayerConfig& sizes = config->layer;
  if (Status ok = backend.supports(dir, sizes.hidden, sizes.intermediate); !ok) return Error{ok.error()};
  Result<Checkpoint> checkpoint = Checkpoint::open(dir);
  if (!checkpoint) return Error{checkpoint.error()};
  return load(*std::move(config), *std::move(checkpoint), backend);
}

Result<Target> Target::load(TargetConfig config, Checkpoint checkpoint, Backend& backend) {
  Target target;
  target.config_ = std::move(config);
  target.backend_ = &backend;
  target.checkpoint_ = std::make_shared<const Checkpoint>(std::move(checkpoint));
  const Checkpoint& weights = *target.checkpoint_;
  const TargetConfig& c = target.config_;
  Result<Tensor> embedding = weights.get("model.embed_tokens.weight", {c.vocab, c.layer.hidden});
  if (!embedding) return Error{embedding.error()};
  const NamedShape head{c.tied_embeddings ? "model.embed_tokens.weight" : "lm_head.weight", {c.vocab, c.layer.hidden}};
  Result<std::unique_ptr<Matrix>> packed = load_matrix(weights, {&head, 1}, backend);
  if (!packed) return Error{packed.error()};
  target.head_ = *std::move(packed);
  target.embedding_ = backend.make_table(*embedding, c.tied_embeddings ? target.head_.get() : nullptr);
  weights.release_pages();  // the largest matrix first, while little else is held
  for (int32_t i = 0; i < c.n_layers; ++i) {
    Result<DecoderLayer> layer =
        DecoderLayer::load(weights, "model.layers." + std::to_string(i) + ".", c.layer, backend);
    if (!layer) return Error{layer.error()};
    target.layers_.push_back(*std::move(layer));
    weights.release_pages();  // packed: the peak is one copy of the weights, not two
  }
  Result<std::unique_ptr<ActBuffer>> norm = load_vector(weights, "model.norm.weight", c.layer.hidden, backend);
  if (!norm) return Error{norm.error()};
  target.norm_ = *std::move(norm);
  weights.release_pages();  // from here on only embeddings that are not the head's are read, of used tokens
  return target;
}

int64_t Target::n_weight_bytes() const {
  int64_t total = head_->n_bytes;
  for (const DecoderLayer& layer : layers_) {
    total += layer.qkv->n_bytes + layer.o->n_bytes + layer.gate_up->n_bytes + layer.down->n_bytes;
  }
  return total;
}

KvCache Target::make_kv(int32_t capacity_rows) const {
  return {backend_->make_kv(config_.n_layers, heads_of(config_.layer), capacity_rows), 0};
}

TargetWorkspace Target::make_workspace(int32_t max_rows, std::vector<int32_t> taps) const {
  TargetWorkspace work;
  work.layers = draftscope::make_workspace(*backend_, config_.layer, max_rows);
  work.hidden = backend_->make_product_input(max_rows, config_.layer.hidden);
  if (!taps.empty()) {
    work.features = backend_->make_act(max_rows, static_cast<int32_t>(taps.size()) * config_.layer.hidden);
  }
  work.taps = std::move(taps);
  return work;
}

void Target::embed(const PassRows& rows, Act out) const { backend_->embed(*embedding_, rows, out); }

void Target::forward(const PassRows& rows, RopeView rope, KvStore& kv, TargetWorkspace& work) const {
  DS_CHECK(rows.n >= 1 && rows.n <= work.layers.max_rows, "{} rows of {}", rows.n, work.layers.max_rows);
  const Act x = work.layers.x->act.first_rows(rows.n), hidden = work.hidden->act.first_rows(rows.n);
  const auto tap = [&](int32_t layer, Act state) {
    const auto found = std::find(work.taps.begin(), work.taps.end(), layer);
    if (found == work.taps.end()) return;
    const int32_t column = static_cast<int32_t>(found - work.taps.begin()) * config_.layer.hidden;
    backend_->put_columns(state, work.features->act.first_rows(rows.n), column);
  };

  embed(rows, x);
  for (int32_t i = 0; i < config_.n_layers; ++i) {
    layers_[i].forward(*backend_, config_.layer, rows, rope, kv, i, work.layers, x);
    if (i + 1 < config_.n_layers) tap(i, x);
  }
  backend_->rms_norm(x, norm_->act, config_.layer.rms_eps, hidden);
  tap(config_.n_layers - 1, hidden);
}

void Target::head(Act hidden, int32_t k, TopK& out) const { backend_->head_top_k(hidden, *head_, k, out); }

Result<DType> weights_dtype(const std::string& dir) {
  Result<Checkpoint> checkpoint = Checkpoint::open(dir);
  if (!checkpoint) return Error{checkpoint.error()};
  for (const char* name : {"model.embed_tokens.weight", "fc.weight"}) {
    if (const Tensor* tensor = checkpoint->find(name)) return tensor->dtype;
  }
  return fail("{}: expected a tensor model.embed_tokens.weight (target) or fc.weight (drafter), found neither", dir);
}

}  // namespace draftscope
