// Kernels are named from the program's own symbol table: they are rarely exported, so dladdr does not know
// them.
#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "block.h"

namespace emulated {
namespace {

/// Where the program was loaded relative to the addresses in its file.
uintptr_t load_offset() {
  uintptr_t offset = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* result) {
        *static_cast<uintptr_t*>(result) = info->dlpi_addr;
        return 1;  // the first entry is the program
      },
      &offset);
  return offset;
}

/// The mangled name of the function that `value` lies in, by the file's symbol table; empty: none.
std::string find_symbol(const char* file, uintptr_t value) {
  const auto& header = *reinterpret_cast<const Elf64_Ehdr*>(file);
  const auto* sections = reinterpret_cast<const Elf64_Shdr*>(file + header.e_shoff);
  for (int s = 0; s < header.e_shnum; ++s) {
    if (sections[s].sh_type != SHT_SYMTAB) continue;
    const char* names = file + sections[sections[s].sh_link].sh_offset;
    const auto* symbols = reinterpret_cast<const Elf64_Sym*>(file + sections[s].sh_offset);
    for (size_t i = 0; i < sections[s].sh_size / sizeof(Elf64_Sym); ++i) {
      const Elf64_Sym& symbol = symbols[i];
      if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && value - symbol.st_value < std::max<uintptr_t>(symbol.st_size, 1))
        return names + symbol.st_name;
    }
  }
  return "";
}

std::string demangled(const std::string& name) {
  char* text = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, nullptr);
  const std::string result = text != nullptr ? text : name;
  std::free(text);
  return result;
}

}  // namespace

std::string mangled_name(const void* address) {
  std::string name;
  const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  struct stat status = {};
  if (fd >= 0 && fstat(fd, &status) == 0) {
    const auto n_bytes = static_cast<size_t>(status.st_size);
    void* file = mmap(nullptr, n_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file != MAP_FAILED) {
      name =
          find_symbol(static_cast<const char*>(file), reinterpret_cast<uintptr_t>(address) - load_offset());
      munmap(file, n_bytes);
    }
  }
  if (fd >= 0) close(fd);
  return name;
}

std::string function_name(const void* address) {
  const std::string name = mangled_name(address);
  return name.empty() ? fmt::format("kernel at {}", address) : demangled(name);
}

std::string place_in_program(const void* address) {
  return fmt::format("{}, {:#x}", function_name(address), reinterpret_cast<uintptr_t>(address) - load_offset());
}

}  // namespace emulated
