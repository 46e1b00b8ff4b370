// What a target's folder says of prompts and of the end of a text, as the program meets it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/model/pair.h"
#include "tests/app/program.h"

namespace draftscope {
namespace {

using nlohmann::json;
using testing::EndsWith;
using testing::HasSubstr;

/// The demo target with some of its files written anew.
class TargetFolder {
 public:
  TargetFolder() {
    for (const auto& entry : std::filesystem::directory_iterator(DS_SOURCE_DIR "/assets/demo/target")) {
      std::filesystem::create_symlink(entry.path(), folder_ / entry.path().filename().string());
    }
  }
  void write(const std::string& file, const json& value) const {
    std::filesystem::remove(folder_ / file);
    folder_.write(file, value.dump());
  }
  json read(const std::string& file) const { return json::parse(slurp(folder_ / file)); }
  const std::string& path() const { return folder_.path(); }

 private:
  TempFolder folder_;
};

TEST(ChatTemplate, OnlyRawTakesAPromptWhereTheTemplateIsNotChatMl) {
  const TempFolder sandbox;
  const TargetFolder target;
  target.write("tokenizer_config.json", {{"chat_template", "[INST] {{ messages[0].content }} [/INST]"}});
  std::vector<std::string> arguments = {"decode", "--target", target.path(), "-m", "plain", "-n", "4", "-p", "Hi", "--cost",
                                        DS_SOURCE_DIR "/assets/cost/a800-qwen3-4b-convex.json"};
  const Finished refused = run(sandbox, arguments);
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.err, HasSubstr(target.path() + "/tokenizer_config.json: chat template: expected ChatML"));
  EXPECT_THAT(refused.err, EndsWith("--raw takes a prompt as it stands\n"));
  arguments.push_back("--raw");
  const Finished raw = run(sandbox, arguments);
  EXPECT_EQ(raw.status, 0) << raw.err;
  EXPECT_GT(raw.out.size(), 1u);
}

TEST(ChatTemplate, TheTokenizersEndTokenEndsATextThatNothingElseWouldEnd) {
  const TargetFolder target;
  json config = target.read("config.json");
  const int32_t end = config["eos_token_id"].get<int32_t>();
  config.erase("eos_token_id");
  target.write("config.json", config);
  target.write("generation_config.json", json::object());
  PairOptions options;
  options.target_dir = target.path();
  const Result<Pair> pair = open_pair(options);
  ASSERT_TRUE(pair) << pair.error();
  EXPECT_THAT(pair->eos_ids, testing::ElementsAre(end));
  target.write("tokenizer_config.json", json::object());
  const Result<Pair> endless = open_pair(options);
  ASSERT_TRUE(endless) << endless.error();
  EXPECT_THAT(endless->eos_ids, testing::IsEmpty());
}

}  // namespace
}  // namespace draftscope
