// The panels of the budget lab: one function per panel.
#pragma once

#include <imgui.h>

#include "ui/gui/lab_state.h"
#include "ui/gui/panels.h"

namespace draftscope {

void draw_policies_panel(PanelContext& context, LabState& state);
void draw_budgets_panel(PanelContext& context, LabState& state);
void draw_regret_panel(PanelContext& context, LabState& state);
void draw_calibration_panel(PanelContext& context, LabState& state);
void draw_sweep_panel(PanelContext& context, LabState& state);

/// The views of the latest answer; nullptr, after a sentence in the middle of the window, when there are
/// none.
const LabViews* lab_views(const PanelContext& context, LabState& state);

/// The colour that a policy has in every panel.
ImU32 policy_colour(Method method);

/// Speed as a bar from the left with the number over it; the upright line is what the policy believed.
void draw_speed_bar(const LabRow& row, float height);

}  // namespace draftscope
