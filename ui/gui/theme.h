// Theme: the look of the window around the panels. High contrast, rounded a little; colours from palette.h.
#pragma once

namespace draftscope {

/// Sizes at scale 1, before any monitor or person scales them.
inline constexpr float kFontSize = 15;  // pixels
inline constexpr float kMinScale = 0.5f;
inline constexpr float kMaxScale = 4;

enum class Theme { kDark, kLight };

/// Puts colours, paddings and the font scale into the current Dear ImGui and ImPlot contexts.
/// `scale` is pixels per pixel of a 96 dpi monitor; it is clamped to [kMinScale, kMaxScale].
void apply_theme(Theme theme, float scale);

/// What apply_theme last put into the current context.
Theme current_theme();
float current_scale();

}  // namespace draftscope
