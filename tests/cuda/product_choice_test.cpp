// Which implementation of a product wins, and the file that remembers it.
#include "kernels/cuda/product_choice.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/temp_folder.h"

namespace draftscope::cuda {
namespace {

const ChoicesHoldFor kHere = {"Some GPU", 13000, 130002};
const Algorithm kSome = {1, 0, 3, 0xffffffffffffffff, 5, 6, 7, 0x8000000000000000};
const ProductChoices kChoices = {{{1024, 4096, 128}, kSome}, {{1024, 4096, 512}, std::nullopt}};

TEST(ProductChoice, RowsAreTimedInStepsOf64AndThenOfPowersOfTwo) {
  for (const auto& [rows, bucket] : {std::pair{65, 128}, {128, 128}, {129, 192}, {512, 512}, {513, 1024}, {1024, 1024},
                                     {1025, 2048}})
    EXPECT_EQ(row_bucket(rows), bucket) << rows;
}

TEST(ProductChoice, TheLeastTimeWinsAndTheFirstOfEqualOnes) {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  const auto winner = [](std::vector<double> seconds) { return fastest(seconds); };
  EXPECT_EQ(winner({3, 2, 1}), 2u);
  EXPECT_EQ(winner({1, 2, 1}), 0u);
  EXPECT_EQ(winner({2, kNever, 1, 1}), 2u);
  EXPECT_EQ(winner({7}), 0u);
  EXPECT_EQ(winner({kNever, kNever}), 0u);
}

TEST(ProductChoice, AFileGivesBackWhatWasKept) {
  const Result<ProductChoices> read = parse_choices(choices_json(kHere, kChoices), "file", kHere);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, kChoices);
  const Result<ProductChoices> none = parse_choices(choices_json(kHere, {}), "file", kHere);
  ASSERT_TRUE(none) << none.error();
  EXPECT_TRUE(none->empty());
}

TEST(ProductChoice, TimesOfAnotherGpuDriverOrLibraryAreRefusedInOneSentence) {
  for (const ChoicesHoldFor& other : {ChoicesHoldFor{"Other", 13000, 130002}, ChoicesHoldFor{"Some GPU", 12080, 130002},
                                      ChoicesHoldFor{"Some GPU", 13000, 120900}}) {
    const Result<ProductChoices> read = parse_choices(choices_json(other, kChoices), "file", kHere);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error(), fmt::format("file: expected times of Some GPU with driver 13000 and cuBLASLt 130002, found "
                                        "those of {} with driver {} and cuBLASLt {}",
                                        other.gpu, other.driver, other.library));
  }
}

TEST(ProductChoice, EveryCutAndEveryWrongValueIsRefused) {
  const std::string whole = choices_json(kHere, kChoices);
  for (size_t n = 0; n + 2 < whole.size(); ++n) EXPECT_FALSE(parse_choices(whole.substr(0, n), "file", kHere)) << n;
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = whole;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return parse_choices(text.replace(at, from.size(), to), "file", kHere);
  };
  EXPECT_TRUE(with("\"rows\": 128", "\"rows\": 192"));
  EXPECT_FALSE(with("\"rows\": 128", "\"rows\": 100"));  // no bucket
  EXPECT_FALSE(with("\"rows\": 128", "\"rows\": 0"));
  EXPECT_FALSE(with("\"rows\": 128", "\"rows\": -64"));
  EXPECT_FALSE(with("\"rows\": 128", "\"rows\": \"128\""));
  EXPECT_FALSE(with("\"n_in\": 1024", "\"n_in\": 1e30"));
  EXPECT_FALSE(with("\"format\": 1", "\"format\": 2"));
  EXPECT_FALSE(with("\"choices\"", "\"chosen\""));
  EXPECT_FALSE(with("0000000000000001", "000000000000000g"));
  EXPECT_FALSE(with("0000000000000001", "00000000000000001"));
}

TEST(ProductChoice, AFileThatCannotBeUsedIsSaidAndAMissingOneIsNot) {
  const TempFolder folder;
  EXPECT_EQ(load_choices("", kHere).note, "");
  EXPECT_EQ(load_choices(folder / "none.json", kHere).note, "");
  folder.write("kept.json", choices_json(kHere, kChoices));
  EXPECT_EQ(load_choices(folder / "kept.json", kHere).note, "");
  EXPECT_EQ(load_choices(folder / "kept.json", kHere).choices, kChoices);
  folder.write("kept.json", "{");
  const KeptChoices damaged = load_choices(folder / "kept.json", kHere);
  EXPECT_TRUE(damaged.choices.empty());
  EXPECT_NE(damaged.note.find("kept.json"), std::string::npos) << damaged.note;
  EXPECT_NE(damaged.note.find("; products are timed again"), std::string::npos) << damaged.note;
  EXPECT_EQ(damaged.note.find('\n'), std::string::npos) << damaged.note;
}

TEST(ProductChoice, AFileIsNamedAfterTheGpu) {
  EXPECT_EQ(choices_path("", "Some GPU"), "");
  EXPECT_EQ(choices_path("/cache", "Some GPU/../x"), "/cache/products/Some_GPU____x.json");
}

}  // namespace
}  // namespace draftscope::cuda
