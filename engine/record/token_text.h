// TokenText: the text of a record's tokens, so that a viewer needs no tokenizer.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace draftscope {

/// UTF-8 text of every token id in the record; ids ascending, offsets (n + 1,) into pool.
/// A token that is a fragment of a character holds its raw bytes.
struct TokenText {
  std::vector<int32_t> id;
  std::vector<uint32_t> offset;
  std::string pool;

  std::string_view text_of(int32_t token_id) const;  // empty when unknown
  /// Texts of `tokens` (any order, duplicates welcome) as bytes_of gives them.
  static TokenText of(std::vector<int32_t> tokens, const std::function<std::string(int32_t)>& bytes_of);
};

}  // namespace draftscope
