// Data dtypes are parsed, but never taken for weights.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "engine/model/safetensors.h"
#include "tests/temp_folder.h"

namespace draftscope {
namespace {

// One tensor "x" of shape [2] whose four-byte elements hold 1 and 2 as `dtype` says.
std::string one_tensor_file(const std::string& dtype, size_t element_bytes) {
  const std::string header =
      fmt::format(R"({{"x":{{"dtype":"{}","shape":[2],"data_offsets":[0,{}]}}}})", dtype, 2 * element_bytes);
  const uint64_t header_bytes = header.size();
  std::string file(sizeof(header_bytes), '\0');
  std::memcpy(file.data(), &header_bytes, sizeof(header_bytes));
  return file + header + std::string(2 * element_bytes, '\1');
}

TEST(WeightDtype, EveryListedDtypeIsParsed) {
  const std::tuple<const char*, DType, size_t> cases[] = {
      {"F32", DType::kF32, 4}, {"F16", DType::kF16, 2}, {"BF16", DType::kBf16, 2},
      {"F64", DType::kF64, 8}, {"I64", DType::kI64, 8}, {"I32", DType::kI32, 4},
      {"I16", DType::kI16, 2}, {"U8", DType::kU8, 1},   {"BOOL", DType::kBool, 1}};
  for (const auto& [text, dtype, n_bytes] : cases) {
    const std::string file = one_tensor_file(text, n_bytes);
    const auto tensors = parse_safetensors(std::as_bytes(std::span(file)), "file");
    ASSERT_TRUE(tensors.ok()) << text;
    ASSERT_EQ(tensors->count("x"), 1u) << text;
    EXPECT_EQ(tensors->at("x").dtype, dtype) << text;
    EXPECT_EQ(size_bytes(dtype), n_bytes) << text;
    EXPECT_EQ(tensors->at("x").bytes.size(), 2 * n_bytes) << text;
  }
}

TEST(WeightDtype, CheckpointRefusesTensorsThatAreNoWeights) {
  const TempFolder folder;
  for (const auto& [text, n_bytes, accepted] :
       {std::tuple{"I32", 4, false}, std::tuple{"F64", 8, false}, std::tuple{"BF16", 2, true}}) {
    folder.write("model.safetensors", one_tensor_file(text, static_cast<size_t>(n_bytes)));
    const Result<Checkpoint> checkpoint = Checkpoint::open(folder.path());
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.error();
    const Result<Tensor> tensor = checkpoint->get("x", {2});
    EXPECT_EQ(tensor.ok(), accepted) << text;
    if (!accepted) {
      EXPECT_THAT(tensor.error(), ::testing::HasSubstr("x: expected f32, f16 or bf16 weights, found"));
    }
  }
}

}  // namespace
}  // namespace draftscope
