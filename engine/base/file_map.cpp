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

namespace fs = std::filesystem;

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

Status replace_file(const std::string& path, std::string_view bytes) {
  std::error_code error;
  const fs::file_type type = fs::status(path, error).type();
  const bool in_place = type != fs::file_type::regular && type != fs::file_type::not_found;  // devices and pipes stay
  const std::string target = in_place ? path : fs::weakly_canonical(path, error).string();  // what a link leads to
  const std::string half = in_place ? path : fmt::format("{}.{}.part", target, ::getpid());  // nobody else's half
  std::ofstream file(half, std::ios::binary);
  file << bytes;
  const bool is_written = static_cast<bool>(file.flush());
  file.close();
  if (!in_place && is_written) fs::rename(half, target, error);
  if (is_written && (in_place || !error)) return success();
  std::error_code ignored;
  if (!in_place) fs::remove(half, ignored);
  if (!is_written) return fail("{}: expected to write the file, found no room or no permission", path);
  return fail("{}: expected to put the file in place, found: {}", path, error.message());
}

Status replace_text(const std::string& path, std::string_view text) {
  std::error_code ignored;  // writing says what is wrong
  const fs::path parent = fs::path(path).parent_path();
  if (!parent.empty()) fs::create_directories(parent, ignored);
  return replace_file(path, text);
}

}  // namespace draftscope
