#include "ui/source.h"

#include <gtest/gtest.h>

#include "tests/record/make_record.h"
#include "tests/record/same_message.h"
#include "tests/temp_folder.h"

namespace draftscope {
namespace {

void write_trace(const std::string& path, int n_rounds) {
  Result<TraceWriter> writer = TraceWriter::open(path);
  ASSERT_TRUE(writer) << writer.error();
  ASSERT_TRUE(writer->append(test::make_info()));
  for (int i = 0; i < n_rounds; ++i)
    ASSERT_TRUE(writer->append(test::make_round(static_cast<uint64_t>(i), 20)));
  ASSERT_TRUE(writer->append(test::make_end(n_rounds)));
  ASSERT_TRUE(writer->close());
}

TEST(Source, LiveDecodesAtMostItsBudgetPerPoll) {
  LiveQueue queue;
  LiveSource source(queue, 4);
  RecordStore store;
  EXPECT_EQ(source.poll(store), 0);
  ASSERT_TRUE(queue.push_control(encode(test::make_info())));
  for (uint64_t seed = 0; seed < 6; ++seed) ASSERT_TRUE(queue.push(encode(test::make_round(seed, 10))));
  EXPECT_EQ(source.poll(store), 4);
  EXPECT_EQ(store.rounds().size(), 3u);
  EXPECT_EQ(source.poll(store), 3);
  EXPECT_EQ(source.poll(store), 0);
  ASSERT_EQ(store.rounds().size(), 6u);
  EXPECT_TRUE(test::same(store.rounds()[5], test::make_round(5, 10)));
  EXPECT_TRUE(test::same(*store.info(), test::make_info()));
  EXPECT_EQ(store.n_skipped(), 0);
  EXPECT_TRUE(store.errors().empty());
}

TEST(Source, LiveShowsGapsAndReportsBrokenFrames) {
  LiveQueue queue;
  LiveSource source(queue);
  RecordStore store;
  queue.push_control(encode(test::make_info()));
  queue.push(encode(test::make_round(0, 10)));
  queue.push(EncodedFrame(40));
  queue.push(encode(test::make_round(5, 10)));
  queue.push_control(encode(test::make_end(8)));
  EXPECT_EQ(source.poll(store), 4);
  EXPECT_EQ(store.n_skipped(), 4 + 2) << "rounds 1 to 4, and 6 and 7 before the end";
  ASSERT_EQ(store.errors().size(), 1u);
  EXPECT_NE(store.errors()[0].find("no record"), std::string::npos) << store.errors()[0];
}

TEST(Source, TraceGivesTheWholeFileAtOnceOrInSteps) {
  const TempFile file("source_test.dstrace");
  write_trace(file.path(), 10);
  TraceSource whole(file.path());
  RecordStore store;
  EXPECT_EQ(whole.poll(store), 12);
  EXPECT_TRUE(whole.finished());
  EXPECT_EQ(whole.poll(store), 0);
  EXPECT_EQ(store.rounds().size(), 10u);
  ASSERT_TRUE(store.end());
  EXPECT_TRUE(test::same(*store.end(), test::make_end(10)));
  EXPECT_TRUE(store.errors().empty());

  TraceSource stepwise(file.path(), 5);
  RecordStore steps;
  EXPECT_EQ(stepwise.poll(steps), 5);
  EXPECT_FALSE(stepwise.finished());
  EXPECT_EQ(stepwise.poll(steps), 5);
  EXPECT_EQ(stepwise.poll(steps), 2);
  EXPECT_TRUE(stepwise.finished());
  EXPECT_EQ(steps.rounds().size(), 10u);
}

TEST(Source, TraceReportsWhatIsMissingAndShowsTheRest) {
  const TempFile file("source_test_cut.dstrace");
  write_trace(file.path(), 4);
  std::vector<std::byte> bytes = file.read();
  bytes.resize(bytes.size() / 2);
  file.write(bytes);
  TraceSource cut(file.path());
  RecordStore store;
  EXPECT_GT(cut.poll(store), 1);
  ASSERT_EQ(store.errors().size(), 1u);
  EXPECT_NE(store.errors()[0].find("cut off or damaged"), std::string::npos) << store.errors()[0];
  EXPECT_FALSE(store.end());
}

TEST(Source, TraceReportsAMissingFileOnce) {
  TraceSource source("no/such/file.dstrace");
  RecordStore store;
  EXPECT_EQ(source.poll(store), 0);
  EXPECT_EQ(source.poll(store), 0);
  EXPECT_TRUE(source.finished());
  ASSERT_EQ(store.errors().size(), 1u);
  EXPECT_NE(store.errors()[0].find("cannot open the recording"), std::string::npos);
}

TEST(Source, ANewSessionBeginsANewHistory) {
  LiveQueue queue;
  LiveSource source(queue);
  RecordStore store;
  queue.push_control(encode(test::make_info()));
  queue.push(encode(test::make_round(0, 3)));
  queue.push_control(encode(test::make_end(1)));
  source.poll(store);
  SessionInfo next = test::make_info();
  next.session = 2;
  queue.push_control(encode(next));
  const uint64_t version = store.version();
  EXPECT_EQ(source.poll(store), 1);
  EXPECT_NE(store.version(), version);
  EXPECT_TRUE(store.empty());
  EXPECT_FALSE(store.end());
  EXPECT_EQ(store.info()->session, 2);
}

TEST(Source, RoundsWithoutTheirSessionInfoAreReportedOnce) {
  LiveQueue queue;
  LiveSource source(queue);
  RecordStore store;
  queue.push_control(encode(test::make_info()));
  queue.push(encode(test::make_round(0, 3)));
  for (uint64_t seed = 0; seed < 3; ++seed) {
    RoundRecord stray = test::make_round(seed, 3);
    stray.session = 2;
    queue.push(encode(stray));
  }
  source.poll(store);
  EXPECT_EQ(store.rounds().size(), 1u);
  ASSERT_EQ(store.errors().size(), 1u);
  EXPECT_NE(store.errors()[0].find("session 2"), std::string::npos);
}

}  // namespace
}  // namespace draftscope
