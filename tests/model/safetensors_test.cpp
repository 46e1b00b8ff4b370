#include "engine/model/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "tests/temp_folder.h"

namespace draftscope {
namespace {

using testing::HasSubstr;

// A safetensors image: length of the header, header, data.
std::string image(const std::string& header, const std::string& data) {
  const uint64_t n = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &n, 8);
  return bytes + header + data;
}

std::string good_image() {
  return image(R"({"__metadata__":{"format":"pt"},)"
               R"("a":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]},)"
               R"("b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]},)"
               R"("empty":{"dtype":"F16","shape":[0,4],"data_offsets":[20,20]}})",
               std::string("\1\2\3\4\5\6\7\10\11\12\13\14", 12) + std::string(8, 'x'));
}

auto parse(const std::string& bytes) { return parse_safetensors(std::as_bytes(std::span(bytes)), "file"); }

void expect_refused(const std::string& bytes, const std::string& part) {
  const auto parsed = parse(bytes);
  ASSERT_FALSE(parsed.ok()) << "accepted, expected: " << part;
  EXPECT_THAT(parsed.error(), HasSubstr("file"));
  EXPECT_THAT(parsed.error(), HasSubstr(part));
  EXPECT_EQ(parsed.error().find('\n'), std::string::npos);
}

std::string one_tensor(const std::string& entry, size_t n_data = 16) {
  return image("{\"a\":" + entry + "}", std::string(n_data, 'x'));
}

TEST(SafetensorsTest, GoodFileGivesViews) {
  const std::string bytes = good_image();
  const auto tensors = parse(bytes);
  ASSERT_TRUE(tensors.ok()) << tensors.error();
  ASSERT_EQ(tensors->size(), 3u);
  const Tensor& a = tensors->at("a");
  EXPECT_EQ(a.dtype, DType::kBf16);
  EXPECT_EQ(a.shape, (Shape{2, 3}));
  ASSERT_EQ(a.bytes.size(), 12u);
  EXPECT_EQ(static_cast<int>(a.bytes[0]), 1);
  EXPECT_EQ(reinterpret_cast<const char*>(a.bytes.data()), bytes.data() + bytes.size() - 20);
  EXPECT_TRUE(tensors->at("empty").bytes.empty());
}

TEST(SafetensorsTest, EveryTruncationIsRefused) {
  const std::string bytes = good_image();
  for (size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(parse(bytes.substr(0, n)).ok()) << n << " bytes";
}

TEST(SafetensorsTest, EveryHeaderBitFlipIsRefusedOrHarmless) {
  const std::string good = good_image();
  int n_refused = 0;
  for (size_t bit = 0; bit < (good.size() - 20) * 8; ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    const auto tensors = parse(bytes);
    if (!tensors.ok()) {
      EXPECT_FALSE(tensors.error().empty());
      ++n_refused;
      continue;
    }
    for (const auto& [name, tensor] :
         *tensors) {  // whatever was read lies inside the file and fits its shape
      uint64_t n_elements = 1;
      for (const int64_t size : tensor.shape) n_elements *= static_cast<uint64_t>(size);
      ASSERT_EQ(tensor.bytes.size(), n_elements * size_bytes(tensor.dtype));
      if (tensor.bytes.empty()) continue;
      ASSERT_GE(reinterpret_cast<const char*>(tensor.bytes.data()), bytes.data() + 8);
      ASSERT_LE(reinterpret_cast<const char*>(tensor.bytes.data()) + tensor.bytes.size(),
                bytes.data() + bytes.size());
    }
  }
  EXPECT_GT(n_refused, 500);
}

TEST(SafetensorsTest, BadEntriesAreRefusedByName) {
  expect_refused("", "only 0 bytes");
  expect_refused(std::string(8, '\xff'), "does not fit");
  expect_refused(image("[1]", ""), "JSON object");
  expect_refused(image("{", ""), "not valid JSON");
  expect_refused(image("{\"a\":\xff}", ""), "not valid JSON");
  expect_refused(one_tensor("5"), "expected an object");
  expect_refused(one_tensor(R"({"shape":[4],"data_offsets":[0,8]})"), "missing key \"dtype\"");
  expect_refused(one_tensor(R"({"dtype":"BF16","data_offsets":[0,8]})"), "missing key \"shape\"");
  expect_refused(one_tensor(R"({"dtype":"BF16","shape":[4]})"), "missing key \"data_offsets\"");
  expect_refused(one_tensor(R"({"dtype":"Q4","shape":[4],"data_offsets":[0,8]})"), "found \"Q4\"");
  expect_refused(one_tensor(R"({"dtype":"BF16","shape":[-4],"data_offsets":[0,8]})"), "whole number");
  expect_refused(one_tensor(R"({"dtype":"BF16","shape":[4.5],"data_offsets":[0,8]})"), "whole number");
  expect_refused(one_tensor(R"({"dtype":"BF16","shape":4,"data_offsets":[0,8]})"), "shape");
  expect_refused(one_tensor(R"({"dtype":"BF16","shape":[1,1,1,1,1,1,1,1,4],"data_offsets":[0,8]})"),
                 "at most 8");
  expect_refused(one_tensor(R"({"dtype":"BF16","shape":[1099511627776,1099511627776],"data_offsets":[0,8]})"),
                 "larger than");
  expect_refused(
      one_tensor(R"({"dtype":"BF16","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,0]})"),
      "larger than");
  expect_refused(one_tensor(R"({"dtype":"BF16","shape":[4],"data_offsets":[0,9]})"), "needs 8 bytes");
  expect_refused(one_tensor(R"({"dtype":"BF16","shape":[4],"data_offsets":[8,0]})"), "data_offsets[1]");
  expect_refused(one_tensor(R"({"dtype":"BF16","shape":[4],"data_offsets":[10,18]})"), "data_offsets[1]");
  expect_refused(one_tensor(R"({"dtype":"BF16","shape":[4],"data_offsets":[-8,0]})"), "data_offsets[0]");
  expect_refused(one_tensor(R"({"dtype":"BF16","shape":[4],"data_offsets":[0]})"), "[begin, end]");
}

