// KvCache: a session's cached rows of one model, and how many of them are committed text.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "kernels/backend.h"

namespace draftscope {

/// Rows [0, length) hold committed tokens; a pass writes its rows after them and they count once kept.
struct KvCache {
  std::unique_ptr<KvStore> store;
  int32_t length = 0;

  /// Commits the pass's rows `kept` (ascending, relative to length) and forgets its others.
  void keep(Backend& backend, std::span<const int32_t> kept) {
    backend.keep_rows(*store, length, kept);
    length += static_cast<int32_t>(kept.size());
  }
};

}  // namespace draftscope
