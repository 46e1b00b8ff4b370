// FileMap: a whole file, read-only, memory-mapped.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/check.h"

namespace draftscope {

class FileMap {
 public:
  /// Maps `path`; an Error names the path and the system's reason. An empty file maps to no bytes.
  static Result<std::shared_ptr<FileMap>> open(const std::string& path);
  ~FileMap();
  FileMap(const FileMap&) = delete;
  FileMap& operator=(const FileMap&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }
  /// Lets the system take back the pages read so far; they are read again when touched.
  void release_pages() const;

 private:
  FileMap() = default;
  std::span<const std::byte> bytes_;
};

/// Reads a small text file whole.
Result<std::string> read_text(const std::string& path);
/// Makes `bytes` the content of `path`, so that a reader finds the old file or the new one, never half of one. Devices and
/// pipes are written as they stand. An Error names the path.
Status replace_file(const std::string& path, std::string_view bytes);
/// The same, and makes its folder where there is none.
Status replace_text(const std::string& path, std::string_view text);

}  // namespace draftscope
