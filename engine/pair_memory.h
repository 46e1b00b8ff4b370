// PairMemory: everything that one text occupies while a pair works on it: caches, rotations, activations.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "engine/model/pair.h"

namespace draftscope {

constexpr int32_t kPromptRows = 128;  // rows of a prompt pass: enough to be bound by arithmetic, not by weights

struct PairMemory {
  PlacedRope target_rope, drafter_rope;
  KvCache target_kv, drafter_kv;
  PassRows rows;                 // of the target's last pass
  TargetWorkspace target_work;
  DrafterWorkspace drafter_work;
  TopK target_top;                            // the target's answers to its last pass
  std::unique_ptr<ActBuffer> new_features;    // (kPromptRows, n_taps * hidden) of tokens the drafter has not taken in
  int32_t n_new_features = 0;

  /// For texts of up to `capacity` rows, those of the pass in progress included, and passes of up to max_rows rows.
  static PairMemory make(const Pair& pair, int32_t capacity, int32_t max_rows);

  /// Reads on: target_kv grows by the tokens, at most kPromptRows, and the drafter takes their features in.
  void read(const Pair& pair, std::span<const int32_t> tokens);
  /// Hands the waiting features to the drafter.
  void take_in_features(const Pair& pair);
  /// One target pass over `next`, after or in the place of what the last pass left uncommitted.
  void pass(const Pair& pair, PassRows next);
};

}  // namespace draftscope
