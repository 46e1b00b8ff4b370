// How long a recorded launch takes on the device.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <vector>

namespace draftscope::cuda {

/// Seconds of each of n replays of `graph` by the device's events, after one to warm up; all are enqueued at once.
std::vector<double> time_replays(cudaGraphExec_t graph, int32_t n, cudaStream_t stream);

}  // namespace draftscope::cuda
