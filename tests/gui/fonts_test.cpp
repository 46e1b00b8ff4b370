// Fonts are found or named as missing, never silently replaced.
#include "ui/gui/fonts.h"

#include <gtest/gtest.h>
#include <imgui.h>

#include <array>
#include <filesystem>

namespace draftscope::test {
namespace {

class GuiFonts : public ::testing::Test {
 protected:
  GuiFonts() : context_(ImGui::CreateContext()) {}
  ~GuiFonts() override { ImGui::DestroyContext(context_); }
  ImGuiContext* context_;
};

TEST_F(GuiFonts, MissingFontsAreNamedAndTheBuiltInOneIsUsed) {
  const std::array<std::string, 1> nowhere = {"/no/such/folder"};
  const std::string message = load_fonts(nowhere);
  for (const char* font : {"DejaVu Sans", "WenQuanYi Micro Hei"}) {
    EXPECT_NE(message.find(font), std::string::npos) << message;
  }
  EXPECT_EQ(ImGui::GetIO().Fonts->Fonts.Size, 1) << "what no panel draws with is not loaded";
}

TEST_F(GuiFonts, HanKanaAndHangulAreDrawnWhenTheFontIsInstalled) {
  if (const std::string message = load_fonts(); !message.empty()) GTEST_SKIP() << message;
  ImFont* text = ImGui::GetIO().Fonts->Fonts[0];
  for (const unsigned code : {0x4E2Du, 0x3042u, 0xD55Cu, 0x2192u, 0xE9u}) {
    EXPECT_TRUE(text->IsGlyphInFont(code)) << std::hex << code;
  }
}

}  // namespace
}  // namespace draftscope::test