TEST(SafetensorsTest, OverlappingTensorsAreRefused) {
  expect_refused(image(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                       R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
                       std::string(12, 'x')),
                 "tensors a and b overlap");
}

TEST(CheckpointTest, OneFileOpensAndShapesAreChecked) {
  const TempFolder folder;
  folder.write("model.safetensors", good_image());
  const auto checkpoint = Checkpoint::open(folder.path());
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.error();
  EXPECT_TRUE(checkpoint->get("a", {2, 3}).ok());
  EXPECT_THAT(checkpoint->get("a", {3, 2}).error(), HasSubstr("expected shape [3, 2], found [2, 3]"));
  EXPECT_THAT(checkpoint->get("c", {1}).error(), HasSubstr("tensor c"));
}

TEST(CheckpointTest, ShardsAreJoinedAndDuplicatesRefused) {
  const TempFolder folder;
  const std::string entry = R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  folder.write("one.safetensors", image("{\"x\":" + entry + "}", "1234"));
  folder.write("two.safetensors", image("{\"y\":" + entry + "}", "5678"));
  folder.write("model.safetensors.index.json",
               R"({"weight_map":{"x":"one.safetensors","y":"two.safetensors"}})");
  const auto checkpoint = Checkpoint::open(folder.path());
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.error();
  EXPECT_EQ(std::memcmp(checkpoint->get("y", {1})->bytes.data(), "5678", 4), 0);
  folder.write("two.safetensors", image("{\"x\":" + entry + "}", "5678"));
  EXPECT_THAT(Checkpoint::open(folder.path()).error(), HasSubstr("more than one shard"));
}

TEST(CheckpointTest, BadIndexesAndMissingShardsAreNamed) {
  const TempFolder folder;
  EXPECT_THAT(Checkpoint::open(folder.path()).error(), HasSubstr("model.safetensors: cannot open"));
  const std::pair<const char*, const char*> cases[] = {
      {R"({"weight_map":{"x":"gone.safetensors"}})", "gone.safetensors: cannot open"},
      {"{}", "weight_map"},
      {"", "not valid JSON"},
      {R"({"weight_map":[]})", "weight_map"},
      {R"({"weight_map":{}})", "weight_map"},
      {R"({"weight_map":{"x":5}})", "weight_map.x"},
      {R"({"weight_map":{"x":"../secret"}})", "same folder"},
      {R"({"weight_map":{"x":"/etc/passwd"}})", "same folder"},
      {R"({"weight_map":{"x":""}})", "same folder"}};
  for (const auto& [text, part] : cases) {
    folder.write("model.safetensors.index.json", text);
    const auto checkpoint = Checkpoint::open(folder.path());
    ASSERT_FALSE(checkpoint.ok()) << text;
    EXPECT_THAT(checkpoint.error(), HasSubstr(part));
  }
  EXPECT_FALSE(Checkpoint::open(std::string(10000, 'x')).ok());
}

}  // namespace
}  // namespace draftscope
