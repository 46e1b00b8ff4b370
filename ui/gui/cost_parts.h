// The parts of the cost panel, each in a file of its own, and the ways in which all of them change the curve.
#pragma once

#include <functional>
#include <string>

#include "ui/gui/cost_state.h"
#include "ui/gui/panels.h"

namespace draftscope {

/// A whole new curve as one step of the history; the plot then shows all of it.
void replace_curve(CostEditState& state, CostModel cost, std::string what);
/// Changes the curve by `change`, which says whether it could. A part of a drag while the mouse button is
/// down, a step of its own otherwise. Returns what `change` returned.
bool change_curve(CostEditState& state, const char* what, const std::function<bool(CostEdit&)>& change);
/// Says in the panel and in the status bar why something could not be done. The curve stays as it is.
void show_problem(PanelContext& context, CostEditState& state, std::string sentence);
/// Where the numbers of the curve on show come from.
Provenance provenance_of(const CostEditState& state);
/// What side A is compared with: side B, else the curve in force when it is another one; nullptr: with
/// nothing.
const CostModel* compared_with(const CostEditState& state);
const char* name_of_compared(const CostEditState& state);  // "B" or "in force"
/// Pixels of a widget of `width` and its label.
float labelled_width(const char* label, float width);

/// Preset and context; then, behind `advanced`, shape, floor, draft, side B, files and points.
void draw_cost_choices(CostEditState& state);
void draw_cost_advanced(PanelContext& context, CostEditState& state);

/// The curve with its handles, the other curve, knees, best budgets and what is extrapolated.
void draw_cost_plot(PanelContext& context, CostEditState& state, float height);

/// Import, Export, Points and Fewer points, with their dialogs.
void draw_cost_files(PanelContext& context, CostEditState& state);

}  // namespace draftscope
