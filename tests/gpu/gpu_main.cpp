// Runs the tests on a real GPU. Without one every test is skipped with the reason, except those of that very state.
#include <gtest/gtest.h>

#include <string>

#include "kernels/cuda/cuda_backend.h"

namespace {

/// Skips before a test's body, and its fixture's SetUp, would touch the device.
class SkipWithoutDevice : public testing::EmptyTestEventListener {
 public:
  explicit SkipWithoutDevice(std::string reason) : reason_(std::move(reason)) {}

  void OnTestStart(const testing::TestInfo& test) override {
    if (test.test_suite_name() == std::string("NoDevice")) return;
    GTEST_SKIP() << reason_;
  }

 private:
  std::string reason_;
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (const auto device = draftscope::cuda_device(); !device) {
    testing::UnitTest::GetInstance()->listeners().Append(new SkipWithoutDevice(device.error()));
  }
  return RUN_ALL_TESTS();
}
