// TempFolder: a folder of its own under the system's temporary one, gone at the end of the scope.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "engine/base/check.h"

namespace draftscope {

class TempFolder {
 public:
  TempFolder() : path_((std::filesystem::temp_directory_path() / "draftscope-test-XXXXXX").string()) {
    DS_CHECK(::mkdtemp(path_.data()) != nullptr, "cannot make {}", path_);
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  /// The path of a file in it, which need not exist.
  std::string operator/(const std::string& file) const { return path_ + "/" + file; }
  void write(const std::string& file, std::string_view bytes) const {
    std::ofstream(*this / file, std::ios::binary) << bytes;
  }

 private:
  std::string path_;
};

/// All bytes of a file; none when it cannot be read.
inline std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// One file in a folder of its own.
class TempFile {
 public:
  explicit TempFile(std::string name) : name_(std::move(name)) {}

  std::string path() const { return folder_ / name_; }
  std::vector<std::byte> read() const {
    const std::string text = slurp(path());
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
  }
  void write(std::span<const std::byte> bytes) const {
    std::filesystem::remove(path());  // a new file: some file systems flush one that is cut to 0 and rewritten
    folder_.write(name_, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }

 private:
  TempFolder folder_;
  std::string name_;
};

}  // namespace draftscope
