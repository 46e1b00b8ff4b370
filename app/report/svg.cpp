#include "app/report/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace draftscope {
namespace {

/// Characters, not bytes.
size_t n_characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::vector<double> linear_ticks(const Axis& axis, size_t n_at_most) {
  const double rough = (axis.high - axis.low) / static_cast<double>(std::max<size_t>(1, n_at_most));
  double step = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0, 10.0}) {
    if (step * factor < rough) continue;
    step *= factor;
    break;
  }
  std::vector<double> found;
  const auto first = static_cast<int64_t>(std::ceil(axis.low / step - 1e-9));
  for (int64_t i = first; static_cast<double>(i) * step <= axis.high + 1e-9 * step; ++i) {
    found.push_back(static_cast<double>(i) * step);
  }
  return found;
}

/// 1 first, then ever finer values, each where it has room.
std::vector<double> logarithmic_ticks(const Axis& axis, double label_px) {
  std::vector<double> wanted = {1};
  for (const double factor : {10.0, 100.0, 1000.0, 2.0, 5.0, 20.0, 50.0, 200.0, 500.0}) {
    wanted.push_back(factor), wanted.push_back(1 / factor);
  }
  for (const double value : {1.5, 0.75, 3.0, 0.3, 1.25, 0.8, 1.1, 0.9, 4.0, 0.25, 1.05, 0.95, 0.6, 7.0, 0.7, 1.02, 0.98}) {
    wanted.push_back(value);
  }
  std::vector<double> found;
  for (const double value : wanted) {
    if (value < axis.low || value > axis.high) continue;
    const bool free = std::all_of(found.begin(), found.end(), [&](double other) {
      return std::abs(axis.at(other) - axis.at(value)) > label_px + 8;
    });
    if (free) found.push_back(value);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

std::string escape_markup(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    }
  }
  return out;
}

double text_width(std::string_view text, double font_size) {
  return 0.6 * font_size * static_cast<double>(n_characters(text));
}

double Axis::at(double value) const {
  const double share = logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
  return from_px + share * (to_px - from_px);
}

std::vector<double> ticks(const Axis& axis, double label_px) {
  if (axis.logarithmic) return logarithmic_ticks(axis, label_px);
  const double room = std::abs(axis.to_px - axis.from_px) / (label_px + 12);
  return linear_ticks(axis, static_cast<size_t>(std::clamp(room, 1.0, 6.0)));
}

Svg::Svg(double width, double height, std::string_view title) {
  text_ = fmt::format("<svg viewBox=\"0 0 {:.0f} {:.0f}\" width=\"{:.0f}\" height=\"{:.0f}\" role=\"img\"><title>{}</title>\n",
                      width, height, width, height, escape_markup(title));
}

void Svg::close(std::string_view element, std::string_view tooltip) {
  if (tooltip.empty()) text_ += "/>\n";
  else fmt::format_to(std::back_inserter(text_), "><title>{}</title></{}>\n", escape_markup(tooltip), element);
}

void Svg::line(double x1, double y1, double x2, double y2, std::string_view css) {
  fmt::format_to(std::back_inserter(text_), "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n", x1,
                 y1, x2, y2, css);
}

void Svg::rect(double x, double y, double width, double height, std::string_view css, std::string_view tooltip) {
  fmt::format_to(std::back_inserter(text_), "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" class=\"{}\"", x,
                 y, std::max(0.0, width), std::max(0.0, height), css);
  close("rect", tooltip);
}

void Svg::dot(double x, double y, double radius, std::string_view css, std::string_view tooltip) {
  fmt::format_to(std::back_inserter(text_), "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" class=\"{}\"", x, y, radius, css);
  close("circle", tooltip);
}

void Svg::mark(int shape, double x, double y, double radius, std::string_view css, std::string_view tooltip) {
  const double r = radius, s = 0.85 * radius;
  std::vector<std::pair<double, double>> corners;
  switch (shape % 6) {
    case 0: return dot(x, y, r, css, tooltip);
    case 1: corners = {{x - s, y - s}, {x + s, y - s}, {x + s, y + s}, {x - s, y + s}}; break;
    case 2: corners = {{x, y - 1.2 * r}, {x + 1.1 * r, y + 0.8 * r}, {x - 1.1 * r, y + 0.8 * r}}; break;
    case 3: corners = {{x, y - 1.3 * r}, {x + 1.3 * r, y}, {x, y + 1.3 * r}, {x - 1.3 * r, y}}; break;
    case 4: corners = {{x, y + 1.2 * r}, {x + 1.1 * r, y - 0.8 * r}, {x - 1.1 * r, y - 0.8 * r}}; break;
    default:
      corners = {{x - r, y - r / 3}, {x - r / 3, y - r / 3}, {x - r / 3, y - r}, {x + r / 3, y - r}, {x + r / 3, y - r / 3},
                 {x + r, y - r / 3}, {x + r, y + r / 3}, {x + r / 3, y + r / 3}, {x + r / 3, y + r}, {x - r / 3, y + r},
                 {x - r / 3, y + r / 3}, {x - r, y + r / 3}};
  }
  text_ += "<polygon points=\"";
  for (const auto& [cx, cy] : corners) fmt::format_to(std::back_inserter(text_), "{:.1f},{:.1f} ", cx, cy);
  fmt::format_to(std::back_inserter(text_), "\" class=\"{}\"", css);
  close("polygon", tooltip);
}

void Svg::text(double x, double y, std::string_view words, std::string_view css, Anchor anchor) {
  const char* side = anchor == Anchor::kStart ? "start" : anchor == Anchor::kMiddle ? "middle" : "end";
  fmt::format_to(std::back_inserter(text_), "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" class=\"{}\">{}</text>\n", x, y,
                 side, css, escape_markup(words));
}

void Svg::path(const std::vector<std::pair<double, double>>& points, std::string_view css) {
  text_ += "<polyline points=\"";
  for (const auto& [x, y] : points) fmt::format_to(std::back_inserter(text_), "{:.1f},{:.1f} ", x, y);
  fmt::format_to(std::back_inserter(text_), "\" class=\"{}\"/>\n", css);
}

std::string Svg::finish() && { return std::move(text_) + "</svg>\n"; }

}  // namespace draftscope
