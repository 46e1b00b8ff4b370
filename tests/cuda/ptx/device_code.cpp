#include "device_code.h"

#include <fmt/format.h>

#include <cctype>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <utility>
#include <vector>

#include "code.h"
#include "decode.h"
#include "run.h"
#include "tests/cuda/emulated/launch_kernel.h"

namespace emulated::ptx {
namespace {

/// The name with every unnamed namespace under one name: nvcc puts the file into it.
std::string without_file(std::string name) {
  const std::string kUnnamed = "_GLOBAL__N_";
  for (size_t at = name.find(kUnnamed); at != std::string::npos; at = name.find(kUnnamed, at + kUnnamed.size())) {
    size_t digits = at;
    while (digits > 0 && std::isdigit(static_cast<unsigned char>(name[digits - 1])) != 0) --digits;
    name.replace(digits, at - digits + std::stoul(name.substr(digits, at - digits)), "12" + kUnnamed + "1");
  }
  return name;
}

struct File {
  std::string name, text;
  std::map<std::string, Variable> shared;
};

/// The files, and the kernels of them that have run.
class DeviceCode {
 public:
  explicit DeviceCode(const std::string& list) {
    std::istringstream names(read(list));
    for (std::string name; std::getline(names, name);) {
      files_.push_back(std::make_unique<File>(File{name, read(name), {}}));
      File& file = *files_.back();
      file.shared = parse_shared(file.text);
      for (const auto& [kernel, at] : find_kernels(file.text)) {
        if (!places_.try_emplace(without_file(kernel), &file, at).second) fail(kernel + " stands in two files");
      }
    }
  }

  const Program& find(const void* kernel) {
    const auto [found, is_new] = programs_.try_emplace(kernel);
    if (is_new) {
      const std::string name = without_file(mangled_name(kernel));
      const auto place = places_.find(name);
      if (place == places_.end()) fail(fmt::format("no PTX file holds {}", name));
      const auto& [file, at] = place->second;
      const std::string short_name = file->name.substr(file->name.rfind('/') + 1);
      found->second = decode(parse_kernel(file->text, at), file->shared, function_name(kernel), short_name);
    }
    return found->second;
  }

 private:
  static std::string read(const std::string& name) {
    std::ifstream file(name, std::ios::binary);
    if (!file) fail("cannot read " + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::vector<std::unique_ptr<File>> files_;
  std::map<std::string, std::pair<File*, size_t>> places_;  // by the kernel's name
  std::map<const void*, Program> programs_;
};

std::string& list_file() {
  static auto* const name = new std::string;
  return *name;
}

void run_launch(const Launch& launch, std::span<const std::byte> parameters) {
  static auto* const code = new DeviceCode(list_file());
  run_blocks(launch, code->find(launch.kernel), parameters);
}

}  // namespace

void run_from(std::string list) {
  list_file() = std::move(list);
  run_launches_by(&run_launch);
}

}  // namespace emulated::ptx
