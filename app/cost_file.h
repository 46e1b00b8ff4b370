// Files of cost models, as every command and panel names them: FILE, or FILE:N, the N-th where a file has several.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/record/cost_model.h"

namespace draftscope {

struct CostFileName {
  std::string path;
  size_t number = 0;  // from 1; 0: none was given
};
/// A file that is really called FILE:N is meant by that name.
CostFileName cost_file_name(const std::string& word);

/// Every cost model of FILE, at least one; that of FILE:N alone.
Result<std::vector<CostModel>> read_costs(const std::string& word);
/// The one cost model of FILE or FILE:N. An Error where several were left to choose from says how.
Result<CostModel> read_cost(const std::string& word);

}  // namespace draftscope
