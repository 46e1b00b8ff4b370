// The keys that a row attends to beyond its contiguous ones.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda/attention_plan.h"

namespace draftscope::cuda {

/// list[i] = cache_row[j] for the i-th set bit j of bits (n_words,); returns how many. All lanes of one warp
/// call it; other lanes see the list after a barrier.
__device__ inline int32_t list_extras(const uint32_t* bits, int32_t n_words, const int32_t* cache_row,
                                      int32_t* list) {
  constexpr uint32_t kAll = 0xffffffffu;
  const int32_t lane = static_cast<int32_t>(threadIdx.x) % 32;
  int32_t n_before = 0;
  for (int32_t first = 0; first < n_words; first += 32) {
    uint32_t word = first + lane < n_words ? bits[first + lane] : 0u;
    int32_t through = __popc(word);  // set bits of this word and those of lower lanes
    for (int32_t step = 1; step < 32; step *= 2) {
      const int32_t below = __shfl_up_sync(kAll, through, step);
      if (lane >= step) through += below;
    }
    int32_t at = n_before + through - __popc(word);
    while (word != 0) list[at++] = cache_row[(first + lane) * 32 + take_lowest_bit(word)];
    n_before += __shfl_sync(kAll, through, 31);
  }
  return n_before;
}

}  // namespace draftscope::cuda
