// RoundLoop: whole rounds in a backend's own memory, of one text or of several that share passes. The host launches passes
// and reads each round's record after it ended; no number crosses over in between but the size of the verify pass.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "kernels/backend.h"
#include "kernels/shared/round_types.h"

namespace draftscope {

/// What a loop works on and the passes it calls. Everything is the caller's and must outlive the loop; the passes may be
/// recorded once and replayed often, so they must do the same work whenever their arguments are the same.
struct RoundLoopSetup {
  RoundLimits limits;
  KvStore* target_kv = nullptr;
  KvStore* drafter_kv = nullptr;         // null: no drafter
  int32_t mask_token = 0;
  std::vector<int32_t> windows;          // sliding windows of the block's passes, 0 for none, as block_rows
  Act features;                          // (max_rows, n) what the target's pass leaves for the drafter
  Act new_features;                      // (max_texts * (n_depths + 1), n) of the accepted paths
  PassRows* verify_rows = nullptr;       // the loop places all of these
  PassRows* context_rows = nullptr;
  std::vector<PassRows>* block_rows = nullptr;
  TopK *marginals = nullptr, *answer = nullptr;
  std::function<void(int32_t n_texts)> take_in;  // the drafter reads new_features over context_rows
  std::function<void(int32_t n_texts)> draft;    // the drafter's blocks; leaves marginals
  std::function<void()> verify;          // the target's pass over verify_rows and its head; leaves answer
};

/// Where a text begins in a loop. Both caches hold all of its tokens but the root.
struct RoundStart {
  int32_t context_len = 0;                      // tokens in the caches
  int32_t target_first = 0, drafter_first = 0;  // cache rows of its first token
  int32_t root_token = 0;
  TextDraws draws;
};

class RoundLoop {
 public:
  virtual ~RoundLoop() = default;

  /// Both take effect with the next round whose drafting has not begun; a rule that weighs costs wants them first.
  virtual void set_cost(const CostGrid& cost) = 0;
  virtual void set_params(const RoundParams& params) = 0;
  /// Starts drafting for 1 to max_texts texts; what was drafted before for others is forgotten. Requires both of the above.
  virtual void begin(std::span<const RoundStart> texts) = 0;
  /// Ends the round at work, starts the next one's drafting, and returns the ended one: (n_texts,) in begin's order.
  /// The drafter has then taken in everything that the round wrote.
  virtual std::span<const RoundImage> next() = 0;
};

}  // namespace draftscope
