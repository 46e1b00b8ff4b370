// Added tokens: pieces of text that are one token wherever they occur.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace draftscope {

struct AddedToken {
  std::string content;
  int32_t id = 0;
  bool normalized = false;   // looked for after normalisation
  bool lstrip = false, rstrip = false;  // swallows white space beside it
  bool single_word = false;  // only between non-word characters
};

/// A stretch of text, or one added token (token != nullptr).
struct TextPiece {
  std::string_view text;
  const AddedToken* token = nullptr;
};

/// Cuts text at the leftmost, then longest, occurrences of the tokens whose `normalized` is as given.
std::vector<TextPiece> split_added(std::string_view text, const std::vector<AddedToken>& tokens, bool normalized);

}  // namespace draftscope
