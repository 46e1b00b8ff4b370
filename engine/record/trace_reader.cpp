#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/record/trace_file.h"
#include "engine/record/trace_format.h"

namespace draftscope {
namespace {

constexpr uint32_t kMessageKind = static_cast<uint32_t>(trace::FrameKind::kMessage);
constexpr uint32_t kIndexKind = static_cast<uint32_t>(trace::FrameKind::kIndex);

template <class T>
std::span<std::byte> bytes_of(T& value) {
  return std::as_writable_bytes(std::span(&value, 1));
}

}  // namespace

Result<TraceReader> TraceReader::open(const std::string& path) {
  // Without blocking: a named pipe is no recording.
  FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return fail("{}: cannot open the recording: {}", path, std::strerror(errno));
  struct stat info {};
  if (::fstat(file.get(), &info) != 0)
    return fail("{}: cannot read its size: {}", path, std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return fail("{}: expected a recording, found a folder or device", path);
  TraceReader reader(path, std::move(file), static_cast<uint64_t>(info.st_size));
  if (Status status = reader.check_header(); !status) return Error{status.error()};
  if (!reader.load_index()) reader.scan();
  return reader;
}

Status TraceReader::check_header() const {
  char magic[sizeof(trace::kMagic)];
  uint32_t version = 0;
  if (!read_at(0, bytes_of(magic)) || std::memcmp(magic, trace::kMagic, sizeof(magic)) != 0) {
    return fail("{}: not a Draftscope recording: its first bytes are not those of one", path_);
  }
  if (!read_at(sizeof(magic), bytes_of(version)))
    return fail("{}: the recording ends inside its header", path_);
  if (version != trace::kVersion) {
    return fail("{}: recording has version {}, expected {}", path_, version, trace::kVersion);
  }
  return success();
}

bool TraceReader::load_index() {
  char magic[sizeof(trace::kEndMagic)];
  uint64_t index_offset = 0;
  if (n_bytes_ < trace::kHeader_bytes + trace::kTrailer_bytes) return false;
  const uint64_t trailer_offset = n_bytes_ - trace::kTrailer_bytes;
  if (!read_at(trailer_offset, bytes_of(index_offset)) ||
      !read_at(trailer_offset + sizeof(index_offset), bytes_of(magic)) ||
      std::memcmp(magic, trace::kEndMagic, sizeof(magic)) != 0) {
    return false;
  }
  uint64_t end = 0;
  const Result<std::vector<std::byte>> index = read_frame(index_offset, kIndexKind, end);
  if (!index || end != trailer_offset || index->size() % sizeof(uint64_t) != 0) return false;
  std::vector<uint64_t> offsets(index->size() / sizeof(uint64_t));
  if (!index->empty()) std::memcpy(offsets.data(), index->data(), index->size());
  const bool ascending =
      std::adjacent_find(offsets.begin(), offsets.end(), std::greater_equal<>()) == offsets.end();
  if (!ascending ||
      (!offsets.empty() && (offsets.front() < trace::kHeader_bytes || offsets.back() >= index_offset))) {
    return false;
  }
  offsets_ = std::move(offsets);
  return true;
}

void TraceReader::scan() {
  uint64_t offset = trace::kHeader_bytes;
  uint64_t end = 0;
  while (read_frame(offset, kMessageKind, end)) {
    offsets_.push_back(offset);
    offset = end;
  }
  n_dropped_bytes_ = n_bytes_ - offset;
  if (n_dropped_bytes_ == 0) {
    note_ = fmt::format("{}: the recording was never closed; its {} whole frames are shown", path_, size());
  } else {
    note_ = fmt::format(
        "{}: the recording is cut off or damaged; {} whole frames are shown, {} bytes after them are not",
        path_, size(), n_dropped_bytes_);
  }
}

Result<std::vector<std::byte>> TraceReader::bytes(size_t i) const {
  DS_CHECK(i < size(), "frame {} of {}", i, size());
  uint64_t end = 0;
  Result<std::vector<std::byte>> raw = read_frame(offsets_[i], kMessageKind, end);
  if (!raw) return fail("{}: frame {}: {}", path_, i, raw.error());
  return raw;
}

Result<Message> TraceReader::message(size_t i) const {
  const Result<std::vector<std::byte>> raw = bytes(i);
  if (!raw) return Error{raw.error()};
  Result<Message> message = decode(*raw);
  if (!message) return fail("{}: frame {}: {}", path_, i, message.error());
  return message;
}

// On success `end` is the offset behind the frame.
Result<std::vector<std::byte>> TraceReader::read_frame(uint64_t offset, uint32_t kind, uint64_t& end) const {
  trace::FrameHeader header;
  if (!read_at(offset, bytes_of(header)))
    return fail("the file ends inside the frame header at byte {}", offset);
  if (header.kind != kind)
    return fail("frame at byte {} has kind {}, expected {}", offset, header.kind, kind);
  const uint64_t begin = offset + sizeof(header);
  if (header.stored_bytes > n_bytes_ - begin) {
    return fail("frame at byte {} has {} bytes, but the file ends after {}", offset, header.stored_bytes,
                n_bytes_ - begin);
  }
  std::vector<std::byte> stored(header.stored_bytes);
  if (!read_at(begin, stored)) return fail("the file cannot be read at byte {}", begin);
  end = begin + header.stored_bytes;
  return trace::unpack_frame(header, stored);
}

bool TraceReader::read_at(uint64_t offset, std::span<std::byte> bytes) const {
  if (offset > n_bytes_ || bytes.size() > n_bytes_ - offset) return false;
  size_t n_read = 0;
  while (n_read < bytes.size()) {
    const ssize_t n = ::pread(file_.get(), bytes.data() + n_read, bytes.size() - n_read,
                              static_cast<off_t>(offset + n_read));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    n_read += static_cast<size_t>(n);
  }
  return true;
}

}  // namespace draftscope
