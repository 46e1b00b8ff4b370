#include "engine/model/chat.h"

#include <filesystem>

#include "engine/base/file_map.h"
#include "engine/base/json.h"

namespace draftscope {
namespace {

size_t count(std::string_view text, std::string_view word) {
  size_t n = 0;
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + word.size())) ++n;
  return n;
}

bool is_file(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

/// One template, or several with names, of which a chat takes "default".
Result<std::string> template_text(const Json& value) {
  if (!value.is_array()) return value.as_string();
  for (size_t i = 0; i < value.size(); ++i) {
    const Result<Json> name = value.at(i).at("name");
    if (!name) return Error{name.error()};
    const Result<std::string> word = name->as_string();
    if (!word) return Error{word.error()};
    if (*word != "default") continue;
    const Result<Json> text = value.at(i).at("template");
    return text ? text->as_string() : Error{text.error()};
  }
  return fail("{}: expected a template named \"default\", found {} with other names", value.where(), value.size());
}

/// A token stands as its text or as an object with its content.
Result<std::string> token_text(const Json& value) {
  if (!value.is_object()) return value.as_string();
  const Result<Json> content = value.at("content");
  return content ? content->as_string() : Error{content.error()};
}

}  // namespace

ChatTemplate recognise_template(std::string_view jinja, const std::string& path) {
  ChatTemplate chat;
  chat.path = path;
  chat.is_chatml = jinja.find("<|im_start|>") != std::string_view::npos;
  chat.has_switch = jinja.find("enable_thinking") != std::string_view::npos;
  // Before the head of the answer templates speak of think blocks as well: there they cut them out of older turns.
  const size_t head = jinja.rfind("add_generation_prompt");
  const std::string_view answer = head == std::string_view::npos ? std::string_view() : jinja.substr(head);
  chat.opens_thinking = count(answer, "<think>") > count(answer, "</think>");
  return chat;
}

Result<TokenizerConfig> parse_tokenizer_config(std::string_view json, const std::string& path) {
  const Result<Json> root = Json::parse(json, path);
  if (!root) return Error{root.error()};
  if (!root->is_object()) return fail("{}: expected an object, found another value", path);
  TokenizerConfig config;
  if (root->has("chat_template")) {
    const Result<std::string> text = template_text(*root->at("chat_template"));
    if (!text) return Error{text.error()};
    config.chat = recognise_template(*text, path);
  }
  if (root->has("eos_token")) {
    Result<std::string> token = token_text(*root->at("eos_token"));
    if (!token) return Error{token.error()};
    config.eos_token = *std::move(token);
  }
  return config;
}

Result<TokenizerConfig> read_tokenizer_config(const std::string& dir) {
  TokenizerConfig config;
  if (const std::string path = dir + "/tokenizer_config.json"; is_file(path)) {
    const Result<std::string> text = read_text(path);
    if (!text) return Error{text.error()};
    Result<TokenizerConfig> parsed = parse_tokenizer_config(*text, path);
    if (!parsed) return parsed;
    config = *std::move(parsed);
  }
  if (const std::string path = dir + "/chat_template.jinja"; is_file(path)) {
    const Result<std::string> text = read_text(path);
    if (!text) return Error{text.error()};
    config.chat = recognise_template(*text, path);
  }
  return config;
}

Result<std::string> chat_prompt(const ChatTemplate& chat, std::string_view user_utf8, bool thinking) {
  if (!chat.is_chatml) {
    return fail("{}: chat template: expected ChatML (<|im_start|>), found another; --raw takes a prompt as it stands", chat.path);
  }
  if (thinking && !chat.has_switch && !chat.opens_thinking) {
    return fail("{}: chat template: expected enable_thinking or an open <think> for --thinking, found neither", chat.path);
  }
  std::string text = "<|im_start|>user\n";
  text += user_utf8;
  text += "<|im_end|>\n<|im_start|>assistant\n";
  if (chat.has_switch && !thinking) text += "<think>\n\n</think>\n\n";
  else if (chat.opens_thinking) text += "<think>\n";
  return text;
}

}  // namespace draftscope
