// Lets a whole program run on the emulated device, whose state comes from the environment.
#include <cstdlib>

#include "kernels/cuda/cuda_backend.h"
#include "tests/cuda/emulated/control.h"

// Asked for before any library is searched: the emulated kernels, which come first on the link line, are the ones found.
extern decltype(&draftscope::make_cuda_backend) const kEmulatedBackend;
decltype(&draftscope::make_cuda_backend) const kEmulatedBackend = &draftscope::make_cuda_backend;

[[maybe_unused]] static const bool kSet = [] {
  if (const char* error = std::getenv("DRAFTSCOPE_EMULATED_ERROR")) {
    emulated::set_device_error(static_cast<cudaError_t>(std::atoi(error)));
  }
  if (const char* bytes = std::getenv("DRAFTSCOPE_EMULATED_BYTES")) {
    emulated::set_memory_bytes(static_cast<size_t>(std::atoll(bytes)));
  }
  return true;
}();
