#include "engine/base/json.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace draftscope {
namespace {

const nlohmann::json& value_of(const void* node) { return *static_cast<const nlohmann::json*>(node); }

// A short look at a value for messages.
std::string excerpt(const nlohmann::json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return fmt::format("an array of {}", value.size());
  std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

// Refuses documents nested so deeply that reading them would exhaust the stack.
bool too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      else if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > 200) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

}  // namespace

struct Json::Document {
  std::string path;
  nlohmann::json root;
};

Result<Json> Json::parse(std::string_view text, const std::string& path) {
  if (too_deep(text)) return fail("{}: expected JSON nested at most 200 deep", path);
  auto document = std::make_shared<Document>();
  document->path = path;
  try {
    document->root = nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& problem) {
    return fail("{}: not valid JSON: {}", path, problem.what());
  }
  const void* root = &document->root;
  return Json(std::move(document), root, "");
}

std::string Json::where() const {
  return place_.empty() ? document_->path : fmt::format("{}: {}", document_->path, place_);
}

Error Json::wrong(std::string_view expected) const {
  return fail("{}: expected {}, found {}", where(), expected, excerpt(value_of(node_)));
}

bool Json::has(std::string_view key) const {
  const nlohmann::json& value = value_of(node_);
  if (!value.is_object()) return false;
  const auto found = value.find(key);
  return found != value.end() && !found->is_null();
}

bool Json::is_object() const { return value_of(node_).is_object(); }
bool Json::is_array() const { return value_of(node_).is_array(); }
bool Json::is_string() const { return value_of(node_).is_string(); }
bool Json::is_number() const { return value_of(node_).is_number(); }
bool Json::is_bool() const { return value_of(node_).is_boolean(); }
size_t Json::size() const { return value_of(node_).is_structured() ? value_of(node_).size() : 0; }

Result<Json> Json::at(std::string_view key) const {
  const nlohmann::json& value = value_of(node_);
  if (!value.is_object()) return wrong("an object");
  const auto found = value.find(key);
  if (found == value.end()) return fail("{}: missing key \"{}\"", where(), key);
  return Json(document_, &*found, place_.empty() ? std::string(key) : fmt::format("{}.{}", place_, key));
}

Json Json::at(size_t index) const {
  DS_CHECK(is_array() && index < size());
  return Json(document_, &value_of(node_)[index], fmt::format("{}[{}]", place_, index));
}

void Json::each(const std::function<void(const std::string&, const Json&)>& visit) const {
  const nlohmann::json& value = value_of(node_);
  if (!value.is_object()) return;
  for (const auto& [key, child] : value.items()) {
    visit(key, Json(document_, &child, place_.empty() ? key : fmt::format("{}.{}", place_, key)));
  }
}

Result<int64_t> Json::as_int(int64_t low, int64_t high) const {
  const nlohmann::json& value = value_of(node_);
  double number = NAN;
  if (value.is_number()) number = value.get<double>();
  if (!(number == std::floor(number)) || number < static_cast<double>(low) || number > static_cast<double>(high)) {
    return wrong(fmt::format("a whole number from {} to {}", low, high));
  }
  return static_cast<int64_t>(number);
}

Result<double> Json::as_number() const {
  const nlohmann::json& value = value_of(node_);
  if (!value.is_number() || !std::isfinite(value.get<double>())) return wrong("a finite number");
  return value.get<double>();
}

Result<std::string> Json::as_string() const {
  if (!is_string()) return wrong("a string");
  return value_of(node_).get<std::string>();
}

Result<bool> Json::as_bool() const {
  if (!is_bool()) return wrong("true or false");
  return value_of(node_).get<bool>();
}

Result<std::vector<double>> Json::as_numbers() const {
  if (!is_array()) return wrong("an array of numbers");
  std::vector<double> numbers;
  numbers.reserve(size());
  for (size_t i = 0; i < size(); ++i) {
    const nlohmann::json& value = value_of(node_)[i];
    if (!value.is_number() || !std::isfinite(value.get<double>())) return at(i).wrong("a finite number");
    numbers.push_back(value.get<double>());
  }
  return numbers;
}

Result<std::vector<int32_t>> Json::as_ints(int64_t low, int64_t high) const {
  if (!is_array()) return wrong("an array of whole numbers");
  std::vector<int32_t> numbers;
  numbers.reserve(size());
  for (size_t i = 0; i < size(); ++i) {
    const Result<int64_t> number = at(i).as_int(low, high);
    if (!number) return Error{number.error()};
    numbers.push_back(static_cast<int32_t>(*number));
  }
  return numbers;
}

}  // namespace draftscope
