// A clock for the choice between implementations of a product.
#pragma once

#include <functional>
#include <vector>

#include "kernels/cuda/lt_matmul.h"

namespace draftscope::cuda {

/// A clock that runs the work once and answers as told: our own kernels first, then the library's proposals.
class ScriptedClock {
 public:
  std::vector<double> seconds = {4, 3, 1, 2};
  int n_asked = 0;

  TimeWork timer() {
    return [this](cudaStream_t, const std::function<void()>& before, const std::function<void()>& work) {
      before();
      work();
      return seconds.at(static_cast<size_t>(n_asked++) % seconds.size());
    };
  }
};

}  // namespace draftscope::cuda
