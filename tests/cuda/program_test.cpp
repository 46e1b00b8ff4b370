// The program on a device that is missing or too small: one sentence, a status that is not 0, and the CPU only where the
// choice was left to the program.
#include "tests/app/program.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace draftscope {
namespace {

Finished decode(const TempFolder& folder, const std::string& backend) {
  return run(folder, {"decode", "--cost", DS_SOURCE_DIR "/assets/cost/a800-qwen3-4b-convex.json", "-p", "Hi", "-n", "3", "-m",
                      "plain", "--backend", backend});
}

void expect_one_line(const std::string& text, const std::string& begin) {
  EXPECT_EQ(text.rfind(begin, 0), 0u) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
}

/// A state of the emulated device that the programs started next find.
class State {
 public:
  State(const char* name, int64_t value) : name_(name) { setenv(name, std::to_string(value).c_str(), 1); }
  ~State() { unsetenv(name_); }

 private:
  const char* name_;
};

TEST(ProgramWithoutADevice, SaysWhyAndTakesTheCpuOnlyWhenTheChoiceIsItsOwn) {
  for (const int error : {34, 35, 100, 3, 803, 804, 999}) {
    SCOPED_TRACE(error);
    const TempFolder folder;
    const State state("DRAFTSCOPE_EMULATED_ERROR", error);
    const Finished asked = decode(folder, "cuda");
    EXPECT_NE(asked.status, 0);
    EXPECT_EQ(asked.out, "");
    expect_one_line(asked.err, "draftscope: no CUDA device: ");
    const Finished left_open = decode(folder, "auto");
    EXPECT_EQ(left_open.status, 0) << left_open.err;
    EXPECT_NE(left_open.out, "");
    EXPECT_EQ(left_open.err, asked.err.substr(0, asked.err.size() - 1) + "; using the CPU\n");
  }
}

TEST(ProgramWithoutMemory, SaysHowMuchIsMissing) {
  const TempFolder folder;
  const State state("DRAFTSCOPE_EMULATED_BYTES", 1 << 20);
  for (const char* backend : {"cuda", "auto"}) {
    const Finished found = decode(folder, backend);
    EXPECT_NE(found.status, 0);
    EXPECT_EQ(found.out, "");
    expect_one_line(found.err, "draftscope: GPU memory: expected ");
  }
}

}  // namespace
}  // namespace draftscope
