#include "engine/model/added_tokens.h"

#include <cctype>

namespace draftscope {
namespace {

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
// Bytes above 127 belong to letters far more often than not.
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || (c & 0x80); }

const AddedToken* longest_at(std::string_view text, size_t at, const std::vector<AddedToken>& tokens,
                             bool normalized) {
  const AddedToken* best = nullptr;
  for (const AddedToken& token : tokens) {
    if (token.normalized != normalized || token.content.empty()) continue;
    if (best != nullptr && token.content.size() <= best->content.size()) continue;
    if (text.substr(at, token.content.size()) != token.content) continue;
    const size_t end = at + token.content.size();
    if (token.single_word && ((at > 0 && is_word(text[at - 1])) || (end < text.size() && is_word(text[end])))) continue;
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
    while (token->lstrip && begin > done && is_space(text[begin - 1])) --begin;
    while (token->rstrip && end < text.size() && is_space(text[end])) ++end;
    if (begin > done) pieces.push_back({text.substr(done, begin - done), nullptr});
    pieces.push_back({text.substr(begin, end - begin), token});
    done = at = end;
  }
  if (done < text.size()) pieces.push_back({text.substr(done), nullptr});
  return pieces;
}

}  // namespace draftscope
