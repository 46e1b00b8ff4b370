#include "engine/model/drafter.h"

#include <algorithm>
#include <utility>

namespace draftscope {

Result<Drafter> Drafter::open(const std::string& dir, const Target& target) {
  Result<DrafterConfig> config = read_drafter_config(dir, target.config());
  if (!config) return Error{config.error()};
  const LayerConfig& sizes = config->layer;
  if (Status ok = target.backend().supports(dir, sizes.hidden, sizes.intermediate); !ok) {
    return Error{ok.error()};
  }
  Result<Checkpoint> weights = Checkpoint::open(dir);
  if (!weights) return Error{weights.error()};
  return load(*std::move(config), *weights, target);
}

Result<Drafter> Drafter::load(DrafterConfig config, const Checkpoint& weights, const Target& target) {
  Drafter drafter;
  drafter.config_ = std::move(config);
  drafter.backend_ = &target.backend();
  const LayerConfig& c = drafter.config_.layer;
  const int64_t kv_cols = static_cast<int64_t>(c.n_kv_heads) * c.head_dim;
  for (int32_t i = 0; i < drafter.config_.n_layers; ++i) {
    const std::string prefix = "layers." + std::to_string(i) + ".";
    Result<DecoderLayer> layer = DecoderLayer::load(weights, prefix, c, *drafter.backend_);
    if (!layer) return Error{layer.error()};
    drafter.layers_.push_back(*std::move(layer));
    const NamedShape parts[] = {{prefix + "self_attn.k_proj.weight", {kv_cols, c.hidden}},
                                {prefix + "self_attn.v_proj.weight", {kv_cols, c.hidden}}};
    Result<std::unique_ptr<Matrix>> kv = load_matrix(weights, parts, *drafter.backend_);
    if (!kv) return Error{kv.error()};
    drafter.context_kv_.push_back(*std::move(kv));
  }
  const int64_t n_features = static_cast<int64_t>(drafter.config_.target_layer_ids.size());
  const NamedShape fc{"fc.weight", {c.hidden, n_features * c.hidden}};
  Result<std::unique_ptr<Matrix>> fused = load_matrix(weights, {&fc, 1}, *drafter.backend_);
  if (!fused) return Error{fused.error()};
  drafter.fc_ = *std::move(fused);
  Result<std::unique_ptr<ActBuffer>> hidden_norm =
      load_vector(weights, "hidden_norm.weight", c.hidden, *drafter.backend_);
  if (!hidden_norm) return Error{hidden_norm.error()};
  drafter.hidden_norm_ = *std::move(hidden_norm);
  Result<std::unique_ptr<ActBuffer>> norm = load_vector(weights, "norm.weight", c.hidden, *drafter.backend_);
  if (!norm) return Error{norm.error()};
  drafter.norm_ = *std::move(norm);
  drafter.windows_ = drafter.config_.sliding_window;
  std::sort(drafter.windows_.begin(), drafter.windows_.end());
  drafter.windows_.erase(std::unique(drafter.windows_.begin(), drafter.windows_.end()), drafter.windows_.end());
  return drafter;
}

int64_t Drafter::n_weight_bytes() const {
  int64_t total = fc_->n_bytes;
  for (const DecoderLayer& layer : layers_) {
    total += layer.qkv->n_bytes + layer.o->n_bytes + layer.gate_up->n_bytes + layer.down->n_bytes;
  }
  for (const std::unique_ptr<Matrix>& kv : context_kv_) total += kv->n_bytes;
  return total;
}

KvCache Drafter::make_kv(int32_t capacity_rows) const {
  return {backend_->make_kv(config_.n_layers, heads_of(config_.layer), capacity_rows), 0};
}

DrafterWorkspace Drafter::make_workspace(int32_t max_rows) const {
  DrafterWorkspace work;
  work.layers = draftscope::make_workspace(*backend_, config_.layer, std::max(max_rows, config_.block_size));
  const int32_t rows = work.layers.max_rows;
  work.hidden = backend_->make_product_input(rows, config_.layer.hidden);
  work.slots = backend_->make_product_input(rows, config_.layer.hidden);
  work.context = backend_->make_act(rows, config_.layer.hidden);
  work.context_kv = backend_->make_act(rows, 2 * config_.layer.n_kv_heads * config_.layer.head_dim);
  return work;
}

void Drafter::append_context(Act features, RopeView rope, KvCache& kv, DrafterWorkspace& work) const {
  const ContextPart all{&kv, features.rows};
  append_context(features, std::span(&all, 1), rope, work);
}

void Drafter::append_context(Act features, std::span<const ContextPart> parts, RopeView rope, DrafterWorkspace& work) const {
  work.context_rows = {};
  for (const ContextPart& part : parts) {
    const std::vector<int32_t> no_tokens(part.n_rows, 0);  // the rows come from features, not from embeddings
    append_rows(work.context_rows, chain_rows(no_tokens, part.kv->length, part.kv->first));
  }
  DS_CHECK(work.context_rows.n == features.rows, "{} rows of features for {} tokens", features.rows, work.context_rows.n);
  backend_->place(work.context_rows);
  append_pass(features, rope, *parts[0].kv->store, work);
  for (const ContextPart& part : parts) part.kv->length += part.n_rows;
}

void Drafter::append_pass(Act features, RopeView rope, KvStore& kv, DrafterWorkspace& work) const {
  const LayerConfig& c = config_.layer;
  const HeadLayout keys_and_values{0, c.n_kv_heads, c.head_dim};
  const Act context = work.context->act.first_rows(features.rows);
  const Act both = work.context_kv->act.first_rows(features.rows);

  backend_->matmul(features, *fc_, context);
  backend_->rms_norm(context, hidden_norm_->act, c.rms_eps, context);
  // The layers do not transform the context, so every layer reads the same fused features.
  for (int32_t i = 0; i < config_.n_layers; ++i) {
    const DecoderLayer& layer = layers_[i];
    backend_->matmul_append(context, std::nullopt, *context_kv_[i], both,
                            {keys_and_values, layer.q_norm->act, layer.k_norm->act, c.rms_eps, rope, work.context_rows, kv, i});
  }
}

Marginals Drafter::draft(int32_t anchor_token, int32_t block_size, int32_t n_ranks, const Target& target, RopeView rope,
                         KvCache& kv, DrafterWorkspace& work) const {
  const BlockAnchor anchor{anchor_token, &kv};
  return std::move(draft(std::span(&anchor, 1), block_size, n_ranks, target, rope, work)[0]);
}

std::vector<Marginals> Drafter::draft(std::span<const BlockAnchor> anchors, int32_t block_size, int32_t n_ranks,
                                      const Target& target, RopeView rope, DrafterWorkspace& work) const {
  DS_CHECK(block_size >= 2 && block_size <= config_.block_size, "block {} of {}", block_size, config_.block_size);
  work.block_rows.clear();
  for (const int32_t window : windows_) {
    PassRows rows;
    for (const BlockAnchor& anchor : anchors) {
      append_rows(rows, block_rows(anchor.token, config_.mask_token_id, block_size, anchor.kv->length, window,
                                   anchor.kv->first));
    }
    backend_->place(rows);
    work.block_rows.push_back(std::move(rows));
  }
  const auto n_blocks = static_cast<int32_t>(anchors.size());
  draft_pass(n_ranks, target, rope, *anchors[0].kv->store, work, n_blocks);

  std::vector<Marginals> drafts;
  const ptrdiff_t n_entries = static_cast<ptrdiff_t>(block_size - 1) * work.top.k;
  for (int32_t i = 0; i < n_blocks; ++i) {
    const ptrdiff_t first = i * n_entries;
    drafts.push_back({block_size - 1, work.top.k,
                      {work.top.token.begin() + first, work.top.token.begin() + first + n_entries},
                      {work.top.log_p.begin() + first, work.top.log_p.begin() + first + n_entries}});
  }
  return drafts;
}

void Drafter::draft_pass(int32_t n_ranks, const Target& target, RopeView rope, KvStore& kv, DrafterWorkspace& work,
                         int32_t n_blocks) const {
  const int32_t n_rows = work.block_rows[0].n, block_size = n_rows / n_blocks;
  DS_CHECK(n_rows <= work.layers.max_rows, "{} rows of {}", n_rows, work.layers.max_rows);
  const Act x = work.layers.x->act.first_rows(n_rows), hidden = work.hidden->act.first_rows(n_rows);

  target.embed(work.block_rows[0], x);
  for (int32_t i = 0; i < config_.n_layers; ++i) {
    const auto window = std::find(windows_.begin(), windows_.end(), config_.sliding_window[i]) - windows_.begin();
    layers_[i].forward(*backend_, config_.layer, work.block_rows[window], rope, kv, i, work.layers, x);
  }
  backend_->rms_norm(x, norm_->act, config_.layer.rms_eps, hidden);
  // Slot 0 embeds the anchor and predicts nothing; slot j predicts the token at position j.
  const int32_t n_slots = block_size - 1;
  Act slots = hidden.rows_from(1, n_slots);
  if (n_blocks > 1) {
    slots = work.slots->act.first_rows(n_blocks * n_slots);
    for (int32_t block = 0; block < n_blocks; ++block)
      backend_->put_columns(hidden.rows_from(block * block_size + 1, n_slots), slots.rows_from(block * n_slots, n_slots), 0);
  }
  target.head(slots, std::min(n_ranks, target.config().vocab), work.top);
}

}  // namespace draftscope
