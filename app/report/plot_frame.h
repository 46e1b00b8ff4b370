// What the plots share: a label, a plotting area and a value per row; a legend that wraps.
#pragma once

#include <string>
#include <vector>

#include "app/report/svg.h"

namespace draftscope {

constexpr double kPlotWidth = 620;
constexpr double kRowPx = 21;

/// Three figures or so, for labels.
std::string short_number(double value);

/// Rows from top to bottom: labels on the left, values on the right, an axis under the space between.
class RowFrame {
 public:
  /// `values` (n_rows,) or empty. `n_extra_px` stay free above the rows.
  RowFrame(const std::vector<std::string>& labels, const std::vector<std::string>& values, double n_extra_px,
           const std::string& title);

  double from_px() const { return from_px_; }
  double to_px() const { return to_px_; }
  double y(size_t row) const;  // its middle
  Svg& svg() { return svg_; }
  void draw_axis(const Axis& axis, const std::string& caption, const std::string& unit = "");

 private:
  size_t n_rows_;
  Svg svg_;
  double top_, from_px_ = 0, to_px_ = 0;
};

/// Names with the marks of their numbers, in as many lines as they need.
class Legend {
 public:
  explicit Legend(const std::vector<std::string>& names);
  double height() const { return height_; }
  void draw(Svg& svg) const;

 private:
  struct Entry {
    std::string name;
    double x, y;
  };
  std::vector<Entry> entries_;
  double height_ = 0;
};

}  // namespace draftscope
