#include "app/cost_file.h"

#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>

#include "engine/base/file_map.h"
#include "engine/speculate/cost.h"

namespace draftscope {

CostFileName cost_file_name(const std::string& word) {
  const size_t colon = word.rfind(':');
  size_t number = 0;
  std::error_code error;
  if (colon == std::string::npos || std::filesystem::exists(word, error)) return {word};
  const char *first = word.data() + colon + 1, *last = word.data() + word.size();
  const auto [end, status] = std::from_chars(first, last, number);
  if (status != std::errc() || end != last || number == 0) return {word};
  return {word.substr(0, colon), number};
}

Result<std::vector<CostModel>> read_costs(const std::string& word) {
  const auto [path, number] = cost_file_name(word);
  const Result<std::string> text = read_text(path);
  if (!text) return Error{text.error()};
  Result<std::vector<CostModel>> models = parse_cost_models(*text, path);
  if (!models || number == 0) return models;
  if (number > models->size()) {
    return fail("{}: expected a number up to {}, the cost models in the file, found {}", path, models->size(), number);
  }
  return std::vector<CostModel>{std::move((*models)[number - 1])};
}

Result<CostModel> read_cost(const std::string& word) {
  Result<std::vector<CostModel>> models = read_costs(word);
  if (!models) return Error{models.error()};
  if (models->size() == 1) return std::move(models->front());
  return fail("{0}: expected one cost model, found {1}; add :1 to :{1} to choose one", word, models->size());
}

}  // namespace draftscope
