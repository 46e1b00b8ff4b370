// CpuKvStore: cached keys and values in bf16 or float32.
#pragma once

#include <cstdint>

#include "kernels/backend.h"
#include "kernels/cpu/page_memory.h"

namespace draftscope {

class CpuKvStore final : public KvStore {
 public:
  bool is_bf16 = false;
  PageVector<uint16_t> k16, v16;  // (n_layers, n_kv_heads, capacity, head_dim); empty for float32
  PageVector<float> k32, v32;     // same; empty for bf16

  /// First column of one head's key or value; the rows of a head follow each other, as attention reads them.
  int64_t offset(int32_t layer, int32_t kv_head, int64_t row) const {
    return ((static_cast<int64_t>(layer) * n_kv_heads + kv_head) * capacity + row) * head_dim;
  }
};

}  // namespace draftscope
