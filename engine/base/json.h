// Json: a parsed document whose getters name the file and key when a value is not what was expected.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/check.h"

namespace draftscope {

/// A value inside a parsed document; keeps the document alive. Cheap to copy.
class Json {
 public:
  /// A total function of the text. `path` appears in every later message.
  static Result<Json> parse(std::string_view text, const std::string& path);

  bool has(std::string_view key) const;     // false also when this is not an object or the value is null
  bool is_object() const;
  bool is_array() const;
  bool is_string() const;
  bool is_number() const;
  bool is_bool() const;
  size_t size() const;                       // elements of an array or object; 0 otherwise
  /// Where this value stands, e.g. "config.json: layers[3].name".
  std::string where() const;

  /// Children. A missing key is an Error naming it.
  Result<Json> at(std::string_view key) const;
  Json at(size_t index) const;               // index < size() of an array
  /// Calls visit(key, value) for each member of an object, in file order of the parser (sorted by key).
  void each(const std::function<void(const std::string& key, const Json& value)>& visit) const;

  /// This value, typed. Integers must be whole and inside [low, high].
  Result<int64_t> as_int(int64_t low, int64_t high) const;
  Result<double> as_number() const;          // finite
  Result<std::string> as_string() const;
  Result<bool> as_bool() const;
  Result<std::vector<double>> as_numbers() const;
  Result<std::vector<int32_t>> as_ints(int64_t low, int64_t high) const;

 private:
  struct Document;
  Json(std::shared_ptr<const Document> document, const void* node, std::string place)
      : document_(std::move(document)), node_(node), place_(std::move(place)) {}
  Error wrong(std::string_view expected) const;

  std::shared_ptr<const Document> document_;
  const void* node_ = nullptr;  // nlohmann::json inside document_
  std::string place_;           // "a.b[2]"; empty at the root
};

}  // namespace draftscope
