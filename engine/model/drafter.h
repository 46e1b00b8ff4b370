// Drafter: a DFlash block-diffusion drafter (arXiv 2602.06036). Reads the target's features, drafts a whole
// block of tokens in one pass, and uses the target's embeddings and head.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/model/target.h"
#include "engine/record/round.h"

namespace draftscope {

struct DrafterWorkspace {
  Workspace layers;                      // rows of one block or of one stretch of context
  std::unique_ptr<ActBuffer> hidden;     // (max_rows, hidden) block after the final norm
  std::unique_ptr<ActBuffer> slots;      // (max_rows, hidden) of several blocks, before the head
  std::unique_ptr<ActBuffer> context;    // (max_rows, hidden) fused features
  std::unique_ptr<ActBuffer> context_kv; // (max_rows, 2 * n_kv_heads * head_dim)
  PassRows context_rows;                 // of the features last taken in
  std::vector<PassRows> block_rows;      // per layer group: rows of the block under that group's window
  TopK top;
};

/// New tokens of one text in a common pass: n_rows of features after kv.length.
struct ContextPart {
  KvCache* kv = nullptr;
  int32_t n_rows = 0;
};
/// Where a block of one text begins: the anchor stands at position kv.length.
struct BlockAnchor {
  int32_t token = 0;
  const KvCache* kv = nullptr;
};

class Drafter {
 public:
  /// Opens an official DFlash folder made for `target`.
  static Result<Drafter> open(const std::string& dir, const Target& target);
  /// From weights by their names in such a folder; `config` as read_drafter_config checks it.
  static Result<Drafter> load(DrafterConfig config, const Checkpoint& weights, const Target& target);

  const DrafterConfig& config() const { return config_; }
  int64_t n_weight_bytes() const;

  KvCache make_kv(int32_t capacity_rows) const;
  DrafterWorkspace make_workspace(int32_t max_rows) const;

  /// Takes in the features (rows, n_features * hidden) of newly committed tokens: their keys and values are
  /// cached at rows kv.length.. for ever, and kv.length grows by rows.
  void append_context(Act features, RopeView rope, KvCache& kv, DrafterWorkspace& work) const;
  /// The same for several texts of one store, their features one after the other.
  void append_context(Act features, std::span<const ContextPart> parts, RopeView rope, DrafterWorkspace& work) const;

  /// Drafts after the anchor, which stands at position kv.length. The top n_ranks tokens of block_size - 1 slots;
  /// block_size up to the config's. The block itself leaves no trace in the cache.
  Marginals draft(int32_t anchor_token, int32_t block_size, int32_t n_ranks, const Target& target, RopeView rope,
                  KvCache& kv, DrafterWorkspace& work) const;
  /// The same for several texts of one store in one pass, which gives each the very numbers that a pass alone gives it.
  std::vector<Marginals> draft(std::span<const BlockAnchor> anchors, int32_t block_size, int32_t n_ranks,
                               const Target& target, RopeView rope, DrafterWorkspace& work) const;

  /// The passes behind these two, over placed rows: work.context_rows at features (context_rows.n, ..), and
  /// work.block_rows, one per window of windows(), n_blocks of equal size; the answers land in work.top.
  void append_pass(Act features, RopeView rope, KvStore& kv, DrafterWorkspace& work) const;
  void draft_pass(int32_t n_ranks, const Target& target, RopeView rope, KvStore& kv, DrafterWorkspace& work,
                  int32_t n_blocks = 1) const;
  /// Distinct sliding windows of the layers, 0 for none, ascending.
  const std::vector<int32_t>& windows() const { return windows_; }

 private:
  DrafterConfig config_;
  Backend* backend_ = nullptr;
  std::vector<DecoderLayer> layers_;
  std::vector<std::unique_ptr<Matrix>> context_kv_;  // per layer (2 * n_kv_heads * head_dim, hidden): keys, values
  std::unique_ptr<Matrix> fc_;                       // (hidden, n_features * hidden)
  std::unique_ptr<ActBuffer> hidden_norm_, norm_;    // (1, hidden)
  std::vector<int32_t> windows_;
};

}  // namespace draftscope
