// The plot of the cost panel: the curve with its handles, beside it the other one, and what they mean.
#include <fmt/format.h>
#include <imgui.h>
#include <implot.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "ui/gui/cost_marks.h"
#include "ui/gui/cost_parts.h"
#include "ui/gui/palette.h"
#include "ui/gui/panel_common.h"
#include "ui/view/cost_compare.h"
#include "ui/view/cost_shape.h"

namespace draftscope {
namespace {

constexpr double kBeyond = 1.14;       // of the last row: how much of what is extrapolated shows
constexpr float kHandleGap_em = 0.6f;  // handles do not touch
constexpr float kMostHandles = 32;     // across the plot: a long curve is moved stretch by stretch
constexpr float kHandle_em = 0.28f, kDot_em = 0.11f;
constexpr float kNamed_em = 34;  // in a plot of this width the marks have names

/// One context of a model in the units of the plot.
struct Line {
  std::vector<double> rows, ms;  // grid points
};

Line line_of(const CostModel& model, int32_t context_row) {
  const size_t n = model.rows.size();
  Line line;
  line.rows.assign(model.rows.begin(), model.rows.end());
  for (size_t i = 0; i < n; ++i)
    line.ms.push_back(1e3 * model.verify_s[static_cast<size_t>(context_row) * n + i]);
  return line;
}

/// The grid context of `model` nearest to the one on show.
int32_t same_context(const CostModel& model, const CostEditState& state) {
  return nearest_context_row(model, state.edited().context[static_cast<size_t>(state.context_row)]);
}

void find_knees(PanelContext& context, CostEditState& state) {
  const std::pair key = {state.history.version(), state.context_row};
  if (state.knees_of == key) return;
  state.knees_of = key;
  state.knees.clear();
  if (context.cost_tools.knees) state.knees = context.cost_tools.knees(state.edited(), state.context_row);
}

double highest(const Line& line) { return *std::max_element(line.ms.begin(), line.ms.end()); }

void setup_axes(CostEditState& state, const Line& a, const CostModel* other, float height) {
  double top = highest(a);
  if (other) {
    const Line b = line_of(*other, same_context(*other, state));
    for (size_t i = 0; i < b.rows.size() && b.rows[i] <= a.rows.back(); ++i) top = std::max(top, b.ms[i]);
  }
  const std::string unit = fmt::format("ms, {}", name(provenance_of(state)));
  const bool wide = ImGui::GetWindowWidth() > 15 * em();
  const bool high = ImGui::CalcTextSize(unit.c_str()).x < height - 3.5f * em();  // what the other axis leaves
  ImPlot::SetupAxes(wide ? "rows in the verify pass" : "rows", high ? unit.c_str() : "ms");
  if (state.refit) {
    state.whole_rows = kBeyond * a.rows.back();
    state.whole_ms = std::max(1e-6, 1.25 * top);
    ImPlot::SetupAxisLimits(ImAxis_X1, 0, state.whole_rows, ImPlotCond_Always);
    ImPlot::SetupAxisLimits(ImAxis_Y1, 0, state.whole_ms, ImPlotCond_Always);
  }
  ImPlot::SetupAxisLimitsConstraints(ImAxis_X1, 0, HUGE_VAL);
  ImPlot::SetupAxisLimitsConstraints(ImAxis_Y1, 0, HUGE_VAL);
  state.refit = false;
}

/// A line of grid points and, thinner, how it goes on beyond them.
void draw_line(const CostModel& model, int32_t context_row, ImU32 colour, float dash) {
  const Line line = line_of(model, context_row);
  const float weight = std::max(1.0f, 0.13f * em());
  draw_plot_line(line.rows, line.ms, colour, weight, dash);
  const double end = std::min(ImPlot::GetPlotLimits().X.Max, 4.0 * line.rows.back());
  if (end <= line.rows.back()) return;
  const auto last = static_cast<int32_t>(std::ceil(end));
  const double last_ms = 1e3 * pass_seconds(model, context_row, last).back();
  const double x[] = {line.rows.back(), static_cast<double>(last)}, y[] = {line.ms.back(), last_ms};
  draw_plot_line(x, y, with_alpha(colour, 0.7f), std::max(1.0f, 0.5f * weight), 0.25f * em());
}

void draw_spread(const CostEditState& state, const Line& a) {
  const CostModel& model = state.edited();
  if (model.spread_s.size() != model.verify_s.size() || model.spread_s.empty()) return;
  std::vector<double> spread_ms(a.rows.size());
  for (size_t i = 0; i < spread_ms.size(); ++i)
    spread_ms[i] = 1e3 * model.spread_s[static_cast<size_t>(state.context_row) * spread_ms.size() + i];
  ImPlotSpec spec;
  spec.LineColor = ImGui::ColorConvertU32ToFloat4(palette().cost);
  spec.LineWeight = std::max(1.0f, 0.08f * em());
  spec.Size = 0.35f * em();
  ImPlot::PlotErrorBars("half interquartile range", a.rows.data(), a.ms.data(), spread_ms.data(),
                        static_cast<int>(a.rows.size()), spec);
}

void draw_lines(const CostEditState& state, const Line& a, const CostModel* other) {
  draw_region(a.rows.back(), HUGE_VAL, "extrapolated");
  if (a.rows.front() > 1) draw_region(0, a.rows.front(), "extrapolated");
  const ImU32 colour_b = state.history.now().other ? palette().tokens : palette().text_dim;
  if (other) draw_line(*other, same_context(*other, state), colour_b, 0.45f * em());
  draw_line(state.edited(), state.context_row, palette().cost, 0);
  draw_spread(state, a);
}

/// At the right end of both lines, over whatever else is there.
void draw_names(const CostEditState& state, const Line& a, const CostModel* other) {
  if (!other) return;
  const ImU32 colour_b = state.history.now().other ? palette().tokens : palette().text_dim;
  std::vector<float> taken;
  const Line b = line_of(*other, same_context(*other, state));
  const auto at_edge = [](const CostModel& model, int32_t row, const Line& line) {
    const double right = ImPlot::GetPlotLimits().X.Max;
    const auto rows = static_cast<int32_t>(std::clamp(right, 1.0, 4.0 * line.rows.back()));
    return 1e3 * pass_seconds(model, row, rows).back();
  };
  draw_line_name(at_edge(state.edited(), state.context_row, a), state.history.now().other ? "A" : "edited",
                 palette().cost, taken);
  draw_line_name(at_edge(*other, same_context(*other, state), b), name_of_compared(state), colour_b, taken);
}

/// Every point of the grid, where they stand apart.
void draw_dots(const std::vector<float>& x, const Line& a) {
  ImPlot::PushPlotClipRect();
  for (const int32_t i : handles(x, 3 * kDot_em * em())) {
    const auto at = static_cast<size_t>(i);
    ImPlot::GetPlotDrawList()->AddCircleFilled(ImPlot::PlotToPixels(a.rows[at], a.ms[at]), kDot_em * em(),
                                               palette().chosen);
  }
  ImPlot::PopPlotClipRect();
}

/// The points that can be moved; true when the pointer is on one of them.
bool draw_handles(CostEditState& state, const Line& a) {
  std::vector<float> x;
  for (const double rows : a.rows) x.push_back(ImPlot::PlotToPixels(rows, 0).x);
  draw_dots(x, a);
  const float gap = std::max(kHandleGap_em * em(), ImPlot::GetPlotSize().x / kMostHandles);
  const std::vector<int32_t> shown = handles(x, gap);
  const ImVec4 colour = ImGui::ColorConvertU32ToFloat4(palette().chosen);
  bool any = false;
  for (size_t h = 0; h < shown.size(); ++h) {
    const int32_t i = shown[h];
    const auto at = static_cast<size_t>(i);
    double rows = a.rows[at], ms = a.ms[at];
    bool hovered = false, held = false;
    const bool moved = ImPlot::DragPoint(i, &rows, &ms, colour, kHandle_em * em(), ImPlotDragToolFlags_NoFit,
                                         nullptr, &hovered, &held);
    any |= hovered || held;
    if (moved && ms != a.ms[at]) {
      const int32_t left = h == 0 ? i : shown[h - 1], right = h + 1 == shown.size() ? i : shown[h + 1];
      change_curve(state, "moved a point", [&](CostEdit& edit) {
        return drag_handle(edit.cost, state.context_row, i, left, right, 1e-3 * ms);
      });
    }
    if (hovered && !held)
      ImGui::SetTooltip(
          "%s",
          fmt::format("{:.0f} rows: {:.4g} ms\nDrag to move, right-click to remove.", rows, ms).c_str());
    if (hovered && ImGui::IsMouseClicked(ImGuiMouseButton_Right)) {
      change_curve(state, "removed a point", [&](CostEdit& edit) { return remove_point(edit.cost, i); });
      return true;
    }
  }
  return any;
}

void add_point_at_pointer(CostEditState& state) {
  const ImPlotPoint at = ImPlot::GetPlotMousePos();
  CostEdit next = state.history.now();
  if (!add_point(next.cost, state.context_row, static_cast<int32_t>(std::lround(std::clamp(at.x, 0.0, 1e6))),
                 1e-3 * at.y))
    return;
  state.history.edit(std::move(next), "added a point");
}

void draw_budgets(PanelContext& context, const CostEditState& state, const CostModel* other) {
  const RoundRecord* record = context.shown();
  if (record == nullptr || record->method == Method::kPlain) return;
  const int32_t rows = record->shared ? record->shared->n_rows : record->n_verified_rows();  // of the pass
  const bool named = ImPlot::GetPlotSize().x > kNamed_em * em();
  draw_rows_line(rows, fmt::format("{}{} rows", named ? "verified in this round: " : "", rows),
                 palette().accepted);
  const bool has_b = state.history.now().other.has_value();
  const std::optional<BestBudget> best = best_budget(*record, state.edited());
  const auto mark = [&](const CostModel& cost, int32_t context_row, int32_t n, BudgetLook look) {
    const std::string words = named ? fmt::format("{}best: {}", look.side, n) : std::string();
    draw_best_budget(n + 1, 1e3 * pass_seconds(cost, context_row, n + 1).back(), words, look);
  };
  const auto best_other = other ? best_budget(*record, *other) : std::nullopt;
  if (best_other && (has_b || !best || best->n != best_other->n)) {
    mark(*other, same_context(*other, state), best_other->n,
         {has_b ? "B " : "in force ", has_b ? palette().tokens : palette().text_dim, false, true});
  }
  if (best)
    mark(state.edited(), state.context_row, best->n, {has_b ? "A " : "", palette().best, true, false});
}

/// Whether the person has zoomed or panned since the whole curve was shown.
bool is_zoomed(const CostEditState& state) {
  const ImPlotRect limits = ImPlot::GetPlotLimits();
  const auto differ = [](double value, double whole, double unit) {
    return std::abs(value - whole) > 1e-6 * unit;
  };
  return differ(limits.X.Min, 0, state.whole_rows) || differ(limits.Y.Min, 0, state.whole_ms) ||
         differ(limits.X.Max, state.whole_rows, state.whole_rows) ||
         differ(limits.Y.Max, state.whole_ms, state.whole_ms);
}

/// What the pointer is at, in a corner where no axis and no region has words.
void draw_pointer_words() {
  const ImPlotPoint at = ImPlot::GetPlotMousePos();
  const ImVec2 pos = ImPlot::GetPlotPos();
  draw_plot_words({pos.x + 0.3f * em(), pos.y + 1.4f * em()},
                  fmt::format("{:.0f} rows, {:.3g} ms", at.x, at.y), palette().text);
}

/// The left button moves and adds points here: a missed one must neither pan nor fit the axes.
class PointButton {
 public:
  PointButton() : map_(ImPlot::GetInputMap()) {
    ImPlot::GetInputMap().Pan = ImPlot::GetInputMap().Fit = ImGuiMouseButton_Middle;
  }
  ~PointButton() { ImPlot::GetInputMap() = map_; }
  PointButton(const PointButton&) = delete;
  PointButton& operator=(const PointButton&) = delete;

