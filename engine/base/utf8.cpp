#include "engine/base/utf8.h"

namespace draftscope {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Length that the first byte announces, and the range its second byte must lie in (no overlong forms, no
// surrogates, nothing above U+10FFFF); length 0 for a byte that starts no character.
struct Lead {
  int length;
  unsigned char low, high;
};

Lead lead_of(unsigned char byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

// Valid bytes at the start of text: a whole character when equal to the announced length.
int n_valid(std::string_view text, const Lead& lead) {
  int n = 1;
  for (; n < lead.length && n < static_cast<int>(text.size()); ++n) {
    const auto byte = static_cast<unsigned char>(text[static_cast<size_t>(n)]);
    if (byte < (n == 1 ? lead.low : 0x80) || byte > (n == 1 ? lead.high : 0xBF)) break;
  }
  return n;
}

}  // namespace

int utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const Lead lead = lead_of(static_cast<unsigned char>(text[0]));
  if (lead.length == 0) return 0;
  const int n = n_valid(text, lead);
  if (n == lead.length) return n;
  return n == static_cast<int>(text.size()) ? -n : 0;
}

std::string replace_broken_utf8(std::string_view text) {
  std::string whole;
  whole.reserve(text.size());
  while (!text.empty()) {
    const Lead lead = lead_of(static_cast<unsigned char>(text[0]));
    const int n = lead.length == 0 ? 1 : n_valid(text, lead);
    if (n == lead.length) whole += text.substr(0, static_cast<size_t>(n));
    else whole += kReplacement;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return whole;
}

size_t whole_characters(std::string_view text) {
  // A character has at most four bytes, so only the last three can be an unfinished one.
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    if (utf8_length(text.substr(text.size() - back)) < 0) return text.size() - back;
  }
  return text.size();
}

}  // namespace draftscope
