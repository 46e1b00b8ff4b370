// Every reason for which there is no device, and memory that is too small: one sentence each.
#include "tests/cuda/no_device.h"

#include <gtest/gtest.h>

#include "kernels/cuda/device.h"
#include "tests/cuda/emulated/control.h"
#include "tests/engine/batch_cases.h"

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

TEST(DeviceInUse, IsSaidInOneSentence) {
  emulated::set_use_error(cudaErrorDevicesUnavailable);
  const Result<std::unique_ptr<Backend>> backend = make_cuda_backend(CudaOptions{});
  emulated::set_use_error(cudaSuccess);
  ASSERT_FALSE(backend);
  EXPECT_EQ(backend.error().rfind("no CUDA device: ", 0), 0u) << backend.error();
  EXPECT_NE(backend.error().find("cannot be used"), std::string::npos) << backend.error();
  EXPECT_EQ(backend.error().find('\n'), std::string::npos);
}

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

// A prompt that finds no memory takes nothing from the next one.
TEST(DeviceMemory, ASessionThatRanOutLeavesTheBackendUsable) {
  const Pair pair = open_test_pair(Precision::kBf16);
  const std::vector<int32_t> prompt = make_prompt(5, 12);
  Session starved = golden::must(Session::start(pair, prompt, make_options(Method::kExact, 8)));
  emulated::set_memory_bytes(emulated::live_bytes());
  EXPECT_THROW(while (!starved.done()) starved.round(), cuda::OutOfMemory);
  emulated::set_memory_bytes(size_t{8} << 30);
  EXPECT_EQ(generate(pair, prompt, make_options(Method::kExact, 8)).output.size(), 8u);
}

TEST(DeviceMemory, ABatchOfChainsTakesRoomForChains) {
  const Pair pair = open_test_pair(Precision::kBf16);
  const auto bytes = [&](Method method, int32_t max_nodes) {
    BatchOptions options = batch_options(method, 8);
    options.rule.max_nodes = max_nodes;
    const size_t before = emulated::live_bytes();
    const Batch batch = golden::must(Batch::start(pair, std::move(options)));
    return emulated::live_bytes() - before;
  };
  const int32_t chain = pair.drafter->config().block_size - 1;
  EXPECT_EQ(bytes(Method::kDflash, 200), bytes(Method::kDflash, chain));
  EXPECT_GT(bytes(Method::kExact, 200), bytes(Method::kExact, chain));
}

}  // namespace
}  // namespace draftscope
