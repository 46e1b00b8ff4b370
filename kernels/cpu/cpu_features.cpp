#include <sched.h>

#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/thread_pool.h"

namespace draftscope {

const char* name(CpuPath path) {
  switch (path) {
    case CpuPath::kPlain:
      return "plain";
    case CpuPath::kAvx2:
      return "avx2";
    case CpuPath::kAvx512Bf16:
      return "avx512-bf16";
  }
  return "unknown";
}

std::vector<CpuPath> supported_cpu_paths() {
  std::vector<CpuPath> paths{CpuPath::kPlain};
  __builtin_cpu_init();  // also asks the system whether it saves the wide registers
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return paths;
  paths.push_back(CpuPath::kAvx2);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bf16")) {
    paths.push_back(CpuPath::kAvx512Bf16);
  }
  return paths;
}

int32_t n_usable_cpus() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (::sched_getaffinity(0, sizeof(mask), &mask) != 0) return 1;
  return CPU_COUNT(&mask) > 0 ? CPU_COUNT(&mask) : 1;
}

}  // namespace draftscope
