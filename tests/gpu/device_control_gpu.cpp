#include "tests/cuda/device_control.h"

#include <cstdio>

namespace draftscope::cuda {

void run_backwards(bool on) {
  if (on) std::printf("this GPU orders its threads itself: the run is repeated, not reversed\n");
}

}  // namespace draftscope::cuda
