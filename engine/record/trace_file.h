// Trace file: a stream of messages on disk, readable however its writer ended. Layout: trace_format.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/record/codec.h"
#include "engine/record/round.h"
#include "engine/record/trace_format.h"

namespace draftscope {

/// Owns a file descriptor.
class FileHandle {
 public:
  explicit FileHandle(int fd = -1) : fd_(fd) {}
  ~FileHandle();
  FileHandle(FileHandle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileHandle& operator=(FileHandle&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  /// 0, or the errno of close(2), which some file systems use to report a failed write.
  int close();

 private:
  int fd_;
};

/// Appends frames, each with one write and none kept back, so that a writer killed at any moment leaves every
/// frame it has appended; only the one being written may be torn (the kernel may stop a write between two
/// pages), and readers leave it out. The first failed write ends the recording: the file is cut back to its
/// last whole frame, and every later append gives the same sentence.
class TraceWriter {
 public:
  /// Creates `path`, or replaces the file there.
  static Result<TraceWriter> open(const std::string& path);
  TraceWriter(TraceWriter&&) noexcept = default;
  TraceWriter& operator=(TraceWriter&&) = delete;
  /// Closes the file; call close() to learn whether that worked.
  ~TraceWriter();

  /// encoded: one message as Encoder gives it.
  Status append(std::span<const std::byte> encoded);
  Status append(const Message& message) { return append(encoder_.encode(message)); }
  /// Writes the index and closes. An Error when any write failed, also an earlier one. Later calls do
  /// nothing.
  Status close();

  size_t n_frames() const { return offsets_.size(); }
  uint64_t n_bytes() const { return end_; }

 private:
  TraceWriter(std::string path, FileHandle file) : path_(std::move(path)), file_(std::move(file)) {}
  Status write_at_end(std::span<const std::byte> bytes);

  std::string path_;
  FileHandle file_;
  Encoder encoder_;
  trace::FramePacker packer_;
  std::vector<uint64_t> offsets_;  // (n_frames,) where each frame begins
  uint64_t end_ = 0;               // bytes of the file that are whole
  std::string failure_;            // why the recording ended early; empty while it works
};

/// Random access to the whole frames of a finished, unfinished, truncated or damaged trace.
class TraceReader {
 public:
  /// An Error when the file cannot be read, is no trace, or is one of another version.
  static Result<TraceReader> open(const std::string& path);

  size_t size() const { return offsets_.size(); }
  /// Frame i as encoded bytes, checksum verified. i < size().
  Result<std::vector<std::byte>> bytes(size_t i) const;
  /// Frame i decoded. i < size().
  Result<Message> message(size_t i) const;

  /// True when the writer closed the file and its index is intact.
  bool complete() const { return note_.empty(); }
  /// Bytes after the last whole frame that were left unread; 0 when complete.
  uint64_t n_dropped_bytes() const { return n_dropped_bytes_; }
  /// One sentence about what is missing; empty when complete.
  const std::string& note() const { return note_; }

 private:
  TraceReader(std::string path, FileHandle file, uint64_t n_bytes)
      : path_(std::move(path)), file_(std::move(file)), n_bytes_(n_bytes) {}
  Status check_header() const;
  bool load_index();
  void scan();
  Result<std::vector<std::byte>> read_frame(uint64_t offset, uint32_t kind, uint64_t& end) const;
  bool read_at(uint64_t offset, std::span<std::byte> bytes) const;

  std::string path_;
  FileHandle file_;
  uint64_t n_bytes_;               // of the file when it was opened
  std::vector<uint64_t> offsets_;  // (n_frames,) where each frame begins
  uint64_t n_dropped_bytes_ = 0;
  std::string note_;
};

}  // namespace draftscope
