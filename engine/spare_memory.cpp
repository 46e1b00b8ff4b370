#include "engine/spare_memory.h"

#include <utility>

namespace draftscope {

std::shared_ptr<SpareMemory> make_spare_memory() { return std::make_shared<SpareMemory>(); }

SessionMemory SpareMemory::take(const Pair& pair, int32_t capacity, int32_t max_rows) {
  std::optional<SessionMemory> spare;
  {
    const std::lock_guard lock(mutex_);
    spare = std::exchange(kept_, std::nullopt);
    if (made_for_ != &pair) spare.reset();
  }
  if (spare && spare->memory->capacity >= capacity && spare->memory->max_rows == max_rows) {
    spare->memory->forget();
    return *std::move(spare);
  }
  spare.reset();
  return {std::make_unique<PairMemory>(PairMemory::make(pair, capacity, max_rows)), {}};
}

void SpareMemory::keep(const Pair& pair, SessionMemory memory) {
  const std::lock_guard lock(mutex_);
  kept_.emplace(std::move(memory));  // an assignment would free what a loop points into before the loop
  made_for_ = &pair;
}

void SpareMemory::drop() {
  const std::lock_guard lock(mutex_);
  kept_.reset();
}

}  // namespace draftscope
