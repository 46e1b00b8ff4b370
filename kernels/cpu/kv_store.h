// CpuKvStore: cached keys and values in bf16 or float32.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/backend.h"

namespace draftscope {

class CpuKvStore final : public KvStore {
 public:
  bool is_bf16 = false;
  std::vector<uint16_t> k16, v16;  // (n_layers, capacity, n_kv_heads * head_dim); empty for float32
  std::vector<float> k32, v32;     // same; empty for bf16

  int64_t row_cols() const { return static_cast<int64_t>(n_kv_heads) * head_dim; }
  int64_t offset(int32_t layer, int64_t row) const { return (layer * static_cast<int64_t>(capacity) + row) * row_cols(); }
};

}  // namespace draftscope
