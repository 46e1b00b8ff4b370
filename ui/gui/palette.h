// The colours of the window, in one place. Hues are Okabe and Ito's (told apart with every common kind of
// colour blindness); nothing is said by colour alone, every state has a shape or a word too.
#pragma once

#include <imgui.h>

#include <algorithm>
#include <cmath>

namespace draftscope {

struct Palette {
  ImU32 window, panel, text, text_dim, line;
  ImU32 root, accepted, bonus, rejected, candidate;  // roles of tree nodes
  ImU32 tokens, cost, theta;                         // curves of the throughput panel
  ImU32 chosen, faithful, best, runner_up;           // its markers
  ImU32 draft, grow, verify, accept, commit;         // phases of a round
  ImU32 heat;                                        // q = 1 in the marginals grid; 0 is `panel`
  ImU32 selected, warning;
};

constexpr ImU32 rgb(unsigned hex) { return IM_COL32((hex >> 16) & 255, (hex >> 8) & 255, hex & 255, 255); }

inline constexpr Palette kDarkPalette = {.window = rgb(0x14171c),
                                         .panel = rgb(0x1b1f26),
                                         .text = rgb(0xe8eaed),
                                         .text_dim = rgb(0xa3abb6),
                                         .line = rgb(0x3a424e),
                                         .root = rgb(0x56b4e9),
                                         .accepted = rgb(0x2ac79b),
                                         .bonus = rgb(0xf0c04a),
                                         .rejected = rgb(0xe8743b),
                                         .candidate = rgb(0x7a8490),
                                         .tokens = rgb(0x56b4e9),
                                         .cost = rgb(0xe8743b),
                                         .theta = rgb(0x2ac79b),
                                         .chosen = rgb(0xf0c04a),
                                         .faithful = rgb(0xd98cb8),
                                         .best = rgb(0x2ac79b),
                                         .runner_up = rgb(0xa3abb6),
                                         .draft = rgb(0x56b4e9),
                                         .grow = rgb(0xd98cb8),
                                         .verify = rgb(0xe8743b),
                                         .accept = rgb(0xc2c8d0),
                                         .commit = rgb(0xf0e442),
                                         .heat = rgb(0x174b70),
                                         .selected = rgb(0xffffff),
                                         .warning = rgb(0xf0c04a)};

inline constexpr Palette kLightPalette = {.window = rgb(0xf3f4f6),
                                          .panel = rgb(0xffffff),
                                          .text = rgb(0x15181d),
                                          .text_dim = rgb(0x464d57),
                                          .line = rgb(0xa7afba),
                                          .root = rgb(0x0072b2),
                                          .accepted = rgb(0x00795a),
                                          .bonus = rgb(0x946200),
                                          .rejected = rgb(0xb84a00),
                                          .candidate = rgb(0x6f7783),
                                          .tokens = rgb(0x0072b2),
                                          .cost = rgb(0xb84a00),
                                          .theta = rgb(0x00795a),
                                          .chosen = rgb(0x946200),
                                          .faithful = rgb(0xa3467c),
                                          .best = rgb(0x00795a),
                                          .runner_up = rgb(0x555d68),
                                          .draft = rgb(0x0072b2),
                                          .grow = rgb(0xa3467c),
                                          .verify = rgb(0xb84a00),
                                          .accept = rgb(0x555d68),
                                          .commit = rgb(0x7a6a00),
                                          .heat = rgb(0xa3d3f2),
                                          .selected = rgb(0x000000),
                                          .warning = rgb(0x946200)};

/// The palette that suits the theme in force: light when the window's background is.
inline const Palette& palette() {
  const ImVec4& background = ImGui::GetStyleColorVec4(ImGuiCol_WindowBg);
  const float luminance = 0.3f * background.x + 0.6f * background.y + 0.1f * background.z;
  return luminance > 0.5f ? kLightPalette : kDarkPalette;
}

inline ImU32 with_alpha(ImU32 colour, float alpha) {
  const auto a = static_cast<ImU32>(alpha * static_cast<float>((colour >> IM_COL32_A_SHIFT) & 255));
  return (colour & ~IM_COL32_A_MASK) | (a << IM_COL32_A_SHIFT);
}

/// Black or white, whichever is told apart better on `ground` (by the contrast ratio of WCAG 2).
inline ImU32 ink_on(ImU32 ground) {
  const auto linear = [](float channel) {
    return channel <= 0.03928f ? channel / 12.92f : std::pow((channel + 0.055f) / 1.055f, 2.4f);
  };
  const ImVec4 c = ImGui::ColorConvertU32ToFloat4(ground);
  const float luminance = 0.2126f * linear(c.x) + 0.7152f * linear(c.y) + 0.0722f * linear(c.z);
  return luminance > 0.179f ? IM_COL32(10, 10, 20, 255) : IM_COL32(255, 255, 255, 255);
}

/// Colour at `t` in [0, 1] between two colours.
inline ImU32 blend(ImU32 from, ImU32 to, float t) {
  const ImVec4 a = ImGui::ColorConvertU32ToFloat4(from), b = ImGui::ColorConvertU32ToFloat4(to);
  return ImGui::ColorConvertFloat4ToU32(
      {a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t, a.z + (b.z - a.z) * t, a.w + (b.w - a.w) * t});
}

/// Ground of a cell that says `q`: marks and words on it are as readable as on a panel.
inline ImU32 heat_of(const Palette& colours, double q) {
  return blend(colours.panel, colours.heat, std::sqrt(static_cast<float>(std::clamp(q, 0.0, 1.0))));
}

/// Of the pattern over an area that is filled with a colour of the palette.
inline ImU32 hatch_ink(const Palette& colours) { return with_alpha(colours.window, 0.9f); }

}  // namespace draftscope
