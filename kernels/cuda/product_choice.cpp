#include "kernels/cuda/product_choice.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/base/file_map.h"
#include "engine/base/json.h"

namespace draftscope::cuda {
namespace {

constexpr int64_t kFormat = 1;
constexpr size_t kDigits = 16;  // of one word of an algorithm, hexadecimal

std::string written(const Algorithm& algorithm) {
  std::string digits;
  for (const uint64_t word : algorithm) digits += fmt::format("{:016x}", word);
  return digits;
}

Result<Algorithm> read_algorithm(const Json& value) {
  Result<std::string> digits = value.as_string();
  if (!digits) return Error{digits.error()};
  Algorithm algorithm = {};
  bool is_whole = digits->size() == kDigits * algorithm.size();
  for (size_t i = 0; is_whole && i < algorithm.size(); ++i) {
    const char *begin = digits->data() + i * kDigits, *end = begin + kDigits;
    const auto [stopped, error] = std::from_chars(begin, end, algorithm[i], 16);
    is_whole = error == std::errc() && stopped == end;
  }
  if (is_whole) return algorithm;
  return fail("{}: expected {} hexadecimal digits, found \"{}\"", value.where(), kDigits * algorithm.size(), *digits);
}

Result<int64_t> read_number(const Json& object, const char* name, int64_t high) {
  Result<Json> value = object.at(name);
  return value ? value->as_int(0, high) : Result<int64_t>(Error{value.error()});
}

Result<ProductKey> read_key(const Json& choice) {
  ProductKey key;
  for (const auto& [name, to] : {std::pair{"n_in", &key.n_in}, {"n_out", &key.n_out}, {"rows", &key.rows}}) {
    Result<int64_t> number = read_number(choice, name, std::numeric_limits<int32_t>::max() / 2);
    if (!number) return Error{number.error()};
    *to = static_cast<int32_t>(*number);
  }
  if (key.rows < 1 || row_bucket(key.rows) != key.rows) {
    return fail("{}: expected rows of a bucket, found {}", choice.where(), key.rows);
  }
  return key;
}

Result<ChoicesHoldFor> read_holds_for(const Json& root) {
  Result<Json> gpu = root.at("gpu");
  if (!gpu) return Error{gpu.error()};
  Result<std::string> name = gpu->as_string();
  if (!name) return Error{name.error()};
  constexpr int64_t kHigh = std::numeric_limits<int64_t>::max();
  Result<int64_t> driver = read_number(root, "driver", kHigh), library = read_number(root, "library", kHigh);
  if (!driver) return Error{driver.error()};
  if (!library) return Error{library.error()};
  return ChoicesHoldFor{*name, *driver, *library};
}

std::string named(const ChoicesHoldFor& what) {
  return fmt::format("{} with driver {} and cuBLASLt {}", what.gpu, what.driver, what.library);
}

}  // namespace

int32_t row_bucket(int32_t rows) {
  constexpr int32_t kStep = 64, kEven = 512;
  if (rows <= kEven) return (rows + kStep - 1) / kStep * kStep;
  return static_cast<int32_t>(std::bit_ceil(static_cast<uint32_t>(rows)));
}

size_t fastest(std::span<const double> seconds) {
  DS_CHECK(!seconds.empty());
  return static_cast<size_t>(std::min_element(seconds.begin(), seconds.end()) - seconds.begin());
}

std::string choices_path(const std::string& cache_folder, const std::string& gpu) {
  if (cache_folder.empty()) return "";
  std::string name = gpu;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-') c = '_';
  }
  return cache_folder + "/products/" + name + ".json";
}

std::string choices_json(const ChoicesHoldFor& holds_for, const ProductChoices& choices) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& [key, algorithm] : choices) {
    nlohmann::ordered_json choice = {{"n_in", key.n_in}, {"n_out", key.n_out}, {"rows", key.rows}};
    if (algorithm) choice["algorithm"] = written(*algorithm);
    list.push_back(std::move(choice));
  }
  const nlohmann::ordered_json root = {{"format", kFormat},
                                       {"gpu", holds_for.gpu},
                                       {"driver", holds_for.driver},
                                       {"library", holds_for.library},
                                       {"choices", std::move(list)}};
  // A GPU's name is the driver's: whatever its bytes are, they must not stop the program.
  return root.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Result<ProductChoices> parse_choices(std::string_view text, const std::string& path, const ChoicesHoldFor& holds_for) {
  Result<Json> root = Json::parse(text, path);
  if (!root) return Error{root.error()};
  Result<int64_t> format = read_number(*root, "format", std::numeric_limits<int64_t>::max());
  if (!format) return Error{format.error()};
  if (*format != kFormat) return fail("{}: expected format {}, found {}", path, kFormat, *format);
  Result<ChoicesHoldFor> found = read_holds_for(*root);
  if (!found) return Error{found.error()};
  if (*found != holds_for) {
    return fail("{}: expected times of {}, found those of {}", path, named(holds_for), named(*found));
  }
  Result<Json> list = root->at("choices");
  if (!list) return Error{list.error()};
  if (!list->is_array()) return fail("{}: expected a list", list->where());
  ProductChoices choices;
  for (size_t i = 0; i < list->size(); ++i) {
    const Json choice = list->at(i);
    Result<ProductKey> key = read_key(choice);
    if (!key) return Error{key.error()};
    std::optional<Algorithm>& chosen = choices[*key];
    if (!choice.has("algorithm")) continue;
    Result<Algorithm> algorithm = read_algorithm(*choice.at("algorithm"));
    if (!algorithm) return Error{algorithm.error()};
    chosen = *algorithm;
  }
  return choices;
}

KeptChoices load_choices(const std::string& path, const ChoicesHoldFor& holds_for) {
  std::error_code error;
  if (path.empty() || !std::filesystem::exists(path, error)) return {};
  Result<std::string> text = read_text(path);
  Result<ProductChoices> choices =
      text ? parse_choices(*text, path, holds_for) : Result<ProductChoices>(Error{text.error()});
  if (!choices) return {{}, choices.error() + "; products are timed again"};
  return {*std::move(choices), ""};
}

}  // namespace draftscope::cuda
