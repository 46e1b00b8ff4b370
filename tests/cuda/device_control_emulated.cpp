#include <cstdlib>

#include "tests/cuda/device_control.h"
#include "tests/cuda/emulated/control.h"

namespace draftscope::cuda {

void run_backwards(bool on) { emulated::run_backwards(on); }

// With DRAFTSCOPE_HIDE_DEVICE_MEMORY set, host code that reads device memory crashes here as it does on a real GPU.
static const bool kHidden = [] {
  const bool hidden = std::getenv("DRAFTSCOPE_HIDE_DEVICE_MEMORY") != nullptr;
  if (hidden) emulated::hide_device_memory(true);
  return hidden;
}();

}  // namespace draftscope::cuda
