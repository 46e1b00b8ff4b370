#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/record/trace_file.h"
#include "engine/record/trace_format.h"

namespace draftscope {
namespace {

template <class T>
void append_bytes(std::vector<std::byte>& bytes, const T& value) {
  const auto raw = std::as_bytes(std::span(&value, 1));
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

}  // namespace

FileHandle::~FileHandle() { close(); }

int FileHandle::close() {
  const int fd = std::exchange(fd_, -1);
  if (fd < 0) return 0;
  return ::close(fd) == 0 ? 0 : errno;
}

Result<TraceWriter> TraceWriter::open(const std::string& path) {
  FileHandle file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  if (file.get() < 0) return fail("{}: cannot create the recording: {}", path, std::strerror(errno));
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return fail("{}: expected a file of our own, found another program recording into it", path);
  }
  static_cast<void>(::ftruncate(file.get(), 0) == 0);  // devices have no length
  TraceWriter writer(path, std::move(file));
  std::vector<std::byte> header;
  append_bytes(header, trace::kMagic);
  append_bytes(header, trace::kVersion);
  if (Status status = writer.write_at_end(header); !status) return Error{status.error()};
  return writer;
}

TraceWriter::~TraceWriter() { static_cast<void>(close().ok()); }

Status TraceWriter::append(std::span<const std::byte> encoded) {
  DS_CHECK(file_.get() >= 0, "append to a closed recording");
  if (!failure_.empty()) return Error{failure_};
  if (encoded.size() > kMaxMessageBytes) {
    return fail("{}: a record of {} bytes is left out, expected at most {}", path_, encoded.size(),
                kMaxMessageBytes);
  }
  const uint64_t offset = end_;
  Status status = write_at_end(packer_.pack(trace::FrameKind::kMessage, encoded));
  if (status) offsets_.push_back(offset);
  return status;
}

Status TraceWriter::close() {
  if (file_.get() < 0) return success();
  Status status = failure_.empty() ? success() : Status(Error{failure_});
  if (status) {
    const uint64_t index_offset = end_;
    const auto index = packer_.pack(trace::FrameKind::kIndex, std::as_bytes(std::span(offsets_)));
    std::vector<std::byte> footer(index.begin(), index.end());
    append_bytes(footer, index_offset);
    append_bytes(footer, trace::kEndMagic);
    status = write_at_end(footer);
  }
  const int close_errno = file_.close();
  if (status && close_errno != 0) return fail("{}: cannot close: {}", path_, std::strerror(close_errno));
  return status;
}

Status TraceWriter::write_at_end(std::span<const std::byte> bytes) {
  size_t n_written = 0;
  while (n_written < bytes.size()) {
    const ssize_t n = ::pwrite(file_.get(), bytes.data() + n_written, bytes.size() - n_written,
                               static_cast<off_t>(end_ + n_written));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const int write_errno = n < 0 ? errno : ENOSPC;
      failure_ = fmt::format("{}: cannot write to the recording: {}; it keeps its first {} frames", path_,
                             std::strerror(write_errno), offsets_.size());
      // Readers stop at a torn frame anyway, so nothing is lost if cutting it off fails as well.
      if (n_written > 0) static_cast<void>(::ftruncate(file_.get(), static_cast<off_t>(end_)) == 0);
      return Error{failure_};
    }
    n_written += static_cast<size_t>(n);
  }
  end_ += bytes.size();
  return success();
}

}  // namespace draftscope
