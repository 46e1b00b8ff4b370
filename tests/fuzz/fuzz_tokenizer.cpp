// Any bytes as a tokenizer.json or tokenizer_config.json, up to the first zero byte, and as text for both and for the test
// tokenizer.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/model/chat.h"
#include "engine/model/tokenizer.h"

namespace draftscope {
namespace {

void exercise(const Tokenizer& tokenizer, std::string_view text) {
  for (const int32_t id : tokenizer.encode(text)) DS_CHECK(id >= 0 && id < tokenizer.n_ids());
}

const Tokenizer& test_tokenizer() {
  static const Tokenizer tokenizer = [] {
    auto opened = Tokenizer::open(DS_SOURCE_DIR "/tests/model/data");
    DS_CHECK(opened.ok(), "{}", opened.error());
    return std::move(*opened);
  }();
  return tokenizer;
}

}  // namespace
}  // namespace draftscope

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace draftscope;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view json = input.substr(0, input.find('\0'));
  const std::string_view text = json.size() < input.size() ? input.substr(json.size() + 1) : input;
  exercise(test_tokenizer(), text);
  const Result<Tokenizer> parsed = Tokenizer::parse(json, "tokenizer.json");
  if (parsed.ok())
    exercise(*parsed, text);
  else
    DS_CHECK(!parsed.error().empty());
  const Result<TokenizerConfig> config = parse_tokenizer_config(json, "tokenizer_config.json");
  const Result<std::string> prompt = config ? chat_prompt(config->chat, text, text.size() % 2 == 0) : Error{config.error()};
  DS_CHECK(prompt.ok() ? prompt->size() > text.size() : !prompt.error().empty());
  return 0;
}
