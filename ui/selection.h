// Selection: what the person looks at; shared by all panels so that hover and selection are linked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace draftscope {

struct Selection {
  std::optional<size_t> request;     // of a batch, to be shown from the next frame on, at the pass shown now
  std::optional<int64_t> pass;       // beside it: at this one instead
  bool follow_live = true;           // show the newest round; scrubbing back turns it off
  int64_t round = 0;                 // index into RecordStore::rounds() when not following
  std::optional<int32_t> node;       // selected tree node of the shown round
  std::optional<int32_t> hover_node; // under the pointer in any panel, this frame or the last
  std::optional<int32_t> hover_budget;  // n under the pointer in the throughput panel
};

}  // namespace draftscope
