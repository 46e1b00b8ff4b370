// TempFolder: a folder of small files that lasts as long as one test.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace draftscope {

class TempFolder {
 public:
  TempFolder() {
    std::string name = testing::TempDir() + "draftscope_XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "cannot make " << name;
    path_ = name;
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  void write(const std::string& file, std::string_view bytes) const {
    std::ofstream(path_ + "/" + file, std::ios::binary) << bytes;
  }

 private:
  std::string path_;
};

}  // namespace draftscope
