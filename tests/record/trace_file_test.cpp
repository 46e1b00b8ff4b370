#include "engine/record/trace_file.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/record/crc32c.h"
#include "engine/record/trace_format.h"
#include "tests/record/make_record.h"
#include "tests/record/same_message.h"
#include "tests/temp_folder.h"

namespace draftscope {
namespace {

std::vector<Message> make_stream(int n_rounds) {
  std::vector<Message> messages{test::make_info()};
  for (int i = 0; i < n_rounds; ++i) messages.emplace_back(test::make_round(static_cast<uint64_t>(i), 6 * i));
  messages.emplace_back(test::make_end(n_rounds));
  return messages;
}

// Writes and closes; `ends` gets the file size after the header and after every frame.
void write_stream(const std::string& path, const std::vector<Message>& messages, std::vector<size_t>& ends) {
  Result<TraceWriter> writer = TraceWriter::open(path);
  ASSERT_TRUE(writer) << writer.error();
  ends = {writer->n_bytes()};
  for (const Message& message : messages) {
    const Status status = writer->append(message);
    ASSERT_TRUE(status) << status.error();
    ends.push_back(writer->n_bytes());
  }
  const Status status = writer->close();
  ASSERT_TRUE(status) << status.error();
}

void expect_frames(const TraceReader& reader, const std::vector<Message>& messages, size_t n_expected) {
  ASSERT_EQ(reader.size(), n_expected);
  for (size_t i = 0; i < n_expected; ++i) {
    const Result<Message> message = reader.message(i);
    ASSERT_TRUE(message) << message.error();
    EXPECT_TRUE(test::same(*message, messages[i])) << "frame " << i;
  }
}

class TraceFile : public ::testing::Test {
 protected:
  void SetUp() override {
    write_stream(file_.path(), messages_, ends_);
    bytes_ = file_.read();
    ASSERT_GT(bytes_.size(), ends_.back());
  }
  Result<TraceReader> open(std::span<const std::byte> bytes) const {
    file_.write(bytes);
    return TraceReader::open(file_.path());
  }

  const TempFile file_{"trace_file_test.dstrace"};
  const std::vector<Message> messages_ = make_stream(5);
  std::vector<size_t> ends_;
  std::vector<std::byte> bytes_;
};

TEST_F(TraceFile, OpensWhatWasClosed) {
  const Result<TraceReader> reader = TraceReader::open(file_.path());
  ASSERT_TRUE(reader) << reader.error();
  EXPECT_TRUE(reader->complete());
  EXPECT_EQ(reader->note(), "");
  EXPECT_EQ(reader->n_dropped_bytes(), 0u);
  expect_frames(*reader, messages_, messages_.size());
  const Result<std::vector<std::byte>> raw = reader->bytes(3);
  ASSERT_TRUE(raw);
  EXPECT_EQ(*raw, encode(messages_[3]));
}

TEST_F(TraceFile, CutAtEveryByteOpensToTheLastWholeFrame) {
  for (size_t n = 0; n < bytes_.size(); ++n) {
    const Result<TraceReader> reader = open(std::span(bytes_).first(n));
    if (n < ends_.front()) {
      ASSERT_FALSE(reader) << n;
      continue;
    }
    ASSERT_TRUE(reader) << reader.error();
    const size_t n_frames =
        static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), n) - ends_.begin()) - 1;
    ASSERT_EQ(reader->size(), n_frames) << n;
    EXPECT_FALSE(reader->complete());
    EXPECT_EQ(reader->n_dropped_bytes(), n - ends_[n_frames]);
    EXPECT_NE(reader->note().find(fmt::format("{} whole frames", n_frames)), std::string::npos)
        << reader->note();
    const bool at_boundary = n == ends_[n_frames];
    if (at_boundary) expect_frames(*reader, messages_, n_frames);
  }
}

TEST_F(TraceFile, OpensEveryFrameWhenTheFooterIsDamaged) {
  for (size_t at = ends_.back(); at < bytes_.size(); ++at) {
    std::vector<std::byte> damaged = bytes_;
    damaged[at] ^= std::byte{0x10};
    const Result<TraceReader> reader = open(damaged);
    ASSERT_TRUE(reader) << reader.error();
    EXPECT_FALSE(reader->complete()) << at;
    EXPECT_EQ(reader->size(), messages_.size());
    EXPECT_EQ(reader->n_dropped_bytes(), bytes_.size() - ends_.back());
  }
  std::vector<std::byte> longer = bytes_;
  longer.resize(longer.size() + 100);
  const Result<TraceReader> reader = open(longer);
  ASSERT_TRUE(reader);
  expect_frames(*reader, messages_, messages_.size());
}

