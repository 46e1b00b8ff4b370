// Marks on the cost plot, between BeginPlot and EndPlot: lines, flags, budgets and hatched regions.
#pragma once

#include <imgui.h>

#include <span>
#include <string>
#include <vector>

#include "engine/record/cost_preset.h"

namespace draftscope {

/// A polyline in plot coordinates with strokes and gaps of `dash` pixels; 0: unbroken.
void draw_plot_line(std::span<const double> x, std::span<const double> y, ImU32 colour, float weight,
                    float dash);
/// Words on the plot, on a ground of their own, moved until they are inside it.
void draw_plot_words(ImVec2 at, const std::string& words, ImU32 colour);
/// An upright dashed line over the whole height, and at its top what it stands for.
void draw_rows_line(double rows, const std::string& words, ImU32 colour);
/// Hatches `from`..`to` over the whole height and says in small letters along the edge what that is, `lift` pixels above
/// the lower one.
void draw_region(double from, double to, const char* words, float lift = 0);
/// A word at the right end of a line, kept off the words at `taken` (pixels; its own place is added).
void draw_line_name(double y, const char* words, ImU32 colour, std::vector<float>& taken);
struct BudgetLook {
  const char* side;  // "A ", "B ", or nothing
  ImU32 colour;
  bool filled, above;  // a filled or a hollow diamond; its words above the line or below
};
/// A diamond where a round's best budget lies, with a line down to the axis and words beside it, which may be
/// empty.
void draw_best_budget(double rows, double ms, const std::string& words, const BudgetLook& look);
/// A flag at every knee, the sharpest first where there is no room for all; the pointed one says its cause,
/// and where they are `named` those that have room do so all the time. `ms_at`: the curve at rows 1, 2, ...
void draw_knees(std::span<const CostKnee> knees, std::span<const double> ms_at, bool named);
/// "+1.25 ms from 17 rows on: tile of 16."
std::string knee_sentence(const CostKnee& knee);

}  // namespace draftscope
