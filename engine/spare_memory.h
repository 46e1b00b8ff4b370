// SpareMemory: what an ended session worked in, for the next one of its pair. Memory is asked for once then, and a device's
// rounds are recorded once, not for every generation.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>

#include "engine/device_rounds.h"
#include "engine/pair_memory.h"

namespace draftscope {

/// A device's loop and what it was made for.
struct SizedLoop {
  std::unique_ptr<RoundLoop> loop;  // null: there is none
  LoopSizes sizes;
  size_t n_contexts = 0;  // that it has room for in a cost model

  bool suits(const LoopSizes& wanted, size_t wanted_contexts) const {
    return loop != nullptr && sizes == wanted && wanted_contexts <= n_contexts;
  }
};

struct SessionMemory {
  std::unique_ptr<PairMemory> memory;  // on the heap: the loop points into it
  SizedLoop sized;
};

class SpareMemory {
 public:
  /// Memory for a text of up to `capacity` rows and passes of up to max_rows: the spare one, should it suit, as if no text
  /// had been in it; else new, once the spare one is gone. `pair`: that of this spare memory.
  SessionMemory take(const Pair& pair, int32_t capacity, int32_t max_rows);
  /// Instead of what was kept before.
  void keep(const Pair& pair, SessionMemory memory);
  /// Gives the memory back, for somebody who needs other.
  void drop();

 private:
  std::mutex mutex_;
  std::optional<SessionMemory> kept_;
  const Pair* made_for_ = nullptr;  // a loop points to its pair, which may have moved since
};

}  // namespace draftscope