TEST_F(TraceFile, KeepsTheOtherFramesWhenOneIsDamaged) {
  for (size_t at = ends_[2]; at < ends_[3]; ++at) {
    std::vector<std::byte> damaged = bytes_;
    damaged[at] ^= std::byte{0x01};
    const Result<TraceReader> with_index = open(damaged);
    ASSERT_TRUE(with_index);
    ASSERT_EQ(with_index->size(), messages_.size());
    const Result<Message> broken = with_index->message(2);
    ASSERT_FALSE(broken) << at;
    EXPECT_NE(broken.error().find("frame 2: "), std::string::npos) << broken.error();
    EXPECT_TRUE(with_index->message(1));
    EXPECT_TRUE(with_index->message(3));
    damaged.resize(ends_.back());
    const Result<TraceReader> without_index = open(damaged);
    ASSERT_TRUE(without_index);
    EXPECT_EQ(without_index->size(), 2u);
  }
}

TEST_F(TraceFile, RefusesWhatIsNoRecording) {
  EXPECT_NE(open({}).error().find("not a Draftscope recording"), std::string::npos);
  std::vector<std::byte> other = bytes_;
  other[0] = std::byte{'P'};
  EXPECT_NE(open(other).error().find("not a Draftscope recording"), std::string::npos);
  other = bytes_;
  other[sizeof(trace::kMagic)] = std::byte{9};
  EXPECT_NE(open(other).error().find("recording has version 9, expected 1"), std::string::npos);
  EXPECT_NE(open(std::span(bytes_).first(10)).error().find("ends inside its header"), std::string::npos);
  EXPECT_NE(TraceReader::open("no/such/file").error().find("no/such/file: cannot open"), std::string::npos);
  EXPECT_NE(TraceReader::open("/").error().find("expected a recording"), std::string::npos);
}

TEST_F(TraceFile, IndexThatLiesIsAnErrorNotACrash) {
  // A well-formed footer with a good checksum whose offsets point between the frames.
  const std::vector<uint64_t> lies{13, ends_[1], ends_[1] + 1, ends_.back() - 3};
  std::vector<std::byte> forged(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(ends_.back()));
  trace::FramePacker packer;
  const std::span<const std::byte> index =
      packer.pack(trace::FrameKind::kIndex, std::as_bytes(std::span(lies)));
  forged.insert(forged.end(), index.begin(), index.end());
  const uint64_t index_offset = ends_.back();
  const auto offset_bytes = std::as_bytes(std::span(&index_offset, 1));
  forged.insert(forged.end(), offset_bytes.begin(), offset_bytes.end());
  const auto magic = std::as_bytes(std::span(trace::kEndMagic));
  forged.insert(forged.end(), magic.begin(), magic.end());
  const Result<TraceReader> reader = open(forged);
  ASSERT_TRUE(reader);
  ASSERT_EQ(reader->size(), lies.size());
  EXPECT_FALSE(reader->message(0));
  EXPECT_TRUE(reader->message(1));
  EXPECT_FALSE(reader->message(2));
  EXPECT_FALSE(reader->message(3));
}

TEST(TraceWriterErrors, AreOneSentence) {
  const Result<TraceWriter> nowhere = TraceWriter::open("no/such/folder/x.dstrace");
  ASSERT_FALSE(nowhere);
  EXPECT_NE(nowhere.error().find("no/such/folder/x.dstrace: cannot create"), std::string::npos);
  const Result<TraceWriter> full = TraceWriter::open("/dev/full");
  ASSERT_FALSE(full);
  EXPECT_NE(full.error().find("No space left on device"), std::string::npos) << full.error();
}

TEST(TraceWriterErrors, EmptyRecordingIsComplete) {
  const TempFile file("empty.dstrace");
  ASSERT_TRUE(TraceWriter::open(file.path())->close());
  const Result<TraceReader> reader = TraceReader::open(file.path());
  ASSERT_TRUE(reader) << reader.error();
  EXPECT_TRUE(reader->complete());
  EXPECT_EQ(reader->size(), 0u);
}

TEST(Crc32c, MatchesPublishedCheckValues) {
  const std::string digits = "123456789";  // the catalogue's check input
  EXPECT_EQ(crc32c(std::as_bytes(std::span(digits))), 0xE3069283u);
  const std::vector<std::byte> zeros(32);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(zeros), 0x8A9136AAu);
  const auto all = std::as_bytes(std::span(digits));
  EXPECT_EQ(crc32c(all.subspan(4), crc32c(all.first(4))), crc32c(all));
}

}  // namespace
}  // namespace draftscope
