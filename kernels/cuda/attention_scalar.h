// Attention for every head size and for float32 keys, plain rather than fast.
#pragma once

#include "kernels/cuda/ops.h"

namespace draftscope::cuda {

/// As attention(); head_dim a multiple of 8, at most 256; needs no workspace.
void attention_scalar(Act qkv, HeadLayout heads, KvView kv, int32_t layer, const RowsView& rows, Act out,
                      LaunchStream stream);

}  // namespace draftscope::cuda
