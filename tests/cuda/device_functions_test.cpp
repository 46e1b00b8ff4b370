// Functions of the device, called on the host as the emulated device has them.
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <vector>

#include "kernels/cpu/logit_ops.h"
#include "kernels/cuda/epilogue.cuh"
#include "kernels/cuda/logit_key.cuh"

namespace draftscope::cuda {
namespace {

TEST(CudaSilu, EqualsItsFormulaAndVanishesFarBelow) {
  for (float gate = -87.5f; gate < 100; gate += 0.25f) {
    const double expected = gate / (1.0 + std::exp(-static_cast<double>(gate))) * 1.5;
    EXPECT_NEAR(silu_mul(gate, 1.5f), expected, 1e-6 * std::fabs(expected)) << gate;
  }
  EXPECT_EQ(silu_mul(-89.0f, 5.0f), 0.0f);
  EXPECT_EQ(silu_mul(-INFINITY, 5.0f), 0.0f);
  EXPECT_TRUE(std::isnan(silu_mul(NAN, 1.0f)));
}

TEST(CudaLogitKey, IsTheCpusKeyWithItsSignFlipped) {
  const float logits[] = {-FLT_MAX, -1e30f, -2.5f, -1e-30f,    -1e-44f, 0.0f,
                          1e-44f,   1e-30f, 1.0f,  1.0000001f, 3e38f,   FLT_MAX};
  uint64_t before = 0;
  for (const float logit : logits) {
    for (const int32_t token : {2000000000, 151935, 1, 0}) {
      const uint64_t key = cuda::key_of(logit, token);
      EXPECT_EQ(key, static_cast<uint64_t>(draftscope::key_of(logit, token)) ^ uint64_t{1} << 63);
      EXPECT_GT(key, before);
      EXPECT_EQ(cuda::logit_of(key), logit);
      EXPECT_EQ(cuda::token_of(key), token);
      before = key;
    }
  }
}

TEST(CudaLogitKey, FiniteLogitsAreTheCpus) {
  std::vector<float> logits = {NAN, -NAN, INFINITY, -INFINITY, -0.0f, 0.0f, 1.5f, -2.5f, FLT_MAX, -FLT_MAX};
  std::vector<float> on_cpu = logits;
  on_cpu.resize(16);
  (void)logit_ops_plain().scan(on_cpu.data(), static_cast<int64_t>(logits.size()));
  for (size_t i = 0; i < logits.size(); ++i) {
    EXPECT_EQ(finite_logit(logits[i]), on_cpu[i]);
    EXPECT_EQ(std::signbit(finite_logit(logits[i])), std::signbit(on_cpu[i])) << logits[i];
  }
}

}  // namespace
}  // namespace draftscope::cuda
