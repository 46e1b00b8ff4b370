// LaunchStream: where kernels are launched, and whether they may overlap.
#pragma once

#include <cuda_runtime.h>

namespace draftscope::cuda {

/// A stream. Where launches overlap, one may begin while the one before it ends, and waits inside, at follow() of launch.h,
/// for what that one leaves; otherwise it begins when that one has ended.
struct LaunchStream {
  cudaStream_t stream = nullptr;
  bool overlaps = false;

  LaunchStream(cudaStream_t of = nullptr, bool overlap = false) : stream(of), overlaps(overlap) {}
  operator cudaStream_t() const { return stream; }
};

}  // namespace draftscope::cuda
