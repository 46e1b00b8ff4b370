// The CPU backend: run-time dispatched kernels on prepacked weights.
#pragma once

#include <memory>
#include <vector>

#include "kernels/backend.h"

namespace draftscope {

/// Instruction sets the kernels are written for, slowest first. kPlain is the definition.
/// kAvx512Bf16 multiplies bf16 activations natively, kAmx in tiles, all else as kAvx512Bf16; float32 products
/// run the AVX2 kernel on both.
enum class CpuPath : uint8_t { kPlain, kAvx2, kAvx512Bf16, kAmx };

const char* name(CpuPath path);

/// Paths this processor and its system can run, slowest first; kPlain is always among them.
std::vector<CpuPath> supported_cpu_paths();

struct CpuOptions {
  Precision precision = Precision::kBf16;
  int32_t n_threads = 0;  // 0: as many as the affinity mask allows
  CpuPath path = supported_cpu_paths().back();
};

/// An Error names a path that this processor lacks, or a thread count outside 0..256.
Result<std::unique_ptr<Backend>> make_cpu_backend(const CpuOptions& options = {});

}  // namespace draftscope
