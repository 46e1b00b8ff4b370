#include "engine/pair_memory.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace draftscope {

PairMemory PairMemory::make(const Pair& pair, int32_t capacity, int32_t max_rows) {
  const LayerConfig& target = pair.target.config().layer;
  PairMemory memory;
  memory.target_rope = place_rope(*pair.backend, target.head_dim, target.rope_theta, capacity);
  memory.target_kv = pair.target.make_kv(capacity);
  std::vector<int32_t> taps;
  if (pair.drafter) {
    const DrafterConfig& drafter = pair.drafter->config();
    taps = drafter.target_layer_ids;
    memory.drafter_rope = place_rope(*pair.backend, drafter.layer.head_dim, drafter.layer.rope_theta, capacity);
    memory.drafter_kv = pair.drafter->make_kv(capacity);
    memory.drafter_work = pair.drafter->make_workspace(kPromptRows);
    memory.new_features = pair.backend->make_act(kPromptRows, static_cast<int32_t>(taps.size()) * target.hidden);
  }
  memory.target_work = pair.target.make_workspace(std::max(kPromptRows, max_rows), std::move(taps));
  return memory;
}

void PairMemory::read(const Pair& pair, std::span<const int32_t> tokens) {
  pass(pair, chain_rows(tokens, target_kv.length));
  std::vector<int32_t> all(tokens.size());
  std::iota(all.begin(), all.end(), 0);
  target_kv.keep(*pair.backend, all);
  if (!pair.drafter) return;
  pair.drafter->append_context(target_work.features->act.first_rows(rows.n), drafter_rope, drafter_kv, drafter_work);
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
