#define PCRE2_CODE_UNIT_WIDTH 8
#include "engine/model/pretokenize.h"

#include <pcre2.h>

namespace draftscope {

const char* const kByteLevelPattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

namespace {

// Unicode's White_Space as members of a character class. PCRE2's own \\s also takes U+180E, which Unicode
// withdrew from the list and tokenizers therefore do not take.
constexpr const char* kSpaceMembers =
    R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";

// Spells \s out wherever it stands, and \S outside of classes.
std::string spell_out_spaces(const std::string& pattern) {
  std::string result;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c != '\\' || i + 1 == pattern.size()) {
      if (c == '[') in_class = true;
      else if (c == ']') in_class = false;
      result += c;
      continue;
    }
    const char escaped = pattern[++i];
    if (escaped == 's') result += in_class ? kSpaceMembers : fmt::format("[{}]", kSpaceMembers);
    else if (escaped == 'S' && !in_class) result += fmt::format("[^{}]", kSpaceMembers);
    else result += {c, escaped};
  }
  return result;
}

}  // namespace

struct Splitter::Impl {
  pcre2_code* code = nullptr;
  pcre2_match_data* match = nullptr;
  ~Impl() {
    pcre2_match_data_free(match);
    pcre2_code_free(code);
  }
};

Splitter::Splitter() : impl_(std::make_unique<Impl>()) {}
Splitter::~Splitter() = default;
Splitter::Splitter(Splitter&&) noexcept = default;
Splitter& Splitter::operator=(Splitter&&) noexcept = default;

Result<Splitter> Splitter::compile(const std::string& source) {
  const std::string pattern = spell_out_spaces(source);
  Splitter splitter;
  int error = 0;
  PCRE2_SIZE at = 0;
  splitter.impl_->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                       PCRE2_UTF | PCRE2_UCP, &error, &at, nullptr);
  if (splitter.impl_->code == nullptr) {
    PCRE2_UCHAR text[256] = {};
    pcre2_get_error_message(error, text, sizeof(text));
    return fail("pattern: not a regular expression at character {}: {}", at, reinterpret_cast<const char*>(text));
  }
  pcre2_jit_compile(splitter.impl_->code, PCRE2_JIT_COMPLETE);  // only speed: matching works without it
  splitter.impl_->match = pcre2_match_data_create_from_pattern(splitter.impl_->code, nullptr);
  return splitter;
}

void Splitter::split(std::string_view text, std::vector<std::string_view>& pieces) const {
  size_t done = 0, from = 0;
  while (from < text.size()) {
    const int n = pcre2_match(impl_->code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                              PCRE2_NO_UTF_CHECK, impl_->match, nullptr);
    if (n < 0) break;  // no further match (or the pattern ran out of its limits): the rest is one piece
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(impl_->match);
    if (bounds[1] == bounds[0]) {  // an empty match separates nothing
      from = bounds[1] + 1;
      while (from < text.size() && (text[from] & 0xC0) == 0x80) ++from;
      continue;
    }
    if (bounds[0] > done) pieces.push_back(text.substr(done, bounds[0] - done));
    pieces.push_back(text.substr(bounds[0], bounds[1] - bounds[0]));
    done = from = bounds[1];
  }
  if (done < text.size()) pieces.push_back(text.substr(done));
}

}  // namespace draftscope
