#include <cpuid.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/thread_pool.h"

namespace draftscope {
namespace {

// Whether the processor multiplies bf16 tiles, the system keeps them per thread, and this process may use
// them: Linux wants to be asked once, since they make every thread's saved state 8 KB larger.
bool may_use_amx() {
  unsigned eax, ebx, ecx, edx;
  constexpr unsigned kAmxBf16 = 1u << 22, kAmxTile = 1u << 24;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  if ((edx & kAmxBf16) == 0 || (edx & kAmxTile) == 0) return false;
  unsigned saved, high;  // which registers the system saves; AVX needs the same instruction, so it is there
  asm("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
  constexpr unsigned kTileConfig = 1u << 17, kTileData = 1u << 18;
  if ((saved & kTileConfig) == 0 || (saved & kTileData) == 0) return false;
  constexpr int64_t kRequestPermission = 0x1023, kOfTileData = 18;  // arch_prctl's ARCH_REQ_XCOMP_PERM
  static const bool granted = ::syscall(SYS_arch_prctl, kRequestPermission, kOfTileData) == 0;
  return granted;
}

}  // namespace

const char* name(CpuPath path) {
  switch (path) {
    case CpuPath::kPlain:
      return "plain";
    case CpuPath::kAvx2:
      return "avx2";
    case CpuPath::kAvx512Bf16:
      return "avx512-bf16";
    case CpuPath::kAmx:
      return "amx";
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
    if (may_use_amx()) paths.push_back(CpuPath::kAmx);
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
