// ChatTemplate: how a target's folder says that a user's words become a prompt, and which token ends an answer.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/check.h"

namespace draftscope {

/// What of a chat template decides how one user turn is written. A template is recognised by its words and never run. The
/// defaults are Qwen3's hybrid models, and stand for a folder without a template.
struct ChatTemplate {
  std::string path;             // the file it stands in; empty: there is none
  bool is_chatml = true;        // turns stand between <|im_start|> and <|im_end|>
  bool has_switch = true;       // asks for enable_thinking: an empty think block says that it is off
  bool opens_thinking = false;  // a think block begins in the prompt already, not in the answer
};

struct TokenizerConfig {
  ChatTemplate chat;
  std::string eos_token;  // its text; empty: not said
};

/// Reads DIR/tokenizer_config.json and DIR/chat_template.jinja, whose template wins; neither need be there. Errors name the
/// file, key, expected and found.
Result<TokenizerConfig> read_tokenizer_config(const std::string& dir);
/// A total function of the bytes of a tokenizer_config.json (fuzzed).
Result<TokenizerConfig> parse_tokenizer_config(std::string_view json, const std::string& path);
/// A total function of the text of a template, which stands in the file `path`.
ChatTemplate recognise_template(std::string_view jinja, const std::string& path);

/// One user turn and the head of the answer, as the template renders them. An Error where the template is not ChatML, and
/// where `thinking` is asked of a target that never thinks; one that always thinks does so whatever `thinking` says.
Result<std::string> chat_prompt(const ChatTemplate& chat, std::string_view user_utf8, bool thinking);

}  // namespace draftscope
