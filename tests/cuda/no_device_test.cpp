// Every reason for which there is no device, and memory that is too small: one sentence each.
#include "tests/cuda/no_device.h"

#include <gtest/gtest.h>

#include "kernels/cuda/device.h"
#include "tests/cuda/emulated/control.h"

namespace draftscope {
namespace {

class NoDevice : public testing::TestWithParam<cudaError_t> {
 protected:
  void SetUp() override { emulated::set_device_error(GetParam()); }
  void TearDown() override { emulated::set_device_error(cudaSuccess); }
};

TEST_P(NoDevice, IsSaidInOneSentenceAndAutoTakesTheCpu) { expect_no_device(); }

INSTANTIATE_TEST_SUITE_P(Reasons, NoDevice,
                         testing::Values(cudaErrorStubLibrary, cudaErrorInsufficientDriver, cudaErrorNoDevice,
                                         cudaErrorInitializationError, cudaErrorSystemDriverMismatch,
                                         cudaErrorCompatNotSupportedOnDevice, cudaErrorUnknown),
                         [](const auto& reason) { return "Error" + std::to_string(static_cast<int>(reason.param)); });

TEST(DeviceMemory, TooLittleIsSaidInOneSentence) {
  PairOptions options;
  options.target_dir = test_pair_dir("target");
  options.needs_tokenizer = false;
  options.backend = BackendChoice::kCuda;
  emulated::set_memory_bytes(64 << 10);
  std::string sentence;
  try {
    (void)open_pair(options);
  } catch (const cuda::OutOfMemory& error) {
    sentence = error.what();
  }
  emulated::set_memory_bytes(size_t{8} << 30);
  EXPECT_EQ(sentence.rfind("GPU memory: expected ", 0), 0u) << sentence;
  EXPECT_EQ(sentence.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace draftscope
