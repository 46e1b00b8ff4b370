#include "engine/model/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/file_map.h"
#include "engine/base/json.h"

namespace draftscope {
namespace {

using testing::HasSubstr;

const std::string kData = DS_SOURCE_DIR "/tests/model/data";

struct Case {
  std::string bytes;
  std::vector<int32_t> ids;
};

std::string bytes_of_hex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

std::vector<Case> read_cases() {
  const auto text = read_text(kData + "/tokenizer_cases.json");
  EXPECT_TRUE(text.ok());
  const auto json = Json::parse(*text, "tokenizer_cases.json");
  EXPECT_TRUE(json.ok());
  std::vector<Case> cases;
  for (size_t i = 0; i < json->size(); ++i) {
    const Json entry = json->at(i);
    cases.push_back({bytes_of_hex(*entry.at(size_t{0}).as_string()), *entry.at(1).as_ints(0, 1 << 20)});
  }
  return cases;
}

class TokenizerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = Tokenizer::open(kData);
    ASSERT_TRUE(opened.ok()) << opened.error();
    tokenizer_ = std::make_unique<Tokenizer>(std::move(*opened));
  }
  std::string decode(std::span<const int32_t> ids) const {
    std::string bytes;
    for (const int32_t id : ids) bytes += tokenizer_->bytes_of(id);
    return bytes;
  }
  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_F(TokenizerTest, FiveThousandStringsEncodeAsTheTokenizersLibrary) {
  const std::vector<Case> cases = read_cases();
  ASSERT_GE(cases.size(), 5000u);
  int n_wrong = 0;
  for (const Case& each : cases) {
    if (tokenizer_->encode(each.bytes) == each.ids) continue;
    if (++n_wrong <= 10)
      ADD_FAILURE() << testing::PrintToString(each.bytes) << "\n  found "
                    << testing::PrintToString(tokenizer_->encode(each.bytes)) << "\n  expected "
                    << testing::PrintToString(each.ids);
  }
  EXPECT_EQ(n_wrong, 0) << "of " << cases.size();
}

TEST_F(TokenizerTest, OrdinaryTextComesBack) {
  for (const char* text : {"", "a", "It's 12 o'clock.\n\n", "人工智能 🙂", "  leading and trailing  ",
                           "<|im_start|>user\nhi<|im_end|>"}) {
    EXPECT_EQ(decode(tokenizer_->encode(text)), text);
  }
}

TEST_F(TokenizerTest, AddedTokensAreKnown) {
  const auto end = tokenizer_->id_of("<|im_end|>");
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(tokenizer_->bytes_of(*end), "<|im_end|>");
  EXPECT_EQ(tokenizer_->encode("<|im_end|>"), std::vector<int32_t>{*end});
  EXPECT_FALSE(tokenizer_->id_of("no such entry").has_value());
}

TEST_F(TokenizerTest, IdsOutsideTheVocabularyAreEmpty) {
  for (const int32_t id : {-1, tokenizer_->n_ids(), INT32_MAX, INT32_MIN}) {
    EXPECT_EQ(tokenizer_->bytes_of(id), "");
  }
}

TEST_F(TokenizerTest, LongRunsComeBack) {
  for (const char* unit : {" ", "a", "!", "\u00e9", "\n", "\u540d"}) {
    std::string text;
    while (text.size() < 200000) text += unit;
    ASSERT_EQ(decode(tokenizer_->encode(text)), text);
  }
}

// One sentence: the place and what is wrong, no line breaks.
void expect_sentence(const std::string& json, const std::string& part) {
  const auto parsed = Tokenizer::parse(json, "tokenizer.json");
  ASSERT_FALSE(parsed.ok()) << json;
  EXPECT_THAT(parsed.error(), HasSubstr("tokenizer.json"));
  EXPECT_THAT(parsed.error(), HasSubstr(part));
  EXPECT_EQ(parsed.error().find('\n'), std::string::npos);
}

TEST(TokenizerFileTest, BadFilesGiveOneSentence) {
  const std::string pre = R"("pre_tokenizer": {"type": "ByteLevel"})";
  expect_sentence("", "not valid JSON");
  expect_sentence("[1]", "expected an object");
  expect_sentence("{" + pre + "}", "missing key \"model\"");
  expect_sentence(R"({"model": {"type": "Unigram"}})", "expected BPE, found \"Unigram\"");
  expect_sentence("{" + pre + R"(, "model": {"merges": []}})", "missing key \"vocab\"");
  expect_sentence("{" + pre + R"(, "model": {"vocab": {"a": 0}}})", "missing key \"merges\"");
  expect_sentence("{" + pre + R"(, "model": {"vocab": {"a": 0}, "merges": 5}})", "merges");
  expect_sentence("{" + pre + R"(, "model": {"vocab": {"a": -1}, "merges": []}})", "whole number");
  expect_sentence("{" + pre + R"(, "model": {"vocab": {"a": 99999999999}, "merges": []}})", "whole number");
  expect_sentence("{" + pre + R"(, "model": {"vocab": {"a": 0}, "merges": ["a b"]}})",
                  "expected tokens of the vocabulary");
  expect_sentence("{" + pre + R"(, "model": {"vocab": {"a": 0}, "merges": ["ab"]}})",
                  "expected \"left right\"");
  expect_sentence(R"({"model": {"vocab": {"a": 0}, "merges": []}})", "missing key \"pre_tokenizer\"");
  expect_sentence(R"({"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(("}, "behavior": "Isolated"},
                  "model": {"vocab": {"a": 0}, "merges": []}})",
                  "not a regular expression");
  expect_sentence(
      "{" + pre + R"(, "normalizer": {"type": "Lowercase"}, "model": {"vocab": {"a": 0}, "merges": []}})",
      "NFC");
  expect_sentence("{" + pre + R"(, "added_tokens": [{"id": 3}], "model": {"vocab": {"a": 0}, "merges": []}})",
                  "content");
  const auto missing = Tokenizer::open("/nowhere");
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.error(), HasSubstr("/nowhere/tokenizer.json: cannot open"));
}

TEST(TokenizerFileTest, TruncatedFilesNeverParse) {
  const auto text = read_text(kData + "/tokenizer.json");
  ASSERT_TRUE(text.ok());
  for (size_t i = 1; i <= 40; ++i) {
    EXPECT_FALSE(Tokenizer::parse(std::string_view(*text).substr(0, text->size() * i / 41), "cut").ok());
  }
}

}  // namespace
}  // namespace draftscope
