#include "engine/base/file_map.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace draftscope {
namespace {

// Closes a file descriptor at the end of its scope.
struct OpenFile {
  int fd;
  explicit OpenFile(const std::string& path) : fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~OpenFile() {
    if (fd >= 0) ::close(fd);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
};

}  // namespace

Result<std::shared_ptr<FileMap>> FileMap::open(const std::string& path) {
  OpenFile file(path);
  if (file.fd < 0) return fail("{}: cannot open: {}", path, std::strerror(errno));
  struct stat info {};
  if (::fstat(file.fd, &info) != 0) return fail("{}: cannot read its size: {}", path, std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return fail("{}: expected a file, found a folder or device", path);
  std::shared_ptr<FileMap> map(new FileMap);
  if (info.st_size == 0) return map;
  const size_t n_bytes = static_cast<size_t>(info.st_size);
  void* data = ::mmap(nullptr, n_bytes, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (data == MAP_FAILED) return fail("{}: cannot map {} bytes: {}", path, n_bytes, std::strerror(errno));
  map->bytes_ = {static_cast<const std::byte*>(data), n_bytes};
  return map;
}

void FileMap::release_pages() const {
  if (!bytes_.empty()) madvise(const_cast<std::byte*>(bytes_.data()), bytes_.size(), MADV_DONTNEED);
}

FileMap::~FileMap() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

Result<std::string> read_text(const std::string& path) {
  Result<std::shared_ptr<FileMap>> map = FileMap::open(path);
  if (!map) return Error{map.error()};
  const std::span<const std::byte> bytes = (*map)->bytes();
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Status replace_text(const std::string& path, std::string_view text) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path parent = fs::path(path).parent_path();
  if (!parent.empty()) fs::create_directories(parent, error);
  const std::string half = path + ".part";
  {
    std::ofstream file(half, std::ios::binary);
    file << text;
    if (!file.flush()) return fail("{}: expected to write the file, found no room or no permission", half);
  }
  fs::rename(half, path, error);
  if (error) return fail("{}: expected to put the file in place, found: {}", path, error.message());
  return success();
}

}  // namespace draftscope
