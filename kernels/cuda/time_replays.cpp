#include "kernels/cuda/time_replays.h"

#include "kernels/cuda/device.h"

namespace draftscope::cuda {

std::vector<double> time_replays(cudaGraphExec_t graph, int32_t n, cudaStream_t stream) {
  std::vector<Event> marks;
  for (int32_t i = 0; i <= n; ++i) marks.push_back(make_event());
  CUDA_CHECK(cudaGraphLaunch(graph, stream));
  for (int32_t i = 0; i <= n; ++i) {
    CUDA_CHECK(cudaEventRecord(marks[static_cast<size_t>(i)].get(), stream));
    if (i < n) CUDA_CHECK(cudaGraphLaunch(graph, stream));
  }
  CUDA_CHECK(cudaStreamSynchronize(stream));
  std::vector<double> seconds;
  for (size_t i = 0; i + 1 < marks.size(); ++i) {
    float ms = 0;
    CUDA_CHECK(cudaEventElapsedTime(&ms, marks[i].get(), marks[i + 1].get()));
    seconds.push_back(static_cast<double>(ms) * 1e-3);
  }
  return seconds;
}

}  // namespace draftscope::cuda
