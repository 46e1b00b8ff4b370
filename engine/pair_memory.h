// PairMemory: everything that texts occupy while a pair works on them: caches, rotations, activations.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "engine/model/pair.h"

namespace draftscope {

constexpr int32_t kPromptRows = 128;  // rows of a prompt pass: enough to be bound by arithmetic, not by weights

/// Rows that a text's caches need after its tokens: those of its widest verify pass, or what that kept and the block that
/// a device has drafted behind it by the time the host finds the text ended. block_size 0: no drafter follows.
int32_t rows_after_text(int32_t max_nodes, int32_t block_size);

struct PairMemory {
  PlacedRope target_rope, drafter_rope;
  KvCache target_kv, drafter_kv;              // of the text, or of the first where several share the stores
  PassRows rows;                              // of the target's last pass
  TargetWorkspace target_work;
  DrafterWorkspace drafter_work;
  TopK target_top;                            // the target's answers to its last pass
  std::unique_ptr<ActBuffer> new_features;    // (some rows, n_taps * hidden) of tokens the drafter has not taken in
  int32_t n_new_features = 0;
  int32_t capacity = 0, max_rows = 0;         // what it was made for

  /// For n_texts texts of up to `capacity` rows each, those of the pass in progress included, and passes of up to max_rows
  /// rows in all.
  static PairMemory make(const Pair& pair, int32_t capacity, int32_t max_rows, int32_t n_texts = 1);
  /// As if no text had been in it.
  void forget() { target_kv.length = drafter_kv.length = n_new_features = 0; }

  /// Reads on: the text's caches grow by the tokens, at most kPromptRows; `drafter` null: no drafter follows.
  void read(const Pair& pair, KvCache& target, KvCache* drafter, std::span<const int32_t> tokens);
  void read(const Pair& pair, std::span<const int32_t> tokens);
  /// Reads a whole prompt, kPromptRows at a time, and leaves the target's answer after it in target_top. False when
  /// `progress(done, total)`, asked before every piece, said so.
  bool read_prompt(const Pair& pair, KvCache& target, KvCache* drafter, std::span<const int32_t> prompt, int32_t n_answers,
                   const std::function<bool(int32_t done, int32_t total)>& progress);
  /// Hands the waiting features to the drafter.
  void take_in_features(const Pair& pair);
  /// One target pass over `next`, after or in the place of what the last pass left uncommitted.
  void pass(const Pair& pair, PassRows next);
};

}  // namespace draftscope
