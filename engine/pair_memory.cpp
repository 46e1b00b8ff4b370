#include "engine/pair_memory.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace draftscope {

// What is kept is part of a path, which a block's slots are the depths of.
int32_t rows_after_text(int32_t max_nodes, int32_t block_size) { return std::max(max_nodes + 1, 2 * block_size); }

PairMemory PairMemory::make(const Pair& pair, int32_t capacity, int32_t max_rows, int32_t n_texts) {
  const LayerConfig& target = pair.target.config().layer;
  PairMemory memory;
  memory.capacity = capacity;
  memory.max_rows = max_rows;
  memory.target_rope = place_rope(*pair.backend, target.head_dim, target.rope_theta, capacity);
  memory.target_kv = pair.target.make_kv(capacity * n_texts);
  std::vector<int32_t> taps;
  if (pair.drafter) {
    const DrafterConfig& drafter = pair.drafter->config();
    taps = drafter.target_layer_ids;
    memory.drafter_rope = place_rope(*pair.backend, drafter.layer.head_dim, drafter.layer.rope_theta, capacity);
    // A round leaves at most one block of new tokens per text.
    const int32_t draft_rows = std::max(kPromptRows, n_texts * drafter.block_size);
    memory.drafter_kv = pair.drafter->make_kv(capacity * n_texts);
    memory.drafter_work = pair.drafter->make_workspace(draft_rows);
    memory.new_features = pair.backend->make_act(draft_rows, static_cast<int32_t>(taps.size()) * target.hidden);
  }
  memory.target_work = pair.target.make_workspace(std::max(kPromptRows, max_rows), std::move(taps));
  return memory;
}

void PairMemory::read(const Pair& pair, KvCache& target, KvCache* drafter, std::span<const int32_t> tokens) {
  pass(pair, chain_rows(tokens, target.length, target.first));
  std::vector<int32_t> all(tokens.size());
  std::iota(all.begin(), all.end(), 0);
  target.keep(*pair.backend, all);
  if (drafter == nullptr) return;
  pair.drafter->append_context(target_work.features->act.first_rows(rows.n), drafter_rope, *drafter, drafter_work);
}

void PairMemory::read(const Pair& pair, std::span<const int32_t> tokens) {
  read(pair, target_kv, pair.drafter ? &drafter_kv : nullptr, tokens);
}

bool PairMemory::read_prompt(const Pair& pair, KvCache& target, KvCache* drafter, std::span<const int32_t> prompt,
                             int32_t n_answers, const std::function<bool(int32_t, int32_t)>& progress) {
  const auto n_prompt = static_cast<int32_t>(prompt.size());
  int32_t n_rows = 0;
  for (int32_t first = 0; first < n_prompt; first += n_rows) {
    if (progress && !progress(first, n_prompt)) return false;
    n_rows = std::min(kPromptRows, n_prompt - first);
    read(pair, target, drafter, prompt.subspan(first, n_rows));
  }
  pair.target.head(target_work.hidden->act.rows_from(n_rows - 1, 1), n_answers, target_top);
  return true;
}

void PairMemory::take_in_features(const Pair& pair) {
  if (n_new_features == 0) return;
  pair.drafter->append_context(new_features->act.first_rows(n_new_features), drafter_rope, drafter_kv, drafter_work);
  n_new_features = 0;
}

void PairMemory::pass(const Pair& pair, PassRows next) {
  rows = std::move(next);
  pair.backend->place(rows);
  pair.target.forward(rows, target_rope, *target_kv.store, target_work);
}

}  // namespace draftscope
