#include "engine/model/added_tokens.h"

#include <utf8proc.h>

namespace draftscope {
namespace {

// A character of valid UTF-8 and its length in bytes; code -1 where there is none.
struct Character {
  utf8proc_int32_t code = -1;
  size_t n_bytes = 0;
};
Character character_at(std::string_view text, size_t at) {
  Character found;
  if (at >= text.size()) return found;
  const auto n = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at),
                                  static_cast<utf8proc_ssize_t>(text.size() - at), &found.code);
  found.n_bytes = n > 0 ? static_cast<size_t>(n) : 1;
  return found;
}
Character character_before(std::string_view text, size_t end) {
  if (end == 0) return {};
  size_t at = end - 1;
  while (at > 0 && (text[at] & 0xC0) == 0x80) --at;
  return character_at(text, at);
}

// Unicode's White_Space.
bool is_space(const Character& c) {
  const utf8proc_int32_t code = c.code;
  return (code >= 9 && code <= 13) || code == 0x20 || code == 0x85 || code == 0xA0 || code == 0x1680 ||
         (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F ||
         code == 0x3000;
}
// What a regular expression's \w matches: letters, marks, decimal and letter numbers, connectors, joiners.
bool is_word(const Character& c) {
  if (c.code < 0) return false;
  if (c.code == 0x200C || c.code == 0x200D) return true;
  const utf8proc_category_t category = utf8proc_category(c.code);
  return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NL) || category == UTF8PROC_CATEGORY_PC;
}

const AddedToken* longest_at(std::string_view text, size_t at, const std::vector<AddedToken>& tokens,
                             bool normalized) {
  const AddedToken* best = nullptr;
  for (const AddedToken& token : tokens) {
    if (token.normalized != normalized || token.content.empty()) continue;
    if (best != nullptr && token.content.size() <= best->content.size()) continue;
    if (text.substr(at, token.content.size()) != token.content) continue;
    const size_t end = at + token.content.size();
    if (token.single_word && (is_word(character_before(text, at)) || is_word(character_at(text, end)))) continue;
    best = &token;
  }
  return best;
}

}  // namespace

std::vector<TextPiece> split_added(std::string_view text, const std::vector<AddedToken>& tokens, bool normalized) {
  bool starts[256] = {};  // bytes that begin some token
  for (const AddedToken& token : tokens) {
    if (token.normalized == normalized && !token.content.empty()) starts[static_cast<unsigned char>(token.content[0])] = true;
  }
  std::vector<TextPiece> pieces;
  size_t done = 0;
  for (size_t at = 0; at < text.size();) {
    const AddedToken* token =
        starts[static_cast<unsigned char>(text[at])] ? longest_at(text, at, tokens, normalized) : nullptr;
    if (token == nullptr) {
      ++at;
      continue;
    }
    size_t begin = at, end = at + token->content.size();
    if (token->lstrip) {
      for (Character c = character_before(text, begin); begin > done && is_space(c); c = character_before(text, begin)) {
        begin -= c.n_bytes;
      }
    }
    if (token->rstrip) {
      for (Character c = character_at(text, end); is_space(c); c = character_at(text, end)) end += c.n_bytes;
    }
    if (begin > done) pieces.push_back({text.substr(done, begin - done), nullptr});
    pieces.push_back({text.substr(begin, end - begin), token});
    done = at = end;
  }
  if (done < text.size()) pieces.push_back({text.substr(done), nullptr});
  return pieces;
}

}  // namespace draftscope
