// Any bytes as a record and as a trace file: an error or a message that survives a round trip, never a crash.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/record/codec.h"
#include "engine/record/trace_format.h"
#include "tests/record/make_record.h"
#include "tests/record/same_message.h"
#include "ui/source.h"

namespace draftscope {
namespace {

void decode_any(std::span<const std::byte> bytes) {
  const Result<Message> message = decode(bytes);
  if (!message) return;
  const Result<Message> again = decode(encode(*message));
  DS_CHECK(again && test::same(*message, *again));
}

void open_as_file(std::span<const std::byte> bytes) {
  const FileHandle file(::memfd_create("fuzz_record", MFD_CLOEXEC));
  DS_CHECK(file.get() >= 0 &&
           ::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  TraceSource source("/proc/self/fd/" + std::to_string(file.get()));
  RecordStore store;
  source.poll(store);
  DS_CHECK(source.finished());
}

template <class T>
void add(std::vector<std::byte>& file, const T& values) {
  const auto bytes = std::as_bytes(std::span(values));
  file.insert(file.end(), bytes.begin(), bytes.end());
}

// A closed trace of one frame whose index, under a good checksum, holds `raw`.
void open_with_index(std::span<const std::byte> raw) {
  trace::FramePacker packer;
  std::vector<std::byte> file;
  add(file, trace::kMagic);
  add(file, std::array{trace::kVersion});
  add(file, packer.pack(trace::FrameKind::kMessage, encode(Message(test::make_end()))));
  const std::array<uint64_t, 1> index_offset{file.size()};
  add(file, packer.pack(trace::FrameKind::kIndex, raw));
  add(file, index_offset);
  add(file, trace::kEndMagic);
  open_as_file(file);
}

// `stored` as compressed bytes under a good checksum; its first two bytes choose the size it claims.
void unpack_any(std::span<const std::byte> stored) {
  if (stored.size() < 2) return;
  trace::FrameHeader header{static_cast<uint32_t>(trace::FrameKind::kMessage),
                            static_cast<uint32_t>(stored[0]) << 8 | static_cast<uint32_t>(stored[1]),
                            static_cast<uint32_t>(stored.size() - 2), 0};
  header.crc32c = trace::frame_crc(header, stored.subspan(2));
  const Result<std::vector<std::byte>> raw = trace::unpack_frame(header, stored.subspan(2));
  DS_CHECK(!raw || raw->size() == header.raw_bytes);
}

}  // namespace
}  // namespace draftscope

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  draftscope::decode_any(bytes);
  draftscope::open_as_file(bytes);
  draftscope::open_with_index(bytes);
  draftscope::unpack_any(bytes);
  return 0;
}

// Chance alone does not build a record: one mutation in eight starts from a real one.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned int seed) {
  if (seed % 8 != 0) return LLVMFuzzerMutate(data, size, max_size);
  using namespace draftscope;
  const Message messages[] = {test::make_info(), test::make_round(seed, static_cast<int>(seed / 8 % 20)),
                              test::make_end(seed % 7), test::make_shared_round(seed, 5, 2, 3, 4)};
  const std::vector<std::byte> bytes = encode(messages[seed / 8 % 4]);
  if (bytes.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::byte*>(data));
  return LLVMFuzzerMutate(data, bytes.size(), max_size);
}
