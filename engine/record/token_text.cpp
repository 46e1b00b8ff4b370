#include "engine/record/token_text.h"

#include <algorithm>

namespace draftscope {

std::string_view TokenText::text_of(int32_t token_id) const {
  const auto found = std::lower_bound(id.begin(), id.end(), token_id);
  if (found == id.end() || *found != token_id) return {};
  const size_t i = static_cast<size_t>(found - id.begin());
  return std::string_view(pool).substr(offset[i], offset[i + 1] - offset[i]);
}

TokenText TokenText::of(std::vector<int32_t> tokens, const std::function<std::string(int32_t)>& bytes_of) {
  std::sort(tokens.begin(), tokens.end());
  tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
  TokenText text;
  text.offset.reserve(tokens.size() + 1);
  text.offset.push_back(0);
  for (const int32_t token : tokens) {
    text.pool += bytes_of(token);
    text.offset.push_back(static_cast<uint32_t>(text.pool.size()));
  }
  text.id = std::move(tokens);
  return text;
}

}  // namespace draftscope
