// Linked into a test program: where the environment names device code, its kernels are run from that.
#include <cstdlib>

#include "device_code.h"

[[maybe_unused]] static const bool kUsed = [] {
  const char* list = std::getenv("DRAFTSCOPE_EMULATED_CODE");
  if (list != nullptr) emulated::ptx::run_from(list);
  return list != nullptr;
}();
