#include "engine/model/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/temp_folder.h"

namespace draftscope {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

json good_target() {
  return json{{"architectures", {"Qwen3ForCausalLM"}},
              {"model_type", "qwen3"},
              {"hidden_size", 64},
              {"intermediate_size", 160},
              {"num_attention_heads", 4},
              {"num_key_value_heads", 2},
              {"head_dim", 16},
              {"rms_norm_eps", 1e-6},
              {"rope_theta", 1e6},
              {"num_hidden_layers", 6},
              {"vocab_size", 1000},
              {"max_position_embeddings", 512},
              {"tie_word_embeddings", true},
              {"eos_token_id", 7}};
}

json good_drafter() {
  json config = good_target();
  config["architectures"] = {"DFlashDraftModel"};
  config["num_hidden_layers"] = 2;
  config["num_target_layers"] = 6;
  config["block_size"] = 8;
  config["dflash_config"] = {{"mask_token_id", 999}, {"target_layer_ids", {1, 3}}};
  return config;
}

Result<TargetConfig> read_target(const json& config) {
  const TempFolder folder;
  folder.write("config.json", config.dump());
  return read_target_config(folder.path());
}

Result<DrafterConfig> read_drafter(const json& config) {
  const Result<TargetConfig> target = read_target(good_target());
  EXPECT_TRUE(target.ok());
  const TempFolder folder;
  folder.write("config.json", config.dump());
  return read_drafter_config(folder.path(), *target);
}

// The change must be refused in one sentence that holds `part`.
void expect_refused(const auto& result, const std::string& part) {
  ASSERT_FALSE(result.ok()) << "accepted, expected: " << part;
  EXPECT_THAT(result.error(), HasSubstr("config.json"));
  EXPECT_THAT(result.error(), HasSubstr(part));
  EXPECT_EQ(result.error().find('\n'), std::string::npos);
}

TEST(TargetConfigTest, GoodConfigIsReadWhole) {
  const auto config = read_target(good_target());
  ASSERT_TRUE(config.ok()) << config.error();
  EXPECT_EQ(config->layer.hidden, 64);
  EXPECT_EQ(config->layer.intermediate, 160);
  EXPECT_EQ(config->layer.n_heads, 4);
  EXPECT_EQ(config->layer.n_kv_heads, 2);
  EXPECT_EQ(config->layer.head_dim, 16);
  EXPECT_EQ(config->n_layers, 6);
  EXPECT_EQ(config->vocab, 1000);
  EXPECT_EQ(config->max_positions, 512);
  EXPECT_TRUE(config->tied_embeddings);
  EXPECT_THAT(config->eos_ids, ElementsAre(7));
}

TEST(TargetConfigTest, DefaultsFollowFromOtherKeys) {
  json config = good_target();
  for (const char* key : {"num_key_value_heads", "head_dim", "max_position_embeddings", "tie_word_embeddings",
                          "eos_token_id"}) {
    config.erase(key);
  }
  const auto read = read_target(config);
  ASSERT_TRUE(read.ok()) << read.error();
  EXPECT_EQ(read->layer.n_kv_heads, 4);
  EXPECT_EQ(read->layer.head_dim, 16);  // hidden / heads
  EXPECT_FALSE(read->tied_embeddings);
  EXPECT_TRUE(read->eos_ids.empty());
}

TEST(TargetConfigTest, EndTokensOfBothFilesAreJoined) {
  const TempFolder folder;
  folder.write("config.json", good_target().dump());
  folder.write("generation_config.json", R"({"eos_token_id": [9, 7, 3]})");
  const auto config = read_target_config(folder.path());
  ASSERT_TRUE(config.ok()) << config.error();
  EXPECT_THAT(config->eos_ids, ElementsAre(3, 7, 9));
  folder.write("generation_config.json", R"({"eos_token_id": 1000})");
  EXPECT_FALSE(read_target_config(folder.path()).ok());
}

TEST(TargetConfigTest, RopeThetaIsFoundInNewerFiles) {
  json config = good_target();
  config.erase("rope_theta");
  config["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 5e5}};
  const auto read = read_target(config);
  ASSERT_TRUE(read.ok()) << read.error();
  EXPECT_EQ(read->layer.rope_theta, 5e5);
}

TEST(TargetConfigTest, MissingKeysAreNamed) {
  for (const char* key :
       {"hidden_size", "intermediate_size", "num_attention_heads", "num_hidden_layers", "vocab_size"}) {
    json config = good_target();
    config.erase(key);
    expect_refused(read_target(config), std::string("missing key \"") + key + '"');
  }
}

TEST(TargetConfigTest, WrongTypesAndHugeSizesAreRefusedByKey) {
  const json wrong[] = {"64", 64.5, -1, json::array(), json::object(), true, 1e300, 9007199254740993};
  for (const char* key : {"hidden_size", "intermediate_size", "num_attention_heads", "num_key_value_heads",
                          "head_dim", "num_hidden_layers", "vocab_size", "max_position_embeddings"}) {
    for (const json& value : wrong) {
      json config = good_target();
      config[key] = value;
      expect_refused(read_target(config), key);
    }
  }
  for (const char* key :
       {"rms_norm_eps", "rope_theta", "tie_word_embeddings", "use_sliding_window", "hidden_act"}) {
    json config = good_target();
    config[key] = json::array({1});
    expect_refused(read_target(config), key);
  }
}

TEST(TargetConfigTest, UnsupportedArchitecturesAreRefusedByKey) {
  const std::pair<const char*, json> changes[] = {{"model_type", "llama"},
                                                  {"architectures", {"LlamaForCausalLM"}},
                                                  {"attention_bias", true},
                                                  {"hidden_act", "gelu"},
                                                  {"use_sliding_window", true},
                                                  {"num_key_value_heads", 3},
                                                  {"head_dim", 12},
                                                  {"rope_theta", -5},
                                                  {"rope_theta", 0},
                                                  {"rms_norm_eps", -1.0},
                                                  {"rms_norm_eps", 2.0},
                                                  {"rope_scaling", {{"rope_type", "yarn"}}},
                                                  {"rope_scaling", 5},
                                                  {"rope_scaling", {{"type", "linear"}}},
                                                  {"eos_token_id", 1000},
                                                  {"eos_token_id", "end"},
                                                  {"eos_token_id", {1, -1}}};
  for (const auto& [key, value] : changes) {
    json config = good_target();
    config[key] = value;
    expect_refused(read_target(config), key);
  }
}

TEST(TargetConfigTest, BadFilesGiveOneSentence) {
  expect_refused(read_target_config("/nowhere"), "cannot open");
  const TempFolder folder;
  for (const char* text : {"", "{", "[]", "5", "\"x\"", "null", "{\"model_type\": }"}) {
    folder.write("config.json", text);
    const auto read = read_target_config(folder.path());
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_THAT(read.error(), HasSubstr("config.json"));
  }
  folder.write("config.json", std::string(100000, '['));
  EXPECT_THAT(read_target_config(folder.path()).error(), HasSubstr("nested"));
  EXPECT_FALSE(read_target_config(std::string(10000, 'x')).ok());  // a path too long for the system
}

TEST(DrafterConfigTest, GoodConfigIsReadWhole) {
  const auto config = read_drafter(good_drafter());
  ASSERT_TRUE(config.ok()) << config.error();
  EXPECT_EQ(config->n_layers, 2);
  EXPECT_EQ(config->block_size, 8);
  EXPECT_EQ(config->mask_token_id, 999);
  EXPECT_THAT(config->target_layer_ids, ElementsAre(1, 3));
  EXPECT_THAT(config->sliding_window, ElementsAre(0, 0));
}

TEST(DrafterConfigTest, SlidingWindowsFollowLayerTypes) {
  json config = good_drafter();
  config["layer_types"] = {"sliding_attention", "full_attention"};
  config["sliding_window"] = 128;
  const auto read = read_drafter(config);
  ASSERT_TRUE(read.ok()) << read.error();
  EXPECT_THAT(read->sliding_window, ElementsAre(128, 0));
}

TEST(DrafterConfigTest, LayerIdsDefaultToAnEvenSpread) {
  json config = good_drafter();
  config["dflash_config"].erase("target_layer_ids");
  const auto read = read_drafter(config);
  ASSERT_TRUE(read.ok()) << read.error();
  EXPECT_THAT(read->target_layer_ids, ElementsAre(1, 3));  // from layer 1 to layer 6 - 3
}

TEST(DrafterConfigTest, MismatchWithTheTargetIsRefusedByKey) {
  const std::pair<const char*, json> changes[] = {{"hidden_size", 128},
                                                  {"num_target_layers", 7},
                                                  {"vocab_size", 999},
                                                  {"architectures", {"Qwen3ForCausalLM"}},
                                                  {"block_size", 1},
                                                  {"block_size", 257},
                                                  {"layer_types", {"full_attention"}},
                                                  {"layer_types", {"a", "b"}},
                                                  {"layer_types", {1, 2}},
                                                  {"dflash_config", 3},
                                                  {"input_embedding_scale", 2.0}};
  for (const auto& [key, value] : changes) {
    json config = good_drafter();
    config[key] = value;
    expect_refused(read_drafter(config), key);
  }
  const std::pair<const char*, json> inner[] = {
      {"mask_token_id", 1000},      {"mask_token_id", "x"},
      {"target_layer_ids", {6}},    {"target_layer_ids", json::array()},
      {"target_layer_ids", {-1}},   {"target_layer_ids", {3, 1}},
      {"target_layer_ids", {1, 1}}, {"target_layer_ids", 1},
      {"causal_head", true},        {"conv_kernel_size", 3},
      {"output_multiplier", 0.5},   {"final_logit_softcapping", 30}};
  for (const auto& [key, value] : inner) {
    json config = good_drafter();
    config["dflash_config"][key] = value;
    expect_refused(read_drafter(config), key);
  }
  json config = good_drafter();
  config.erase("dflash_config");
  expect_refused(read_drafter(config), "dflash_config");
}

}  // namespace
}  // namespace draftscope
