#include "ui/view/token_label.h"

#include <gtest/gtest.h>

#include <array>
#include <utility>

namespace draftscope::test {
namespace {

TEST(TokenLabel, WhiteSpaceControlsAndFragmentsAreVisible) {
  const std::array<std::pair<std::string_view, std::string_view>, 12> cases = {{
      {" the", "␣the"},
      {"\n\n", "↵↵"},
      {"\ta\r", "⇥a␍"},
      {"naïve 世界", "naïve␣世界"},
      {std::string_view("\0", 1), "<U+0000>"},
      {"\x1b[0m", "<U+001B>[0m"},
      {"\u200b", "<U+200B>"},
      {"\u202eabc", "<U+202E>abc"},
      {"\xE4\xBD", "<E4><BD>"},
      {"a\x80z", "a<80>z"},
      {"\u00a0", "<U+00A0>"},
      {"🙂", "🙂"},
  }};
  for (const auto& [bytes, label] : cases) EXPECT_EQ(token_label(bytes), label);
}

TEST(TokenLabel, PrintableTextStaysAsItIs) {
  for (const std::string text : {"def", "</s>", "été", "你好", "#17", "e\u0301"})
    EXPECT_EQ(token_label(text), text);
}

TEST(TokenLabel, LabelsHoldNoByteBelowSpace) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    for (const char out : token_label(std::string_view(&c, 1)))
      EXPECT_GT(static_cast<unsigned char>(out), 0x20u) << byte;
  }
}

TEST(TokenLabel, UnknownTokensShowTheirNumber) {
  const TokenText text = TokenText::of({5}, [](int32_t) { return std::string(" a"); });
  EXPECT_EQ(token_label(text, 5), "␣a");
  EXPECT_EQ(token_label(text, 6), "#6");
}

TEST(TokenLabel, CellsCountWideAndCombiningCharacters) {
  EXPECT_EQ(label_cells("abc"), 3);
  EXPECT_EQ(label_cells("世界"), 4);
  EXPECT_EQ(label_cells("e\u0301"), 1);
  EXPECT_EQ(label_cells("🙂"), 2);
  EXPECT_EQ(label_cells("\xff"), 1);
  EXPECT_EQ(label_cells(""), 0);
}

TEST(TokenLabel, ElidedLabelsFitAndShowIt) {
  EXPECT_EQ(elide("verification", 12), "verification");
  EXPECT_EQ(elide("verification", 5), "veri…");
  EXPECT_EQ(elide("世界世界", 4), "世…");
  EXPECT_EQ(elide("abc", 1), "…");
  for (int cells = 1; cells < 20; ++cells)
    EXPECT_LE(label_cells(elide("a世b界c\u0301 verification", cells)), cells);
}

TEST(TokenLabel, ElidedLabelsFitAMeasuredWidth) {
  const auto width_of = [](std::string_view text) {  // of proportional letters
    float width = 0;
    for (const char c : text) width += c == 'i' ? 0.5f : c == 'm' ? 1.5f : 1.0f;
    return width;
  };
  EXPECT_EQ(elide("immi", 4, width_of), "immi") << "as wide as its room";
  EXPECT_EQ(elide("iiiimmmm", 5, width_of), "iiii…") << "… is three bytes here";
  EXPECT_EQ(elide("mmmm", 5, width_of), "m…");
  EXPECT_EQ(elide("mmmm", 1, width_of), "…");
}

}  // namespace
}  // namespace draftscope::test
