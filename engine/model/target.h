// Target: a Qwen3 model. Read-only after opening; everything that changes is passed in.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/model/decoder_layer.h"
#include "engine/model/rows.h"

namespace draftscope {

/// What a session owns to run passes of a target: activations, features, the answer's hidden states.
struct TargetWorkspace {
  Workspace layers;
  std::unique_ptr<ActBuffer> hidden;    // (max_rows, hidden) after the final norm, the head's input
  std::unique_ptr<ActBuffer> features;  // (max_rows, n_taps * hidden); column block i is layer taps[i]
  std::vector<int32_t> taps;            // ascending layer ids; a drafter's features
};

class Target {
 public:
  /// Opens a Hugging Face folder. Errors name file, key or tensor, expected and found.
  static Result<Target> open(const std::string& dir, Backend& backend);
  /// From weights by their Hugging Face names.
  static Result<Target> load(TargetConfig config, Checkpoint checkpoint, Backend& backend);

  const TargetConfig& config() const { return config_; }
  int64_t n_weight_bytes() const;  // as packed; what one pass over all layers and the head streams
  Backend& backend() const { return *backend_; }

  KvCache make_kv(int32_t capacity_rows) const;
  TargetWorkspace make_workspace(int32_t max_rows, std::vector<int32_t> taps) const;

  /// Token embeddings, out (rows.n, hidden).
  void embed(const PassRows& rows, Act out) const;
  /// One pass over placed rows: fills work.hidden and work.features rows [0, rows.n) and the rows' cache rows. The
  /// feature of the last layer is taken after the final norm, as in Hugging Face's hidden_states.
  void forward(const PassRows& rows, RopeView rope, KvStore& kv, TargetWorkspace& work) const;
  /// Most likely tokens of hidden (rows, hidden), full logits never stored.
  void head(Act hidden, int32_t k, TopK& out) const;

 private:
  TargetConfig config_;
  Backend* backend_ = nullptr;
  std::shared_ptr<const Checkpoint> checkpoint_;  // keeps the embedding table mapped
  std::unique_ptr<Matrix> head_;                  // (vocab, hidden)
  std::unique_ptr<Table> embedding_;              // (vocab, hidden)
  std::vector<DecoderLayer> layers_;
  std::unique_ptr<ActBuffer> norm_;               // (1, hidden)
};

/// Number type of a folder's embedding table, or of its first layer when it has none (a drafter).
Result<DType> weights_dtype(const std::string& dir);

}  // namespace draftscope
