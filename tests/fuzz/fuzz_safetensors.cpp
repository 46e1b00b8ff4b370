// Any bytes as a safetensors file: an Error or tensors that lie inside it.
#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/model/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace draftscope;
  const auto tensors = parse_safetensors({reinterpret_cast<const std::byte*>(data), size}, "file");
  if (!tensors.ok()) {
    DS_CHECK(!tensors.error().empty());
    return 0;
  }
  for (const auto& [name, tensor] : *tensors) {
    uint64_t n_elements = 1;
    for (const int64_t n : tensor.shape) n_elements *= static_cast<uint64_t>(n);
    DS_CHECK(tensor.bytes.size() == n_elements * size_bytes(tensor.dtype), "{}", name);
    if (tensor.bytes.empty()) continue;
    const auto* first = reinterpret_cast<const uint8_t*>(tensor.bytes.data());
    DS_CHECK(first >= data && first + tensor.bytes.size() <= data + size, "{}", name);
  }
  return 0;
}
