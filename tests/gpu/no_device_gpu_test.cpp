// The same on a real machine: without a GPU as it stands, with one in a child process that must not see it.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/cuda/no_device.h"

namespace draftscope {
namespace {

TEST(NoDevice, IsSaidInOneSentenceAndAutoTakesTheCpu) {
  if (!cuda_device()) return expect_no_device();
  ASSERT_EQ(std::getenv("DRAFTSCOPE_HIDDEN_GPU"), nullptr) << "CUDA_VISIBLE_DEVICES=-1 hides no GPU here";
  const pid_t child = fork();
  if (child == 0) {
    setenv("CUDA_VISIBLE_DEVICES", "-1", 1);
    setenv("DRAFTSCOPE_HIDDEN_GPU", "1", 1);
    unsetenv("GTEST_TOTAL_SHARDS");  // of the parent's: the child's only test might be another shard's
    unsetenv("GTEST_SHARD_INDEX");
    execl("/proc/self/exe", "test_gpu", "--gtest_filter=NoDevice.*", static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace draftscope