 private:
  ImPlotInputMap map_;
};

}  // namespace

void draw_cost_plot(PanelContext& context, CostEditState& state, float height) {
  find_knees(context, state);
  const PointButton points;
  const ImPlotFlags flags = ImPlotFlags_NoTitle | ImPlotFlags_NoFrame | ImPlotFlags_NoLegend |
                            ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | ImPlotFlags_NoMouseText;
  if (!ImPlot::BeginPlot("##cost", {-1, height}, flags)) return;
  const Line a = line_of(state.edited(), state.context_row);
  const CostModel* other = compared_with(state);
  setup_axes(state, a, other, height);
  draw_lines(state, a, other);
  std::vector<double> ms_at = pass_seconds(state.edited(), state.context_row, state.edited().rows.back());
  for (double& value : ms_at) value *= 1e3;
  const bool on_handle = draw_handles(state, a);
  draw_budgets(context, state, other);
  draw_knees(state.knees, ms_at, ImPlot::GetPlotSize().x > kNamed_em * em());
  draw_names(state, a, other);
  if (ImPlot::IsPlotHovered() && !on_handle) draw_pointer_words();
  if (!ImGui::IsMouseDown(ImGuiMouseButton_Left)) state.zoomed = is_zoomed(state);
  if (!on_handle && ImPlot::IsPlotHovered() && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left))
    add_point_at_pointer(state);
  ImPlot::EndPlot();
}

}  // namespace draftscope
