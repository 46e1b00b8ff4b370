// Reading golden data: JSON manifests and safetensors of any dtype, from DRAFTSCOPE_GOLDEN_DIR or
// tests/golden.
#pragma once

#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/file_map.h"
#include "engine/base/json.h"
#include "engine/model/safetensors.h"

namespace draftscope::golden {

inline std::string path_of(const std::string& relative) {
  const char* chosen = std::getenv("DRAFTSCOPE_GOLDEN_DIR");
  return std::string(chosen != nullptr ? chosen : DS_SOURCE_DIR "/tests/golden") + "/" + relative;
}

template <class T>
T must(Result<T> result) {
  DS_CHECK(result.ok(), "{}", result.ok() ? "" : result.error());
  return std::move(*result);
}

inline Json read_json(const std::string& relative) {
  return must(Json::parse(must(read_text(path_of(relative))), relative));
}

// A member that every file of the format has.
inline Json get(const Json& json, const std::string& key) { return must(json.at(key)); }
inline std::string text(const Json& json, const std::string& key) { return must(get(json, key).as_string()); }
inline double number(const Json& json, const std::string& key) { return must(get(json, key).as_number()); }
inline bool flag(const Json& json, const std::string& key) { return must(get(json, key).as_bool()); }
inline int32_t whole(const Json& json, const std::string& key) {
  return static_cast<int32_t>(must(get(json, key).as_int(INT32_MIN, INT32_MAX)));
}
inline std::vector<double> numbers(const Json& json, const std::string& key) {
  return must(get(json, key).as_numbers());
}
inline std::vector<int32_t> wholes(const Json& json, const std::string& key) {
  return must(get(json, key).as_ints(INT32_MIN, INT32_MAX));
}

class Tensors {
 public:
  explicit Tensors(const std::string& relative)
      : file_(must(FileMap::open(path_of(relative)))),
        tensors_(must(parse_safetensors(file_->bytes(), relative))) {}

  const Shape& shape(const std::string& name) const { return find(name).shape; }

  template <class T>
  std::vector<T> values(const std::string& name) const {
    const Tensor& tensor = find(name);
    switch (tensor.dtype) {
      case DType::kF32:
        return convert<T, float>(tensor);
      case DType::kF64:
        return convert<T, double>(tensor);
      case DType::kI64:
        return convert<T, int64_t>(tensor);
      case DType::kI32:
        return convert<T, int32_t>(tensor);
      case DType::kI16:
        return convert<T, int16_t>(tensor);
      case DType::kU8:
      case DType::kBool:
        return convert<T, uint8_t>(tensor);
      default:
        DS_CHECK(false, "{}: dtype {}", name, draftscope::name(tensor.dtype));
    }
    return {};
  }

 private:
  const Tensor& find(const std::string& name) const {
    const auto found = tensors_.find(name);
    DS_CHECK(found != tensors_.end(), "no tensor {}", name);
    return found->second;
  }
  template <class T, class Stored>
  static std::vector<T> convert(const Tensor& tensor) {
    std::vector<Stored> stored(tensor.bytes.size() / sizeof(Stored));
    if (!stored.empty()) std::memcpy(stored.data(), tensor.bytes.data(), tensor.bytes.size());
    return std::vector<T>(stored.begin(), stored.end());
  }

  std::shared_ptr<FileMap> file_;
  std::map<std::string, Tensor, std::less<>> tensors_;
};

}  // namespace draftscope::golden
