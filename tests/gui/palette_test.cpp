// Contrast of the colours, by the ratio of WCAG 2: words 4.5 to 1 on every ground that they stand on, marks 3
// to 1.
#include "ui/gui/palette.h"

#include <gtest/gtest.h>
#include <implot.h>

#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "engine/record/policies.h"
#include "ui/gui/gui_context.h"
#include "ui/gui/lab_panels.h"
#include "ui/gui/theme.h"
#include "ui/gui/tree_draw.h"

namespace draftscope::test {
namespace {

constexpr double kWords = 4.5, kMarks = 3;

struct Named {
  const char* name;
  ImU32 colour;
};

const std::array<std::pair<const char*, const Palette*>, 2> kPalettes = {
    {{"dark", &kDarkPalette}, {"light", &kLightPalette}}};

double luminance(ImU32 colour) {
  const auto linear = [&](int shift) {
    const double c = (colour >> shift & 255) / 255.0;
    return c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(IM_COL32_R_SHIFT) + 0.7152 * linear(IM_COL32_G_SHIFT) +
         0.0722 * linear(IM_COL32_B_SHIFT);
}

/// `colour` as it looks over an opaque ground.
ImU32 over(ImU32 ground, ImU32 colour) {
  const float alpha = static_cast<float>(colour >> IM_COL32_A_SHIFT & 255) / 255;
  return blend(ground, colour | IM_COL32_A_MASK, alpha) | IM_COL32_A_MASK;
}

double contrast(ImU32 colour, ImU32 ground) {
  const double a = luminance(over(ground, colour)) + 0.05, b = luminance(ground) + 0.05;
  return a > b ? a / b : b / a;
}

void expect_contrast(double least, const std::vector<Named>& colours, const std::vector<Named>& grounds,
                     const std::string& theme) {
  for (const Named& ground : grounds) {
    for (const Named& colour : colours)
      EXPECT_GE(contrast(colour.colour, ground.colour), least)
          << theme << ": " << colour.name << " on " << ground.name;
  }
}

TEST(Palette, BlackOnWhiteIsTwentyOneToOne) {
  EXPECT_NEAR(contrast(rgb(0), rgb(0xffffff)), 21, 0.01);
  EXPECT_NEAR(contrast(rgb(0x777777), rgb(0xffffff)), 4.48, 0.01);
  EXPECT_NEAR(contrast(with_alpha(rgb(0), 0.5f), rgb(0xffffff)), contrast(rgb(0x808080), rgb(0xffffff)), 0.1);
}

TEST(Palette, WordsAreReadable) {
  for (const auto& [name, p] : kPalettes) {
    // What is written in its own colour: sentences, names of curves and of budgets.
    expect_contrast(kWords,
                    {{"text", p->text},
                     {"dim text", p->text_dim},
                     {"warning", p->warning},
                     {"tokens", p->tokens},
                     {"cost", p->cost},
                     {"theta", p->theta},
                     {"chosen", p->chosen},
                     {"faithful", p->faithful},
                     {"best", p->best},
                     {"runner-up", p->runner_up},
                     {"root", p->root}, {"bonus", p->bonus}},
                    {{"panel", p->panel}, {"window", p->window}}, name);
  }
}

TEST(Palette, MarksAreSeen) {
  for (const auto& [name, p] : kPalettes) {
    expect_contrast(kMarks,
                    {{"root", p->root},
                     {"accepted", p->accepted},
                     {"bonus", p->bonus},
                     {"rejected", p->rejected},
                     {"candidate", with_alpha(p->candidate, kCandidateAlpha)},
                     {"draft", p->draft},
                     {"grow", p->grow},
                     {"verify", p->verify},
                     {"accept", p->accept},
                     {"commit", p->commit},
                     {"selected", p->selected}},
                    {{"panel", p->panel}, {"window", p->window}}, name);
  }
}

TEST(Palette, EveryShadeOfACellCarriesItsWordsAndMarks) {
  for (const auto& [name, p] : kPalettes) {
    EXPECT_EQ(heat_of(*p, 0), p->panel);
    EXPECT_EQ(heat_of(*p, 1), p->heat);
    for (double q = 0; q <= 1; q += 0.05) {
      const std::vector<Named> ground = {{"heat", heat_of(*p, q)}};
      const std::string where = std::string(name) + " at q " + std::to_string(q);
      expect_contrast(kWords, {{"text", p->text}}, ground, where);
      expect_contrast(kMarks, {{"accepted", p->accepted}, {"rejected", p->rejected}, {"dashes", p->text_dim}},
                      ground, where);
    }
  }
}

TEST(Palette, HatchesAreSeenOnWhatTheyFill) {
  for (const auto& [name, p] : kPalettes) {
    expect_contrast(kMarks, {{"hatch", hatch_ink(*p)}},
                    {{"draft", p->draft},
                     {"grow", p->grow},
                     {"verify", p->verify},
                     {"accept", p->accept},
                     {"commit", p->commit},
                     {"rejected", p->rejected},
                     {"faithful", p->faithful},
                     {"candidate", p->candidate}},
                    name);
    // What is extrapolated, or not computed yet, is hatched on the bare ground.
    expect_contrast(kMarks, {{"hatch", p->candidate}}, {{"panel", p->panel}, {"window", p->window}}, name);
  }
}

/// The look in force, by slot.
class ThemeTest : public ::testing::TestWithParam<Theme> {
 protected:
  ThemeTest() { apply_theme(GetParam(), 1); }
  static ImU32 slot(ImGuiCol at) { return ImGui::ColorConvertFloat4ToU32(ImGui::GetStyle().Colors[at]); }
  std::string name_ = GetParam() == Theme::kLight ? "light" : "dark";

 private:
  GuiContext gui_{1.0f};
};

TEST_P(ThemeTest, WidgetsAreReadableInEveryState) {
  const ImU32 panel = slot(ImGuiCol_WindowBg);
  for (const ImGuiCol ground : {ImGuiCol_WindowBg,          ImGuiCol_PopupBg,       ImGuiCol_MenuBarBg,
                                ImGuiCol_TitleBg,           ImGuiCol_TitleBgActive, ImGuiCol_FrameBg,
                                ImGuiCol_FrameBgHovered,    ImGuiCol_FrameBgActive, ImGuiCol_Button,
                                ImGuiCol_ButtonHovered,     ImGuiCol_ButtonActive,  ImGuiCol_Header,
                                ImGuiCol_HeaderHovered,     ImGuiCol_HeaderActive,  ImGuiCol_Tab,
                                ImGuiCol_TabHovered,        ImGuiCol_TabSelected,   ImGuiCol_TabDimmed,
                                ImGuiCol_TabDimmedSelected, ImGuiCol_TableHeaderBg, ImGuiCol_SliderGrab,
                                ImGuiCol_SliderGrabActive,  ImGuiCol_TextSelectedBg}) {
    const ImU32 below = over(slot(ImGuiCol_FrameBg), slot(ground));
    EXPECT_GE(contrast(slot(ImGuiCol_Text), below), kWords)
        << name_ << ": text on " << ImGui::GetStyleColorName(ground);
  }
  for (const ImGuiCol ground : {ImGuiCol_WindowBg, ImGuiCol_PopupBg, ImGuiCol_MenuBarBg, ImGuiCol_FrameBg}) {
    EXPECT_GE(contrast(slot(ImGuiCol_TextDisabled), slot(ground)), kWords)
        << name_ << ": " << ImGui::GetStyleColorName(ground);
  }
  const float faded = ImGui::GetStyle().DisabledAlpha;
  EXPECT_GE(contrast(with_alpha(slot(ImGuiCol_TextDisabled), faded), panel), kWords)
      << name_ << ": dim words, disabled";
  EXPECT_GE(contrast(slot(ImGuiCol_CheckMark), over(panel, slot(ImGuiCol_CheckboxSelectedBg))), kMarks)
      << name_;
}

TEST_P(ThemeTest, NamesOfPoliciesAreReadableInTheirColours) {
  for (const Policy& policy : policies())
    EXPECT_GE(contrast(policy_colour(policy.method), slot(ImGuiCol_WindowBg)), kWords)
        << name_ << ": " << policy.title;
}

TEST_P(ThemeTest, PlotsAreReadable) {
  const auto plot = [](ImPlotCol at) {
    return ImGui::ColorConvertFloat4ToU32(ImPlot::GetStyle().Colors[at]);
  };
  EXPECT_GE(contrast(plot(ImPlotCol_AxisText), slot(ImGuiCol_WindowBg)), kWords) << name_;
  EXPECT_GE(contrast(plot(ImPlotCol_Crosshairs), plot(ImPlotCol_PlotBg)), kMarks) << name_;
}

INSTANTIATE_TEST_SUITE_P(Themes, ThemeTest, ::testing::Values(Theme::kDark, Theme::kLight),
                         [](const auto& theme) { return theme.param == Theme::kLight ? "Light" : "Dark"; });

}  // namespace
}  // namespace draftscope::test
