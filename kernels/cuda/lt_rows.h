// What a product by cuBLASLt needs before and after it, which our own kernels do on the way: launches.
#pragma once

#include <cuda_runtime.h>

#include "kernels/cuda/launch_stream.h"
#include "kernels/types.h"

namespace draftscope::cuda {

/// out = bf16(x), or bf16(x / sqrt(mean(x^2) + eps) * norm_weight) from x.squares, as our own product's prologue
/// rounds.
/// x (rows, cols), cols even; norm_weight (cols,), null: no norm; out (rows, cols) bf16, 4-byte aligned. Neither
/// operation fails; a row's bits depend on that row alone.
void round_rows(Act x, const float* norm_weight, float eps, void* out, LaunchStream stream);
/// Brings x.squares up to date; x (rows, cols).
void square_rows(Act x, LaunchStream stream);

}  // namespace draftscope::cuda
