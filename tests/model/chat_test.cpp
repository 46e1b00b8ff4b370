#include "engine/model/chat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/temp_folder.h"

namespace draftscope {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

// The parts of Qwen3's templates that speak of thinking: older turns lose their think block, and the head of the answer
// differs between the models.
const std::string kTurns =
    "{%- for message in messages %}{%- set content = message.content.split('</think>')[-1] %}"
    "{{- '<|im_start|>' + message.role + '\\n<think>\\n' + message.reasoning + '\\n</think>\\n\\n' + content + '<|im_end|>\\n' }}"
    "{%- endfor %}";
const std::string kHybrid = kTurns +
                            "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- if enable_thinking is defined "
                            "and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}{%- endif %}";
const std::string kInstruct = kTurns + "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}";
const std::string kThinks = kTurns + "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n<think>\\n' }}{%- endif %}";
const std::string kHybridOpens = kTurns +
                                 "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- if enable_thinking %}"
                                 "{{- '<think>\\n' }}{%- else %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}{%- endif %}";
const std::string kOther = "{%- for message in messages %}[INST] {{ message.content }} [/INST]{%- endfor %}";

const std::string kTurn = "<|im_start|>user\nHi\nthere<|im_end|>\n<|im_start|>assistant\n";
const std::string kEmptyBlock = "<think>\n\n</think>\n\n";

ChatTemplate chat_of(const std::string& jinja) { return recognise_template(jinja, "DIR/tokenizer_config.json"); }

std::string prompt_of(const ChatTemplate& chat, bool thinking) {
  const Result<std::string> prompt = chat_prompt(chat, "Hi\nthere", thinking);
  return prompt ? *prompt : "error: " + prompt.error();
}

TEST(ChatTest, AHybridTargetGetsAnEmptyThinkBlockUnlessItIsToThink) {
  EXPECT_EQ(prompt_of(chat_of(kHybrid), false), kTurn + kEmptyBlock);
  EXPECT_EQ(prompt_of(chat_of(kHybrid), true), kTurn);
  EXPECT_EQ(prompt_of(chat_of(kHybridOpens), false), kTurn + kEmptyBlock);
  EXPECT_EQ(prompt_of(chat_of(kHybridOpens), true), kTurn + "<think>\n");
}

TEST(ChatTest, ATargetThatNeverThinksGetsNoThinkBlock) {
  EXPECT_EQ(prompt_of(chat_of(kInstruct), false), kTurn);
  EXPECT_EQ(prompt_of(chat_of(kInstruct), true),
            "error: DIR/tokenizer_config.json: chat template: expected enable_thinking or an open <think> for --thinking, found "
            "neither");
}

TEST(ChatTest, ATargetThatAlwaysThinksBeginsToInThePrompt) {
  EXPECT_EQ(prompt_of(chat_of(kThinks), false), kTurn + "<think>\n");
  EXPECT_EQ(prompt_of(chat_of(kThinks), true), kTurn + "<think>\n");
}

TEST(ChatTest, AnotherFormatIsRefusedWithTheWayOut) {
  for (const std::string& jinja : {kOther, std::string()}) {
    EXPECT_EQ(prompt_of(chat_of(jinja), false),
              "error: DIR/tokenizer_config.json: chat template: expected ChatML (<|im_start|>), found another; --raw takes a "
              "prompt as it stands");
  }
}

class FolderTest : public testing::Test {
 protected:
  TokenizerConfig read() const {
    Result<TokenizerConfig> config = read_tokenizer_config(folder_.path());
    EXPECT_TRUE(config) << config.error();
    return config ? *std::move(config) : TokenizerConfig{};
  }
  TempFolder folder_;
};

TEST_F(FolderTest, WithoutATemplateATargetIsTakenForAHybrid) {
  EXPECT_EQ(prompt_of(read().chat, false), kTurn + kEmptyBlock);
  EXPECT_EQ(prompt_of(read().chat, true), kTurn);
  folder_.write("tokenizer_config.json", R"({"chat_template": null, "eos_token": null})");
  EXPECT_EQ(prompt_of(read().chat, false), kTurn + kEmptyBlock);
  EXPECT_EQ(read().eos_token, "");
}

TEST_F(FolderTest, ATemplateIsTextOrTheOneNamedDefault) {
  folder_.write("tokenizer_config.json", json{{"chat_template", kThinks}}.dump());
  EXPECT_EQ(prompt_of(read().chat, false), kTurn + "<think>\n");
  const json named = {{{"name", "rag"}, {"template", kOther}}, {{"name", "default"}, {"template", kInstruct}}};
  folder_.write("tokenizer_config.json", json{{"chat_template", named}}.dump());
  EXPECT_EQ(prompt_of(read().chat, false), kTurn);
}

TEST_F(FolderTest, AFileOfItsOwnWins) {
  folder_.write("tokenizer_config.json", json{{"chat_template", kOther}, {"eos_token", "<|im_end|>"}}.dump());
  folder_.write("chat_template.jinja", kInstruct);
  EXPECT_EQ(prompt_of(read().chat, false), kTurn);
  EXPECT_EQ(read().eos_token, "<|im_end|>");
  folder_.write("chat_template.jinja", kOther);
  EXPECT_THAT(prompt_of(read().chat, false), HasSubstr("/chat_template.jinja: chat template: expected ChatML"));
}

TEST_F(FolderTest, TheEndTokenIsTextOrAnObject) {
  folder_.write("tokenizer_config.json", R"({"eos_token": {"content": "<|endoftext|>", "lstrip": false}})");
  EXPECT_EQ(read().eos_token, "<|endoftext|>");
}

TEST(TokenizerConfigTest, BadFilesGiveOneSentence) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "not valid JSON"},
      {"[1]", "expected an object"},
      {R"({"chat_template": 5})", "chat_template: expected"},
      {R"({"chat_template": {"default": "x"}})", "chat_template: expected"},
      {R"({"chat_template": []})", "chat_template: expected a template named \"default\", found 0"},
      {R"({"chat_template": [{"name": "rag", "template": "x"}]})", "found 1 with other names"},
      {R"({"chat_template": ["x"]})", "chat_template[0]"},
      {R"({"chat_template": [{"name": 1}]})", "chat_template[0].name: expected"},
      {R"({"chat_template": [{"name": "default"}]})", "missing key \"template\""},
      {R"({"chat_template": [{"name": "default", "template": []}]})", "chat_template[0].template: expected"},
      {R"({"eos_token": 7})", "eos_token: expected"},
      {R"({"eos_token": {"id": 7}})", "missing key \"content\""},
  };
  for (const auto& [text, part] : cases) {
    const Result<TokenizerConfig> parsed = parse_tokenizer_config(text, "DIR/tokenizer_config.json");
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error(), StartsWith("DIR/tokenizer_config.json"));
    EXPECT_THAT(parsed.error(), HasSubstr(part));
    EXPECT_EQ(parsed.error().find('\n'), std::string::npos) << parsed.error();
  }
}

}  // namespace
}  // namespace draftscope
