#include "kernels/cpu/attention_impl.h"

namespace draftscope {

void attention_avx512(const AttentionArgs& args, int32_t kv_head, int32_t first_row, int32_t last_row) {
  attention_task(args, kv_head, first_row, last_row);
}

}  // namespace draftscope
