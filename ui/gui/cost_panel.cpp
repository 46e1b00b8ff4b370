// The cost curve: choose one, bend it, compare it, send it; the next round decides with it.
#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <string>
#include <utility>

#include "ui/gui/cost_parts.h"
#include "ui/gui/palette.h"
#include "ui/gui/panel_common.h"
#include "ui/view/cost_compare.h"
#include "ui/view/cost_shape.h"

namespace draftscope {
namespace {

constexpr float kRoomy_em = 40;  // from this height on everything shows
constexpr float kWords_em = 24;  // from this height on there is room for a line of words

/// A new session brings its own curve; edits belong to the one before.
void adopt_session(const PanelContext& context, CostEditState& state) {
  const SessionInfo& info = *context.store.info();
  if (state.session == info.session) return;
  state.session = info.session;
  state.in_force = info.cost;
  state.history.start_over({info.cost, std::nullopt, 0});
  state.asked_version = state.history.version();
  state.shape = 0;
  state.problem.clear();
  state.refit = true;
  state.context_row = nearest_context_row(info.cost, info.prompt_tokens);
  state.presets.clear();
  if (context.cost_tools.presets) state.presets = context.cost_tools.presets(info.cost);
  if (state.presets.empty())
    state.presets.push_back({"this session", "as it began", info.cost, Provenance::kMeasured});
}

void draw_apply(PanelContext& context, CostEditState& state) {
  ImGui::BeginDisabled(!context.live || !state.dirty());
  if (ImGui::Button("Apply")) {
    context.send(SetCostCommand{state.edited()});
    state.in_force = state.edited();
    state.shape = 0;
  }
  ImGui::EndDisabled();
  ImGui::SetItemTooltip("%s", !context.live   ? "A recording has no engine that could use the curve."
                              : state.dirty() ? "The next round decides with the edited curve."
                                              : "Nothing was edited.");
}

void draw_reset(const PanelContext& context, CostEditState& state) {
  const CostModel& first = context.store.info()->cost;
  ImGui::BeginDisabled(same_cost(state.edited(), first));
  if (ImGui::Button("Reset")) replace_curve(state, first, "back to the session's curve");
  ImGui::EndDisabled();
  ImGui::SetItemTooltip("Back to the curve this session began with.");
}

void draw_undo(CostEditState& state) {
  ImGui::BeginDisabled(!state.history.can_undo());
  if (ImGui::Button("Undo")) undo_cost_edit(state);
  ImGui::EndDisabled();
  ImGui::SetItemTooltip("Take back: %s (Ctrl+Z).", state.history.undo_what().c_str());
  flow(button_width("Redo"));
  ImGui::BeginDisabled(!state.history.can_redo());
  if (ImGui::Button("Redo")) redo_cost_edit(state);
  ImGui::EndDisabled();
  ImGui::SetItemTooltip("Do again: %s (Ctrl+Y).", state.history.redo_what().c_str());
}

const char* note_of(const PanelContext& context, const CostEditState& state) {
  return !context.live   ? "Recording: edits stay in this window."
         : state.dirty() ? "Edited, not sent."
                         : "In force.";
}

/// Everything there is to say about the curves, a sentence each.
std::vector<std::string> sentences_of(const PanelContext& context, const CostEditState& state) {
  const CostModel& cost = state.edited();
  std::vector<std::string> out;
  const bool has_b = state.history.now().other.has_value();
  out.push_back(
      fmt::format("{}{} ({}): {}.", has_b ? "A: " : "", cost.label, name(provenance_of(state)), cost.source));
  if (has_b) {
    const CostModel& other = *state.history.now().other;
    out.push_back(fmt::format("B: {}: {}.", other.label, other.source));
  }
  const RoundRecord* record = context.shown();
  if (record == nullptr) return out;
  if (const CostModel* other = compared_with(state)) {
    const BudgetWords words = has_b ? budget_words(*record, cost, "A", *other, "B")
                                    : budget_words(*record, cost, "this curve", *other, "the one in force");
    if (!words.sentence.empty()) out.push_back(words.sentence + (words.why.empty() ? "" : " " + words.why));
  } else if (const auto best = best_budget(*record, cost)) {
    out.push_back(
        fmt::format("Best budget of this round (derived from its expected tokens): {} below the root, {:.1f} "
                    "tokens/s.",
                    best->n == 1 ? "1 node" : fmt::format("{} nodes", best->n), best->tokens_per_s));
  }
  if (record->context_len > cost.context.back() && cost.context.size() > 1) {
    out.push_back(fmt::format(
        "This round's context of {} tokens is beyond the last one of the curve, {}: its costs are "
        "those of the last.",
        record->context_len, cost.context.back()));
  }
  return out;
}

void draw_help(const PanelContext& context, const CostEditState& state) {
  help_mark([&] {
    for (const std::string& sentence : sentences_of(context, state)) ImGui::TextUnformatted(sentence.c_str());
    dim_text(note_of(context, state));
    dim_text(
        "Drag a point to move it, double-click to add one, right-click a point to remove it. The wheel "
        "zooms, the "
        "middle button pans. Flags mark where the curve steps or bends.");
  });
}

/// Shows and hides the second block of controls.
void draw_more(CostEditState& state, bool advanced) {
  const char* label = advanced ? "Less###more" : "More###more";
  flow(button_width(label));
  if (ImGui::Button(label)) state.advanced = !advanced;
  ImGui::SetItemTooltip("Shapes, launch floor, draft cost, side B, files and points.");
}

/// Back to the whole curve, while something else is in sight.
void draw_reset_view(CostEditState& state) {
  if (!state.zoomed) return;
  flow(button_width("Reset view"));
  if (ImGui::Button("Reset view")) state.refit = true;
  ImGui::SetItemTooltip("Show the whole curve again. The wheel zooms, the middle button pans.");
}

/// Where the shown round stands among the contexts, where there is room.
void draw_round_context(const PanelContext& context) {
  if (context.shown() == nullptr) return;
  const std::string words = fmt::format("round at {}", context.shown()->context_len);
  if (ImGui::CalcTextSize(words.c_str()).x > room_beside()) return;
  ImGui::SameLine();
  ImGui::AlignTextToFramePadding();
  dim_text(words);
}

/// Apply, Reset, Undo, Redo and, where there is room, a note.
void draw_buttons(PanelContext& context, CostEditState& state) {
  draw_apply(context, state);
  flow(button_width("Reset"));
  draw_reset(context, state);
  flow(button_width("Undo"));
  draw_undo(state);
  const char* note = note_of(context, state);
  if (ImGui::CalcTextSize(note).x > room_beside()) return;
  ImGui::SameLine();
  ImGui::AlignTextToFramePadding();
  dim_text(note);
}

void draw_problem(CostEditState& state) {
  if (state.problem.empty()) return;
  ImGui::PushStyleColor(ImGuiCol_Text, palette().warning);
  ImGui::PushTextWrapPos(0);
  ImGui::TextUnformatted(state.problem.c_str());
  ImGui::PopTextWrapPos();
  ImGui::PopStyleColor();
  flow(button_width("Dismiss"));
  if (ImGui::Button("Dismiss")) state.problem.clear();
}

/// What the curves mean for the shown round: all of it in a tall panel, the budgets alone in a shorter one.
void draw_words(const PanelContext& context, const CostEditState& state) {
  ImGui::PushTextWrapPos(0);
  if (!short_panel(kRoomy_em)) {
    for (const std::string& sentence : sentences_of(context, state)) dim_text(sentence);
  } else if (const CostModel* other = compared_with(state);
             other && context.shown() && !short_panel(kWords_em)) {
    const bool has_b = state.history.now().other.has_value();
    dim_text(budget_words(*context.shown(), state.edited(), has_b ? "A" : "edited", *other,
                          name_of_compared(state))
                 .short_words);
  }
  ImGui::PopTextWrapPos();
}

void ask_lab(PanelContext& context, CostEditState& state) {
  if (state.asked_version == state.history.version()) return;
  state.asked_version = state.history.version();
  if (context.ask_lab) context.ask_lab(state.edited(), state.history.now().other);
}

/// The context row that was shown, by its tokens, in a curve with other contexts.
void keep_context(CostEditState& state, int32_t tokens) {
  state.context_row = nearest_context_row(state.edited(), tokens);
}

int32_t shown_context(const CostEditState& state) {
  const std::vector<int32_t>& context = state.edited().context;
  return context.empty() ? 0
                         : context[static_cast<size_t>(
                               std::clamp(state.context_row, 0, static_cast<int32_t>(context.size()) - 1))];
}

}  // namespace

void replace_curve(CostEditState& state, CostModel cost, std::string what) {
  const int32_t tokens = shown_context(state);
  CostEdit next = state.history.now();
  next.cost = std::move(cost);
  next.added_floor_s = 0;
  state.history.edit(std::move(next), std::move(what));
  state.problem.clear();
  state.refit = true;
  keep_context(state, tokens);
}

bool change_curve(CostEditState& state, const char* what, const std::function<bool(CostEdit&)>& change) {
  CostEdit next = state.history.now();
  if (!change(next)) return false;
  const int32_t tokens = shown_context(state);
  if (ImGui::IsMouseDown(ImGuiMouseButton_Left))
    state.history.drag(std::move(next), what);
  else
    state.history.edit(std::move(next), what);
  state.problem.clear();
  state.shape = 0;
  keep_context(state, tokens);
  return true;
}

void undo_cost_edit(CostEditState& state) {
  const int32_t tokens = shown_context(state);
  if (!state.history.undo()) return;
  keep_context(state, tokens);
  state.refit = true;
}

void redo_cost_edit(CostEditState& state) {
  const int32_t tokens = shown_context(state);
  if (!state.history.redo()) return;
  keep_context(state, tokens);
  state.refit = true;
}

void show_problem(PanelContext& context, CostEditState& state, std::string sentence) {
  if (context.notice) context.notice(sentence);
  state.problem = std::move(sentence);
}

Provenance provenance_of(const CostEditState& state) {
  const CostModel& cost = state.edited();
  if (cost.kind == CostKind::kByHand) return Provenance::kIllustrative;
  for (const auto* presets : {&state.presets, &state.imported}) {
    for (const CostPreset& preset : *presets) {
      if (preset.cost.label == cost.label && same_cost(preset.cost, cost)) return preset.provenance;
    }
  }
  return Provenance::kDerived;
}

const CostModel* compared_with(const CostEditState& state) {
  if (state.history.now().other) return &*state.history.now().other;
  return state.dirty() && is_drawable(state.in_force) ? &state.in_force : nullptr;
}

const char* name_of_compared(const CostEditState& state) {
  return state.history.now().other ? "B" : "in force";
}

float labelled_width(const char* label, float width) {
  return width + ImGui::GetStyle().ItemInnerSpacing.x + ImGui::CalcTextSize(label).x;
}

void draw_cost_panel(PanelContext& context, CostEditState& state) {
  if (!context.store.info()) {
    draw_empty("No session yet: the cost curve that decides the budgets appears here.");
    return;
  }
  adopt_session(context, state);
  if (!is_drawable(state.edited())) {
    draw_empty("This session carries no cost curve.");
    return;
  }
  if (!ImGui::IsMouseDown(ImGuiMouseButton_Left)) state.history.end_drag();
  const bool advanced = state.advanced.value_or(!short_panel(kRoomy_em));
  draw_cost_choices(state);
  flow(button_width("?"));
  draw_help(context, state);
  draw_more(state, advanced);
  draw_reset_view(state);
  draw_round_context(context);
  draw_buttons(context, state);
  if (advanced) draw_cost_advanced(context, state);
  draw_problem(state);
  draw_words(context, state);
  draw_cost_plot(context, state, std::max((advanced ? 12 : 6) * em(), ImGui::GetContentRegionAvail().y));
  ask_lab(context, state);
}

}  // namespace draftscope
