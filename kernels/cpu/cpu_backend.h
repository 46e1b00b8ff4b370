// The CPU backend: run-time dispatched kernels on prepacked weights.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/backend.h"

namespace draftscope {

/// Instruction sets the matrix kernels are written for, slowest first. kPlain is the definition.
enum class CpuPath : uint8_t { kPlain, kAvx2, kAvx512Bf16, kAmx };

const char* name(CpuPath path);

/// Paths this processor and kernel can run, slowest first; kPlain always among them.
std::vector<CpuPath> supported_cpu_paths();

struct CpuOptions {
  Precision precision = Precision::kBf16;
  int32_t n_threads = 0;                    // 0: the affinity mask decides
  CpuPath path = supported_cpu_paths().back();
};

/// Never fails for a path in supported_cpu_paths(); an unsupported path is an Error naming it.
Result<std::unique_ptr<Backend>> make_cpu_backend(const CpuOptions& options = {});

}  // namespace draftscope
