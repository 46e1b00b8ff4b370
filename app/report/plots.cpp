// Plots with one row per policy: throughput, paired ratios, domains.
#include "app/report/plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/report/plot_frame.h"

namespace draftscope {

const char* colour_of(Method method) {
  switch (method) {
    case Method::kPlain:
    case Method::kDflash: return "base";
    case Method::kDdtree:
    case Method::kSpine: return "fixed";
    case Method::kCaddtree:
    case Method::kBastion:
    case Method::kCast: return "published";
    case Method::kExact:
    case Method::kExactFill:
    case Method::kCalibrated: return "ours";
    case Method::kOracle: return "hindsight";
  }
  return "base";
}

std::string short_number(double value) {
  if (value >= 100) return fmt::format("{:.0f}", value);
  return value >= 10 ? fmt::format("{:.1f}", value) : fmt::format("{:.2f}", value);
}

RowFrame::RowFrame(const std::vector<std::string>& labels, const std::vector<std::string>& values, double n_extra_px,
                   const std::string& title)
    : n_rows_(labels.size()), svg_(kPlotWidth, n_extra_px + kRowPx * static_cast<double>(labels.size()) + 44, title),
      top_(n_extra_px + 4) {
  double left = 0, right = 0;
  for (const std::string& label : labels) left = std::max(left, text_width(label));
  for (const std::string& value : values) right = std::max(right, text_width(value, 11));
  from_px_ = left + 14;
  to_px_ = kPlotWidth - right - 14;
  for (size_t i = 0; i < labels.size(); ++i) svg_.text(left + 4, y(i) + 4, labels[i], "label", Anchor::kEnd);
  for (size_t i = 0; i < values.size(); ++i) svg_.text(kPlotWidth - 2, y(i) + 4, values[i], "value", Anchor::kEnd);
}

double RowFrame::y(size_t row) const { return top_ + kRowPx * (static_cast<double>(row) + 0.5); }

void RowFrame::draw_axis(const Axis& axis, const std::string& caption, const std::string& unit) {
  const double bottom = top_ + kRowPx * static_cast<double>(n_rows_) + 2;
  for (const double tick : ticks(axis, 34)) {
    svg_.line(axis.at(tick), top_, axis.at(tick), bottom, "grid");
    svg_.text(axis.at(tick), bottom + 14, fmt::format("{:g}{}", tick, unit), "tick", Anchor::kMiddle);
  }
  svg_.line(from_px_, bottom, to_px_, bottom, "axis");
  svg_.text((from_px_ + to_px_) / 2, bottom + 31, caption, "tick", Anchor::kMiddle);
}

std::string throughput_plot(const ReportSection& section) {
  std::vector<std::string> labels, values;
  double high = 0;
  for (const PolicyRow& row : section.policies) {
    const Interval& interval = row.tokens_per_s_interval;
    labels.push_back(row.label);
    values.push_back(fmt::format("{} [{}, {}]", short_number(row.all.tokens_per_s()), short_number(interval.low),
                                 short_number(interval.high)));
    high = std::max({high, row.all.tokens_per_s(), interval.high});
  }
  RowFrame frame(labels, values, 0, "Tokens per second by policy");
  const Axis axis{0, high > 0 ? 1.04 * high : 1, frame.from_px(), frame.to_px()};
  frame.draw_axis(axis, "tokens per second, all prompts together, with 95 % bootstrap interval");
  Svg& svg = frame.svg();
  for (size_t i = 0; i < section.policies.size(); ++i) {
    const PolicyRow& row = section.policies[i];
    const std::string colour = colour_of(row.method);
    const double y = frame.y(i), x = axis.at(row.all.tokens_per_s());
    svg.rect(axis.at(0), y - 6, x - axis.at(0), 12, "bar f-" + colour);
    svg.line(axis.at(row.tokens_per_s_interval.low), y, axis.at(row.tokens_per_s_interval.high), y, "whisker");
    svg.dot(x, y, 3.5, "f-" + colour, row.label + ": " + values[i]);
  }
  return std::move(svg).finish();
}

std::string ratio_plot(const Report& report, const ReportSection& section, bool over_best_fixed) {
  const size_t reference = over_best_fixed ? static_cast<size_t>(section.best_fixed) : 0;
  std::vector<const PolicyRow*> rows;
  std::vector<std::string> labels, values;
  double low = 0.95, high = 1.05;
  for (size_t i = 0; i < section.policies.size(); ++i) {
    const PairedRatio& paired = over_best_fixed ? section.policies[i].over_best_fixed : section.policies[i].over_plain;
    if (i == reference || paired.n == 0) continue;
    rows.push_back(&section.policies[i]);
    labels.push_back(section.policies[i].label);
    values.push_back(fmt::format("{:.2f} [{:.2f}, {:.2f}]", paired.median, paired.median_interval.low, paired.median_interval.high));
    for (const double ratio : paired.ratios) {
      if (!std::isnan(ratio)) low = std::min(low, ratio), high = std::max(high, ratio);
    }
  }
  const std::string name = section.policies[reference].label;
  RowFrame frame(labels, values, 0, "Throughput against " + name + ", prompt by prompt");
  const Axis axis{low / 1.04, high * 1.04, frame.from_px(), frame.to_px(), true};
  frame.draw_axis(axis, fmt::format("tokens per second / that of {}; a dot per prompt, median and 95 % interval", name), "x");
  Svg& svg = frame.svg();
  if (!rows.empty()) svg.line(axis.at(1), frame.y(0) - kRowPx / 2, axis.at(1), frame.y(rows.size() - 1) + kRowPx / 2, "one");
  for (size_t i = 0; i < rows.size(); ++i) {
    const PairedRatio& paired = over_best_fixed ? rows[i]->over_best_fixed : rows[i]->over_plain;
    const std::string colour = colour_of(rows[i]->method);
    for (size_t k = 0; k < paired.ratios.size(); ++k) {
      if (std::isnan(paired.ratios[k])) continue;
      const double spread = std::fmod(0.618034 * static_cast<double>(k), 1.0) - 0.5;  // so that dots lie side by side
      svg.dot(axis.at(paired.ratios[k]), frame.y(i) + 13 * spread, 2, "prompt f-" + colour,
              fmt::format("{}: {:.3f}", report.prompts[k].name, paired.ratios[k]));
    }
    svg.line(axis.at(paired.median_interval.low), frame.y(i), axis.at(paired.median_interval.high), frame.y(i), "whisker");
    svg.mark(3, axis.at(paired.median), frame.y(i), 4, "median f-" + colour, labels[i] + ": " + values[i]);
  }
  return std::move(svg).finish();
}

std::string domain_plot(const Report& report, const ReportSection& section) {
  std::vector<std::string> labels, values;
  double high = 1;
  for (const PolicyRow& row : section.policies) {
    if (row.method == Method::kPlain) continue;
    labels.push_back(row.label);
    values.push_back(fmt::format("all {:.2f}", row.all.tokens_per_round()));
    for (const PolicyFigures& domain : row.domains) high = std::max(high, domain.tokens_per_round());
  }
  const Legend legend(report.domains);
  RowFrame frame(labels, values, legend.height(), "Tokens per round by domain");
  legend.draw(frame.svg());
  const Axis axis{1, 1 + 1.04 * std::max(0.5, high - 1), frame.from_px(), frame.to_px()};
  frame.draw_axis(axis, "tokens committed per round");
  size_t at = 0;
  for (const PolicyRow& row : section.policies) {
    if (row.method == Method::kPlain) continue;
    double low = axis.high, most = axis.low;
    for (const PolicyFigures& domain : row.domains) {
      low = std::min(low, domain.tokens_per_round()), most = std::max(most, domain.tokens_per_round());
    }
    frame.svg().line(axis.at(low), frame.y(at), axis.at(most), frame.y(at), "range");
    for (size_t d = 0; d < row.domains.size(); ++d) {
      frame.svg().mark(static_cast<int>(d), axis.at(row.domains[d].tokens_per_round()), frame.y(at), 4.5,
                       fmt::format("mark f-d{}", d % 6),
                       fmt::format("{}, {}: {:.2f}", row.label, report.domains[d], row.domains[d].tokens_per_round()));
    }
    ++at;
  }
  return std::move(frame.svg()).finish();
}

}  // namespace draftscope
