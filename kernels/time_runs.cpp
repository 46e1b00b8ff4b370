#include <chrono>

#include "kernels/backend.h"

namespace draftscope {

std::vector<double> Backend::time_runs(int32_t n, const std::function<void()>& work) {
  work();
  std::vector<double> seconds(static_cast<size_t>(n));
  for (double& s : seconds) {
    const auto began = std::chrono::steady_clock::now();
    work();
    s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  }
  return seconds;
}

}  // namespace draftscope
