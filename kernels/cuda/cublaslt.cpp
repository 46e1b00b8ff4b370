#include "kernels/cuda/cublaslt.h"

#include <dlfcn.h>

namespace draftscope::cuda {
namespace {

/// Looks functions up; remembers the first that is not there.
struct Symbols {
  void* library = nullptr;
  const char* missing = nullptr;

  template <class Function>
  void find(Function& function, const char* name) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    if (function == nullptr && missing == nullptr) missing = name;
  }
};

}  // namespace

Result<LtTable> open_cublaslt(std::span<const char* const> names) {
  Symbols symbols;
  std::string opened, tried;
  for (const char* name : names) {
    symbols.library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    opened = name;
    if (symbols.library != nullptr) break;
    tried += (tried.empty() ? "" : " or ") + opened;
  }
  if (symbols.library == nullptr) return fail("cuBLASLt: expected {}, found no such library", tried);
  LtTable table;
  symbols.find(table.create, "cublasLtCreate");
  symbols.find(table.destroy, "cublasLtDestroy");
  symbols.find(table.version, "cublasLtGetVersion");
  symbols.find(table.status_string, "cublasLtGetStatusString");
  symbols.find(table.create_product, "cublasLtMatmulDescCreate");
  symbols.find(table.destroy_product, "cublasLtMatmulDescDestroy");
  symbols.find(table.set_product, "cublasLtMatmulDescSetAttribute");
  symbols.find(table.create_layout, "cublasLtMatrixLayoutCreate");
  symbols.find(table.destroy_layout, "cublasLtMatrixLayoutDestroy");
  symbols.find(table.create_preference, "cublasLtMatmulPreferenceCreate");
  symbols.find(table.destroy_preference, "cublasLtMatmulPreferenceDestroy");
  symbols.find(table.set_preference, "cublasLtMatmulPreferenceSetAttribute");
  symbols.find(table.heuristics, "cublasLtMatmulAlgoGetHeuristic");
  symbols.find(table.check, "cublasLtMatmulAlgoCheck");
  symbols.find(table.matmul, "cublasLtMatmul");
  if (symbols.missing == nullptr) return table;
  dlclose(symbols.library);
  return fail("cuBLASLt: {}: expected the function {}, found none", opened, symbols.missing);
}

std::string lt_version(size_t number) {
  const auto part = [](size_t value) { return std::to_string(value); };
  return part(number / 10000) + '.' + part(number % 10000 / 100) + '.' + part(number % 100);
}

}  // namespace draftscope::cuda
