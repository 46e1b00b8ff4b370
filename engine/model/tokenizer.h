// Tokenizer: byte-level BPE from a Hugging Face tokenizer.json.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/check.h"

namespace draftscope {

class Tokenizer {
 public:
  /// Reads DIR/tokenizer.json. Errors name the file and key.
  static Result<Tokenizer> open(const std::string& dir);
  /// A total function of the bytes of a tokenizer.json (fuzzed).
  static Result<Tokenizer> parse(std::string_view json, const std::string& path);
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  /// Token ids of any bytes; added tokens in the text are recognised. Broken UTF-8 is read as
  /// U+FFFD, as the `tokenizers` library sees it.
  std::vector<int32_t> encode(std::string_view utf8) const;
  /// Raw bytes of one token: fragments of characters stay fragments; added tokens give their text.
  /// Empty for an id outside the vocabulary.
  std::string_view bytes_of(int32_t id) const;
  std::optional<int32_t> id_of(std::string_view token) const;  // exact content of a vocabulary entry
  int32_t n_ids() const;

 private:
  Tokenizer();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace draftscope
