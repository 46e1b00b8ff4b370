// Svg: a picture inside a page, as text. Colours come from the page's classes, so that one picture suits every theme.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace draftscope {

/// Text for markup: special characters as entities, control characters as spaces.
std::string escape_markup(std::string_view text);
/// Pixels that a text takes at most, on the usual sans-serif fonts.
double text_width(std::string_view text, double font_size = 12);

/// Values on a line of pixels.
struct Axis {
  double low = 0, high = 1;      // low < high; positive when logarithmic
  double from_px = 0, to_px = 1; // where low and high lie
  bool logarithmic = false;

  double at(double value) const; // pixels, not clamped
};
/// Round values within the axis: few, rising, their labels of `label_px` never touching.
std::vector<double> ticks(const Axis& axis, double label_px);

enum class Anchor { kStart, kMiddle, kEnd };

class Svg {
 public:
  /// `title` is what screen readers and tooltips say.
  Svg(double width, double height, std::string_view title);

  void line(double x1, double y1, double x2, double y2, std::string_view css);
  void rect(double x, double y, double width, double height, std::string_view css, std::string_view tooltip = {});
  void dot(double x, double y, double radius, std::string_view css, std::string_view tooltip = {});
  /// One of six shapes, told apart without colour.
  void mark(int shape, double x, double y, double radius, std::string_view css, std::string_view tooltip = {});
  void text(double x, double y, std::string_view words, std::string_view css = {}, Anchor anchor = Anchor::kStart);
  void path(const std::vector<std::pair<double, double>>& points, std::string_view css);

  std::string finish() &&;

 private:
  void close(std::string_view element, std::string_view tooltip);
  std::string text_;
};

}  // namespace draftscope
