#include "engine/base/utf8.h"
#include "engine/model/tokenizer.h"

namespace draftscope {

std::string Detokenizer::push(int32_t id) {
  pending_ += tokenizer_->bytes_of(id);
  const size_t whole = whole_characters(pending_);
  std::string text = replace_broken_utf8(std::string_view(pending_).substr(0, whole));
  pending_.erase(0, whole);
  return text;
}

std::string Detokenizer::flush() {
  std::string text = replace_broken_utf8(pending_);
  pending_.clear();
  return text;
}

std::string chat_prompt(std::string_view user_utf8, bool thinking) {
  std::string text = "<|im_start|>user\n";
  text += user_utf8;
  text += "<|im_end|>\n<|im_start|>assistant\n";
  if (!thinking) text += "<think>\n\n</think>\n\n";
  return text;
}

}  // namespace draftscope
