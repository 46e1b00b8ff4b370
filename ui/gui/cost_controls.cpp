// The controls of the cost panel: which curve, at which context, and how to bend all of it at once.
#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <string>

#include "engine/base/utf8.h"
#include "ui/gui/cost_parts.h"
#include "ui/gui/panel_common.h"
#include "ui/view/cost_shape.h"

namespace draftscope {
namespace {

constexpr size_t kMostInline = 8;  // a larger group of presets is a menu of its own
constexpr float kSlider_em = 8;

bool offer_preset(CostEditState& state, const CostPreset& preset) {
  const bool chosen = preset.cost.label == state.edited().label && same_cost(preset.cost, state.edited());
  const bool picked = ImGui::Selectable(preset.name.c_str(), chosen);
  if (ImGui::BeginItemTooltip()) {
    ImGui::PushTextWrapPos(ImGui::GetCursorPosX() + 26 * em());
    ImGui::TextUnformatted(preset.cost.label.c_str());
    dim_text(fmt::format("{}: {}.", name(preset.provenance), preset.cost.source));
    ImGui::PopTextWrapPos();
    ImGui::EndTooltip();
  }
  if (picked) replace_curve(state, preset.cost, "chose " + preset.name);
  return picked;
}

/// Presets of one group after another; true when one was chosen.
bool offer_presets(CostEditState& state, const std::vector<CostPreset>& presets) {
  bool picked = false;
  for (size_t begin = 0, end = 0; begin < presets.size() && !picked; begin = end) {
    while (end < presets.size() && presets[end].group == presets[begin].group) ++end;
    const bool menu = end - begin > kMostInline;
    if (!menu) ImGui::SeparatorText(presets[begin].group.c_str());
    if (menu && !ImGui::BeginMenu(presets[begin].group.c_str())) continue;
    for (size_t i = begin; i < end && !picked; ++i) {
      ImGui::PushID(static_cast<int>(i));
      picked = offer_preset(state, presets[i]);
      ImGui::PopID();
    }
    if (menu) ImGui::EndMenu();
  }
  return picked;
}

/// The name of the curve with its origin, the name alone, or its beginning: what `room` pixels hold.
std::string fitting_name(const CostEditState& state, float room) {
  const auto fits = [room](const std::string& text) { return ImGui::CalcTextSize(text.c_str()).x <= room; };
  std::string label = state.edited().label.empty() ? name(state.edited().kind) : state.edited().label;
  const std::string whole = fmt::format("{} ({})", label, name(provenance_of(state)));
  if (fits(whole)) return whole;
  if (fits(label)) return label;
  while (!label.empty() && !fits(label + "...")) {
    label.pop_back();
    label.resize(whole_characters(label));
  }
  return label + "...";
}

void choose_preset(CostEditState& state) {
  const ImGuiStyle& style = ImGui::GetStyle();
  const float room = ImGui::GetContentRegionAvail().x - ImGui::GetFrameHeight() - 2 * style.FramePadding.x -
                     style.ItemInnerSpacing.x;
  ImGui::SetNextItemWidth(-FLT_MIN);
  if (ImGui::BeginCombo("##preset", fitting_name(state, room).c_str(), ImGuiComboFlags_HeightLarge)) {
    // In this order, so that a choice does not read the list that it replaces.
    if (!offer_presets(state, state.presets)) offer_presets(state, state.imported);
    ImGui::EndCombo();
  }
  if (!ImGui::BeginItemTooltip()) return;
  ImGui::PushTextWrapPos(ImGui::GetCursorPosX() + 26 * em());
  ImGui::TextUnformatted(state.edited().label.c_str());
  dim_text(fmt::format("{}: {}.", name(provenance_of(state)), state.edited().source));
  ImGui::PopTextWrapPos();
  ImGui::EndTooltip();
}

void choose_context(CostEditState& state) {
  const std::vector<int32_t>& contexts = state.edited().context;
  state.context_row = std::clamp(state.context_row, 0, static_cast<int32_t>(contexts.size()) - 1);
  const auto label_of = [&](int32_t i) { return fmt::format("{}", contexts[static_cast<size_t>(i)]); };
  const float width = 5.5f * em();
  labelled("Context", width, [&] {
    if (!ImGui::BeginCombo("##Context", label_of(state.context_row).c_str())) return false;
    for (int32_t i = 0; i < static_cast<int32_t>(contexts.size()); ++i) {
      if (!ImGui::Selectable(label_of(i).c_str(), i == state.context_row)) continue;
      state.context_row = i;
      state.refit = true;
    }
    ImGui::EndCombo();
    return false;
  });
  ImGui::SetItemTooltip("Tokens in the cache: the row of the curve that shows.");
}

bool choose_shape(CostEditState& state) {
  bool changed = false;
  if (ImGui::BeginCombo("##Shape", name(kCostShapes[static_cast<size_t>(state.shape)]))) {
    for (size_t i = 0; i < kCostShapes.size(); ++i) {
      if (ImGui::Selectable(name(kCostShapes[i]), static_cast<int32_t>(i) == state.shape)) {
        state.shape = static_cast<int32_t>(i);
        changed = true;
      }
      ImGui::SetItemTooltip("%s", meaning(kCostShapes[i]));
    }
    ImGui::EndCombo();
  }
  ImGui::SetItemTooltip("%s", meaning(kCostShapes[static_cast<size_t>(state.shape)]));
  return changed;
}

void draw_shape_choice(CostEditState& state) {
  bool changed = labelled("Shape", kSlider_em * em(), [&] { return choose_shape(state); });
  if (kCostShapes[static_cast<size_t>(state.shape)] == CostShape::kStaircase) {
    flow(labelled_width("Tile", kSlider_em * em()));
    changed |= labelled("Tile", kSlider_em * em(), [&] {
      return ImGui::SliderInt("##Tile", &state.tile, 1, 64, "%d rows", ImGuiSliderFlags_AlwaysClamp);
    });
  }
  if (!changed) return;
  const CostShape chosen = kCostShapes[static_cast<size_t>(state.shape)];
  const int32_t shape = state.shape;
  change_curve(state, "shaped the curve", [&](CostEdit& edit) {
    edit.cost = reshape(state.in_force, chosen, state.tile);
    edit.added_floor_s = 0;
    return true;
  });
  state.shape = shape;
  state.refit = true;
}

/// Adds host time to every pass, or takes some away: what launches in graphs would do.
void draw_floor(CostEditState& state) {
  const CostEdit& now = state.history.now();
  const auto [least, most] = std::minmax_element(now.cost.verify_s.begin(), now.cost.verify_s.end());
  const double bare_s = *least - now.added_floor_s;
  auto floor_ms = static_cast<float>(1e3 * now.added_floor_s);
  const bool moved = labelled("Floor", kSlider_em * em(), [&] {
    return ImGui::SliderFloat("##Floor", &floor_ms, static_cast<float>(-950 * bare_s),
                              static_cast<float>(3e3 * bare_s), "%+.3g ms",
                              ImGuiSliderFlags_AlwaysClamp | ImGuiSliderFlags_NoRoundToFormat);
  });
  ImGui::SetItemTooltip("Launch floor: host time added to every pass, or taken from it.");
  if (!moved) return;
  change_curve(state, "moved the launch floor", [&](CostEdit& edit) {
    const double seconds = 1e-3 * static_cast<double>(floor_ms);
    if (!add_floor(edit.cost, seconds - edit.added_floor_s)) return false;
    edit.added_floor_s = seconds;
    return true;
  });
}

void draw_draft(CostEditState& state) {
  const CostModel& cost = state.edited();
  const double now_s = cost.draft_s[static_cast<size_t>(state.context_row)];
  const double most_s =
      std::max({5 * state.in_force.draft_s.front(), 2 * now_s, 0.2 * cost.verify_s.front()});
  auto draft_ms = static_cast<float>(1e3 * now_s);
  const bool moved = labelled("Draft", kSlider_em * em(), [&] {
    return ImGui::SliderFloat("##Draft", &draft_ms, 0, static_cast<float>(1e3 * most_s), "%.3g ms",
                              ImGuiSliderFlags_AlwaysClamp | ImGuiSliderFlags_NoRoundToFormat);
  });
  ImGui::SetItemTooltip("One drafter block at this context; the other contexts change by as much.");
  if (!moved) return;
  change_curve(state, "moved the draft cost", [&](CostEdit& edit) {
    return set_draft(edit.cost, state.context_row, 1e-3 * static_cast<double>(draft_ms));
  });
}

void draw_side_b(CostEditState& state) {
  const bool has_b = state.history.now().other.has_value();
  if (ImGui::Button("Keep as B")) {
    CostEdit next = state.history.now();
    next.other = next.cost;
    state.history.edit(std::move(next), "kept the curve as B");
  }
  ImGui::SetItemTooltip("Keeps the present curve as side B; side A goes on being edited beside it.");
  flow(button_width("Swap A and B"));
  ImGui::BeginDisabled(!has_b);
  if (ImGui::Button("Swap A and B")) {
    CostEdit next = state.history.now();
    std::swap(next.cost, *next.other);
    next.added_floor_s = 0;
    state.history.edit(std::move(next), "swapped A and B");
    state.context_row = nearest_context_row(
        state.edited(), state.history.now().other->context[static_cast<size_t>(state.context_row)]);
    state.refit = true;
  }
  ImGui::SetItemTooltip("Edits and sends the other curve.");
  flow(button_width("Drop B"));
  if (ImGui::Button("Drop B")) {
    CostEdit next = state.history.now();
    next.other.reset();
    state.history.edit(std::move(next), "dropped B");
  }
  ImGui::EndDisabled();
}

}  // namespace

void draw_cost_choices(CostEditState& state) {
  choose_preset(state);
  choose_context(state);
}

void draw_cost_advanced(PanelContext& context, CostEditState& state) {
  draw_shape_choice(state);
  flow(labelled_width("Floor", kSlider_em * em()));
  draw_floor(state);
  flow(labelled_width("Draft", kSlider_em * em()));
  draw_draft(state);
  draw_side_b(state);
  flow(button_width("Import..."));
  draw_cost_files(context, state);
}

}  // namespace draftscope
