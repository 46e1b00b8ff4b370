// Splitting text into words before byte-pair merging, as a tokenizer.json's pre_tokenizer says.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/check.h"

namespace draftscope {

/// A compiled regular expression whose matches, and the gaps between them, become words.
class Splitter {
 public:
  static Result<Splitter> compile(const std::string& pattern);
  ~Splitter();
  Splitter(Splitter&&) noexcept;
  Splitter& operator=(Splitter&&) noexcept;

  /// Appends the pieces of valid UTF-8 text, in order; views into `text`.
  void split(std::string_view text, std::vector<std::string_view>& pieces) const;

 private:
  Splitter();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The word pattern of byte-level tokenizers that name none (GPT-2's).
extern const char* const kByteLevelPattern;

}  // namespace draftscope
