// Plots over budgets: what passes cost, what policies chose.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "app/report/plot_frame.h"
#include "app/report/plots.h"

namespace draftscope {
namespace {

constexpr double kCurvePx = 190, kBarsPx = 72, kPanelPx = kBarsPx + 44;

/// Bin of a number of nodes: 0, 1, 2, 3-4, 5-8, 9-16, ...
size_t bin_of(size_t n_nodes) { return n_nodes == 0 ? 0 : 1 + static_cast<size_t>(std::bit_width(n_nodes - 1)); }

/// Share of the rounds per bin. (n_bins,)
std::vector<double> binned(const std::vector<int64_t>& chosen, size_t n_bins) {
  std::vector<double> share(n_bins, 0.0);
  double sum = 0;
  for (size_t n = 0; n < chosen.size(); ++n) share[bin_of(n)] += static_cast<double>(chosen[n]), sum += static_cast<double>(chosen[n]);
  for (double& one : share) one /= std::max(1.0, sum);
  return share;
}

/// Smallest n that at least `share` of the rounds do not exceed.
double chosen_at(const std::vector<int64_t>& chosen, double share) {
  double sum = 0, so_far = 0;
  for (const int64_t count : chosen) sum += static_cast<double>(count);
  for (size_t n = 0; n < chosen.size(); ++n) {
    so_far += static_cast<double>(chosen[n]);
    if (so_far > 0 && so_far >= share * sum) return static_cast<double>(n);
  }
  return 0;
}

struct Curve {
  const char* name;
  const char* css;
  const std::vector<double>& seconds;
};

void draw_curves(Svg& svg, const Axis& x, const Axis& y, const CostPicture& cost) {
  const Curve curves[] = {{"whole round", "curve s-round", cost.round_s},
                          {"CaDDTree's convex fit of the pass", "curve dashed s-published", cost.convex_s},
                          {"pass", "curve s-pass", cost.verify_s}};
  double at = x.from_px;
  for (const Curve& curve : curves) {
    std::vector<std::pair<double, double>> points;
    for (size_t n = 0; n < curve.seconds.size(); ++n) {
      points.emplace_back(x.at(static_cast<double>(n) + 1), y.at(1e3 * curve.seconds[n]));
    }
    svg.path(points, curve.css);
    svg.line(at, 9, at + 22, 9, curve.css);
    svg.text(at + 27, 13, curve.name, "tick");
    at += 27 + text_width(curve.name, 11) + 16;
  }
}

void draw_axes(Svg& svg, const Axis& x, const Axis& y, double bottom) {
  for (const double tick : ticks(y, 20)) {
    svg.line(x.from_px, y.at(tick), x.to_px, y.at(tick), "grid");
    svg.text(x.from_px - 6, y.at(tick) + 4, fmt::format("{:g}", tick), "tick", Anchor::kEnd);
  }
  svg.text(x.from_px - 6, y.to_px - 8, "ms", "tick", Anchor::kEnd);
  double free_from = 0;
  for (double rows = 1; rows <= x.high; rows *= 2) {
    svg.line(x.at(rows), y.to_px, x.at(rows), bottom, "grid");
    const std::string label = fmt::format("{:g}", rows);
    if (x.at(rows) - text_width(label, 11) / 2 < free_from) continue;
    svg.text(x.at(rows), bottom + 14, label, "tick", Anchor::kMiddle);
    free_from = x.at(rows) + text_width(label, 11) / 2 + 6;
  }
  svg.line(x.from_px, bottom, x.to_px, bottom, "axis");
}

void draw_extrapolated(Svg& svg, const Axis& x, const Axis& y, const CostPicture& cost, double bottom) {
  const double from = x.at(cost.last_measured_nodes + 1.0);
  if (from >= x.to_px - 1) return;
  svg.rect(from, y.to_px, x.to_px - from, bottom - y.to_px, "beyond");
  const std::string words = "extrapolated";
  if (x.to_px - from > text_width(words, 11) + 8) svg.text(x.to_px - 4, y.to_px + 12, words, "tick", Anchor::kEnd);
}

}  // namespace

std::string cost_plot(const ReportSection& section) {
  const CostPicture& cost = section.cost;
  if (cost.verify_s.size() < 2) return "";
  double left = 40, low = INFINITY, high = 0, right = 0;
  std::vector<std::string> values;
  for (const PolicyRow& row : section.policies) {
    left = std::max(left, text_width(row.label) + 12);
    values.push_back(fmt::format("mean {:.1f} nodes", row.all.nodes_per_round()));
    right = std::max(right, text_width(values.back(), 11) + 12);
  }
  for (const auto* curve : {&cost.verify_s, &cost.round_s, &cost.convex_s}) {
    for (const double seconds : *curve) low = std::min(low, 1e3 * seconds), high = std::max(high, 1e3 * seconds);
  }
  const double bottom = kCurvePx + kRowPx * static_cast<double>(section.policies.size()) + 6;
  Svg svg(kPlotWidth, bottom + 40, "Cost of a round by rows, and the budgets that policies chose");
  const Axis x{1, static_cast<double>(cost.verify_s.size()), left, kPlotWidth - right, true};
  const bool wide = high > 10 * low;  // a straight scale would hide the small passes
  const Axis y{wide ? low / 1.1 : 0, 1.05 * high, kCurvePx - 12, 26, wide};
  draw_extrapolated(svg, x, y, cost, bottom);
  draw_axes(svg, x, y, bottom);
  svg.line(left, kCurvePx - 12, x.to_px, kCurvePx - 12, "axis");
  draw_curves(svg, x, y, cost);
  for (size_t i = 0; i < section.policies.size(); ++i) {
    const PolicyRow& row = section.policies[i];
    const double middle = kCurvePx + kRowPx * (static_cast<double>(i) + 0.5);
    const std::string colour = colour_of(row.method);
    svg.text(left - 8, middle + 4, row.label, "label", Anchor::kEnd);
    svg.text(kPlotWidth - 2, middle + 4, values[i], "value", Anchor::kEnd);
    svg.line(x.at(chosen_at(row.chosen, 0.1) + 1), middle, x.at(chosen_at(row.chosen, 0.9) + 1), middle, "span s-" + colour);
    svg.mark(3, x.at(row.all.nodes_per_round() + 1), middle, 4, "median f-" + colour, row.label + ": " + values[i]);
  }
  svg.text((left + x.to_px) / 2, bottom + 31,
           fmt::format("rows of the pass (nodes + 1), context {}; mean budget, bar over the middle 80 % of rounds", cost.context_len),
           "tick", Anchor::kMiddle);
  return std::move(svg).finish();
}

std::string budget_plot(const ReportSection& section) {
  std::vector<const PolicyRow*> rows;
  size_t n_bins = 2;
  for (const PolicyRow& row : section.policies) {
    const auto n_values = std::count_if(row.chosen.begin(), row.chosen.end(), [](int64_t count) { return count > 0; });
    if (row.method == Method::kDflash || row.method == Method::kDdtree || n_values < 2) continue;
    rows.push_back(&row);
    n_bins = std::max(n_bins, bin_of(row.chosen.size() - 1) + 1);
  }
  if (rows.empty()) return "";
  const size_t n_lines = (rows.size() + 1) / 2;
  Svg svg(kPlotWidth, kPanelPx * static_cast<double>(n_lines), "Nodes chosen per round, adaptive policies");
  const double panel_width = kPlotWidth / 2, bin_px = (panel_width - 30) / static_cast<double>(n_bins);
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::vector<double> share = binned(rows[i]->chosen, n_bins);
    const double left = panel_width * static_cast<double>(i % 2) + 10, top = kPanelPx * static_cast<double>(i / 2) + 24;
    const double most = *std::max_element(share.begin(), share.end());
    svg.text(left, top - 10, rows[i]->label, "label");
    for (size_t bin = 0; bin < n_bins; ++bin) {
      const double x = left + bin_px * static_cast<double>(bin), height = (kBarsPx - 16) * share[bin] / most;
      const size_t last = bin == 0 ? 0 : size_t{1} << (bin - 1), first = bin < 3 ? last : last / 2 + 1;
      const std::string range = first == last ? fmt::format("{}", last) : fmt::format("{}-{}", first, last);
      svg.rect(x + 1, top + kBarsPx - height, bin_px - 2, height, std::string("f-") + colour_of(rows[i]->method),
               fmt::format("{}: {} nodes in {:.1f} % of rounds", rows[i]->label, range, 100 * share[bin]));
      if (share[bin] == most) svg.text(x + bin_px / 2, top + kBarsPx - height - 3, fmt::format("{:.0f} %", 100 * most), "tick", Anchor::kMiddle);
      svg.text(x + bin_px / 2, top + kBarsPx + 13, fmt::format("{}", last), "tick small", Anchor::kMiddle);
    }
    svg.line(left, top + kBarsPx, left + bin_px * static_cast<double>(n_bins), top + kBarsPx, "axis");
  }
  return std::move(svg).finish();
}

Legend::Legend(const std::vector<std::string>& names) {
  double x = 8, y = 12;
  for (const std::string& name : names) {
    const double width = text_width(name, 11) + 30;
    if (x > 8 && x + width > kPlotWidth) x = 8, y += 17;
    entries_.push_back({name, x, y});
    x += width;
  }
  height_ = entries_.empty() ? 0 : y + 10;
}

void Legend::draw(Svg& svg) const {
  for (size_t i = 0; i < entries_.size(); ++i) {
    svg.mark(static_cast<int>(i), entries_[i].x + 5, entries_[i].y - 4, 4.5, fmt::format("mark f-d{}", i % 6));
    svg.text(entries_[i].x + 14, entries_[i].y, entries_[i].name, "tick");
  }
}

}  // namespace draftscope
