// KvCache: a text's cached rows of one model, and how many of them are committed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "kernels/backend.h"

namespace draftscope {

/// Rows [first, first + length) of the store hold committed tokens; a pass writes its rows after them and they count once
/// kept. Several texts may share a store, each in a range of its own.
struct KvCache {
  std::shared_ptr<KvStore> store;
  int32_t length = 0;
  int32_t first = 0;

  /// Commits the pass's rows `kept` (ascending, relative to length) and forgets its others.
  void keep(Backend& backend, std::span<const int32_t> kept) {
    backend.keep_rows(*store, first + length, kept);
    length += static_cast<int32_t>(kept.size());
  }
};

}  // namespace draftscope
