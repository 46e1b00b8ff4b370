// KernelTest: one parameter per CPU path and precision; a path that this processor lacks is a visible skip.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "tests/kernels/reference.h"

namespace draftscope {

struct KernelSetting {
  CpuPath path;
  Precision precision;
};

class KernelTest : public testing::TestWithParam<KernelSetting> {
 protected:
  void SetUp() override {
    if (!reference::is_supported(GetParam().path))
      GTEST_SKIP() << "this processor lacks " << name(GetParam().path);
    backend_ = make(1);
  }
  std::unique_ptr<Backend> make(int32_t n_threads) const {
    return reference::make_backend(GetParam().path, GetParam().precision, n_threads);
  }
  bool is_bf16() const { return GetParam().precision == Precision::kBf16; }
  /// What the backend multiplies with: the activations as they are, or rounded to bf16.
  reference::Table as_multiplied(reference::Table x) const {
    if (!is_bf16()) return x;
    for (double& value : x.data) value = reference::rounded(DType::kBf16, value);
    return x;
  }

  std::unique_ptr<Backend> backend_;
};

inline std::string setting_name(const testing::TestParamInfo<KernelSetting>& info) {
  const char* path = info.param.path == CpuPath::kPlain        ? "Plain"
                     : info.param.path == CpuPath::kAvx2       ? "Avx2"
                     : info.param.path == CpuPath::kAvx512Bf16 ? "Avx512Bf16"
                                                               : "Amx";
  return std::string(path) + (info.param.precision == Precision::kBf16 ? "_Bf16" : "_F32");
}

inline auto all_settings() {
  return testing::Values(
      KernelSetting{CpuPath::kPlain, Precision::kBf16}, KernelSetting{CpuPath::kPlain, Precision::kF32},
      KernelSetting{CpuPath::kAvx2, Precision::kBf16}, KernelSetting{CpuPath::kAvx2, Precision::kF32},
      KernelSetting{CpuPath::kAvx512Bf16, Precision::kBf16},
      KernelSetting{CpuPath::kAvx512Bf16, Precision::kF32}, KernelSetting{CpuPath::kAmx, Precision::kBf16},
      KernelSetting{CpuPath::kAmx, Precision::kF32});
}

}  // namespace draftscope
