// TargetConfig, DrafterConfig: what a model folder's config.json says, checked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/check.h"

namespace draftscope {

/// Sizes shared by target and drafter layers.
struct LayerConfig {
  int32_t hidden = 0;        // dim
  int32_t intermediate = 0;  // MLP columns
  int32_t n_heads = 0;
  int32_t n_kv_heads = 0;
  int32_t head_dim = 0;
  float rms_eps = 1e-6f;
  double rope_theta = 1e6;
};

struct TargetConfig {
  LayerConfig layer;
  int32_t n_layers = 0;
  int32_t vocab = 0;
  int32_t max_positions = 0;          // context limit, tokens
  bool tied_embeddings = false;       // lm_head is the embedding table
  std::vector<int32_t> eos_ids;       // config.json and generation_config.json together; may be empty
};

struct DrafterConfig {
  LayerConfig layer;
  int32_t n_layers = 0;
  int32_t block_size = 0;             // slots, slot 0 is the anchor: block_size - 1 drafts
  int32_t mask_token_id = 0;
  std::vector<int32_t> target_layer_ids;  // ascending; feature l is the output of target layer l
  int32_t n_target_layers = 0;
  std::vector<int32_t> sliding_window;    // (n_layers,) tokens; 0 is full attention
};

/// Reads DIR/config.json (and generation_config.json if there). Errors name the file, key, expected and found.
Result<TargetConfig> read_target_config(const std::string& dir);
/// Also checks the drafter against the target: hidden size, vocab, layer ids, n_target_layers.
Result<DrafterConfig> read_drafter_config(const std::string& dir, const TargetConfig& target);

}  // namespace draftscope
