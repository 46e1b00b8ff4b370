// What is left on disk when the writer is killed, or the disk is full.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "engine/record/trace_file.h"
#include "tests/record/make_record.h"
#include "tests/record/same_message.h"
#include "tests/temp_folder.h"

namespace draftscope {
namespace {

constexpr uint64_t kLargestFrame_bytes = 16'000;  // of a round of at most 49 nodes

// In the child: records until it is killed.
[[noreturn]] void record_for_ever(const std::string& path) {
  Result<TraceWriter> writer = TraceWriter::open(path);
  if (!writer) ::_exit(1);
  for (uint64_t seed = 0;; ++seed) {
    if (!writer->append(test::make_round(seed, static_cast<int>(seed % 50)))) ::_exit(2);
  }
}

void wait_for_bytes(const std::string& path, uintmax_t n_bytes) {
  std::error_code error;
  for (int i = 0; i < 20000; ++i) {
    const uintmax_t n_found = std::filesystem::file_size(path, error);
    if (!error && n_found >= n_bytes) return;
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  FAIL() << "the child wrote too little";
}

TEST(TraceCrash, KilledWriterLeavesWholeFrames) {
  for (int attempt = 0; attempt < 12; ++attempt) {
    const TempFile file("killed.dstrace");
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) record_for_ever(file.path());
    wait_for_bytes(file.path(), 20'000 + 7'777u * static_cast<unsigned>(attempt));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));

    const Result<TraceReader> reader = TraceReader::open(file.path());
    ASSERT_TRUE(reader) << reader.error();
    EXPECT_FALSE(reader->complete());
    EXPECT_LT(reader->n_dropped_bytes(), kLargestFrame_bytes) << "at most the frame being written is torn";
    ASSERT_GT(reader->size(), 5u);
    for (size_t i = 0; i < reader->size(); ++i) {
      const Result<Message> message = reader->message(i);
      ASSERT_TRUE(message) << message.error();
      EXPECT_TRUE(test::same(*message, Message(test::make_round(i, static_cast<int>(i % 50)))));
    }
  }
}

// In the child: 0 when the file-size limit ended the recording as it should.
int record_up_to(const std::string& path, rlim_t n_bytes) {
  std::signal(SIGXFSZ, SIG_IGN);  // a write beyond the limit is an error instead
  const rlimit limit{n_bytes, n_bytes};
  if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
  Result<TraceWriter> writer = TraceWriter::open(path);
  if (!writer) return 2;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    const Status status = writer->append(test::make_round(seed, 30));
    if (status) continue;
    if (status.error().find("cannot write to the recording") == std::string::npos) return 3;
    if (writer->append(test::make_round(seed, 0)).ok()) return 4;
    return writer->close().ok() ? 5 : 0;
  }
  return 6;
}

TEST(TraceCrash, FullDiskKeepsWhatIsWritten) {
  const TempFile file("full.dstrace");
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(record_up_to(file.path(), 50'000));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  ASSERT_EQ(WEXITSTATUS(status), 0);

  const Result<TraceReader> reader = TraceReader::open(file.path());
  ASSERT_TRUE(reader) << reader.error();
  EXPECT_EQ(reader->n_dropped_bytes(), 0u) << "the torn frame is cut off";
  ASSERT_GT(reader->size(), 3u);
  for (size_t i = 0; i < reader->size(); ++i) EXPECT_TRUE(reader->message(i));
}

}  // namespace
}  // namespace draftscope
