// What to decode and how; every control sends one Command.
#include <fmt/format.h>
#include <imgui.h>
#include <misc/cpp/imgui_stdlib.h>

#include <algorithm>
#include <string>

#include "engine/record/policies.h"
#include "ui/gui/palette.h"
#include "ui/gui/panel_common.h"
#include "ui/gui/studio_actions.h"

namespace draftscope {
namespace {

/// What the list says, e.g. "exact: exact optimum".
std::string label_of(const Policy& policy) { return fmt::format("{}: {}", name(policy.method), policy.title); }

std::string meaning_of(const Policy& policy, const ControlState& state) {
  std::string meaning = fmt::format("{} Source: {}.", policy.summary, policy.source);
  if (policy.method == Method::kCalibrated && !state.correction.empty())
    meaning += fmt::format(" Correction: {}.", state.correction);
  return meaning;
}

/// Why a policy cannot be chosen now; nullptr when it can.
const char* why_not_offered(const Policy& policy, const ControlState& state) {
  if (policy.method != Method::kCalibrated || !state.correction.empty()) return nullptr;
  return "No correction is at hand. Start with --correction FILE (draftscope calibrate makes one), or open a "
         "dense "
         "recording and press \"Use this correction\" in the lab's calibration panel.";
}

void draw_policy_choice(const Policy& policy, ControlState& state, bool& changed) {
  const char* why_not = why_not_offered(policy, state);
  ImGui::BeginDisabled(why_not != nullptr);
  const std::string label = why_not ? label_of(policy) + " (needs a correction)" : label_of(policy);
  if (ImGui::Selectable(label.c_str(), policy.method == state.start.method)) {
    state.start.method = policy.method;
    changed = true;
  }
  ImGui::EndDisabled();
  ImGui::SetItemTooltip("%s", why_not ? why_not : meaning_of(policy, state).c_str());
}

/// A button that says why it cannot be pressed.
bool button(const char* label, const char* why_not, const char* meaning) {
  ImGui::BeginDisabled(why_not != nullptr);
  const bool pressed = ImGui::Button(label);
  ImGui::EndDisabled();
  ImGui::SetItemTooltip("%s", why_not ? why_not : meaning);
  return pressed;
}

void draw_engine_buttons(PanelContext& context, const ControlState& state) {
  const char* no_run = why_no_run(context, state);
  const char* no_pause = why_no_pause(context);
  if (button("Run", no_run, "Decode the prompt (F5; Ctrl+Enter in the prompt)."))
    context.perform(Action::kRun);
  flow(button_width("Resume"));
  const bool pause =
      state.paused ? button("Resume", no_pause, "Go on decoding (Space).")
                   : button("Pause", no_pause, "Stop after the round under way; nothing is lost (Space).");
  if (pause) context.perform(Action::kPlayPause);
  flow(button_width("Step"));
  if (button("Step", no_pause, "Decode one round, then pause (N).")) context.perform(Action::kStep);
  flow(button_width("Stop"));
  if (button("Stop", no_pause, "End the generation; its rounds stay (Shift+F5)."))
    context.perform(Action::kStop);
  ImGui::PushTextWrapPos(0);
  if (no_run && !context.decoding()) dim_text(no_run);
  if (context.measuring.running) dim_text("Decoding begins after the measurement. After a change here, press Run.");
  if (context.decoding()) dim_text(state.paused ? "Paused between rounds." : "Decoding.");
  if (const auto& end = context.store.end(); end && end->message.empty()) {
    dim_text(std::string("Ended: ") + name(end->reason) + ".");
  } else if (end) {
    dim_text(std::string("Ended: ") + name(end->reason) + ". " + end->message + ".");
  }
  ImGui::PopTextWrapPos();
}

/// What plays the rounds of a recording.
void draw_player(PanelContext& context, const ControlState& state) {
  const char* no_rounds = context.store.empty() ? "There are no rounds to play." : nullptr;
  if (button(state.playing ? "Pause" : "Play", no_rounds, "Show the rounds one after another (Space)."))
    context.perform(Action::kPlayPause);
  flow(button_width("Step"));
  if (button("Step", no_rounds, "Show the next round (N).")) context.perform(Action::kStep);
  ImGui::PushTextWrapPos(0);
  dim_text(state.playing ? "A recording, playing." : "A recording. Below is what it was made with.");
  ImGui::PopTextWrapPos();
}

/// Room for the longest label beside the widgets; where they would be too narrow, all labels go above.
float widget_width() {
  const float room = ImGui::GetContentRegionAvail().x;
  const float beside = room - ImGui::CalcTextSize("Temperature").x - 0.5f * em();
  return beside < 6.5f * em() ? room : beside;
}

bool choose_method(ControlState& state) {
  const Policy& chosen = policy_of(state.start.method);
  const bool narrow = ImGui::CalcItemWidth() < 15 * em();
  bool changed = false;
  if (ImGui::BeginCombo("##Method", narrow ? name(chosen.method) : label_of(chosen).c_str())) {
    for (const Policy& policy : policies()) {
      if (policy.live) draw_policy_choice(policy, state, changed);  // hindsight cannot decode
    }
    ImGui::EndCombo();
  }
  ImGui::SetItemTooltip("%s", meaning_of(chosen, state).c_str());
  return changed;
}

bool choose_budget(ControlState& state) {
  const bool fixed = policy_of(state.start.method).budget == BudgetUse::kNodes;
  ImGui::BeginDisabled(!fixed);
  const bool changed = ImGui::SliderInt("##Budget", &state.start.budget, 1, state.max_nodes, "%d nodes",
                                        ImGuiSliderFlags_AlwaysClamp);
  ImGui::EndDisabled();
  ImGui::SetItemTooltip("%s", fixed ? "Nodes to verify in every round."
                                    : "Only fixed trees have a budget of nodes; the other methods decide themselves.");
  return changed;
}

void draw_method(PanelContext& context, ControlState& state) {
  bool changed = labelled("Method", widget_width(), [&] { return choose_method(state); });
  changed |= labelled("Budget", widget_width(), [&] { return choose_budget(state); });
  // Text is the same whatever the method, so it may change in mid-run.
  if (changed && context.decoding()) context.send(SetMethodCommand{state.start.method, state.start.budget});
}

void draw_sampling(PanelContext& context, ControlState& state) {
  StartCommand& start = state.start;
  const auto field = [&](const char* label, auto draw) {
    labelled(label, widget_width(), [&] {
      const bool changed = draw();
      if (context.decoding())
        ImGui::SetItemTooltip("Fixed while decoding: press Stop, change it, press Run.");
      return changed;
    });
  };
  ImGui::BeginDisabled(context.decoding());
  field("Temperature", [&] {
    return ImGui::SliderFloat("##Temperature", &start.temperature, 0.0f, 1.5f,
                              start.temperature > 0 ? "%.2f" : "0, greedy", ImGuiSliderFlags_AlwaysClamp);
  });
  field("Max tokens", [&] { return ImGui::InputInt("##Max tokens", &start.max_tokens, 16, 64); });
  start.max_tokens = std::clamp(start.max_tokens, 1, 1 << 20);
  field("Seed", [&] { return ImGui::InputScalar("##Seed", ImGuiDataType_U64, &start.seed); });
  ImGui::EndDisabled();
}

void draw_speed(PanelContext& context, ControlState& state) {
  auto speed = static_cast<float>(state.rounds_per_s);
  const float least = context.live ? 0.0f : 0.5f;  // a recording that does not wait could not be watched
  const char* unlimited = widget_width() < 10 * em() ? "no limit" : "as fast as possible";
  const bool changed = labelled("Speed", widget_width(), [&] {
    const bool moved =
        ImGui::SliderFloat("##Speed", &speed, least, 30.0f, speed > 0 ? "%.1f rounds/s" : unlimited,
                           ImGuiSliderFlags_AlwaysClamp);
    ImGui::SetItemTooltip("%s", context.live
                                    ? "At most this many rounds per second, to watch them; 0 does not wait."
                                    : "Rounds per second while the recording plays.");
    return moved;
  });
  if (changed) {
    state.rounds_per_s = speed;
    context.send(SetSpeedCommand{state.rounds_per_s});
  }
}

/// On recordings the controls show what was used.
void show_recorded(const SessionInfo& info, ControlState& state) {
  state.start = {info.prompt_utf8, info.method, info.budget, info.max_tokens, info.temperature, info.seed};
}

/// True when the person asks for the prompt to be decoded.
bool edit_prompt(const PanelContext& context, ControlState& state) {
  dim_text("Prompt");
  const float others = 6.2f * ImGui::GetFrameHeightWithSpacing();
  const float room = ImGui::GetContentRegionAvail().y - others;
  ImGuiInputTextFlags flags =
      ImGuiInputTextFlags_WordWrap | ImGuiInputTextFlags_EnterReturnsTrue;  // with Ctrl
  if (!context.live) flags |= ImGuiInputTextFlags_ReadOnly;
  return ImGui::InputTextMultiline("##Prompt", &state.start.prompt_utf8,
                                   {-1, std::clamp(room, 4 * em(), 12 * em())}, flags);
}

}  // namespace

const char* why_no_run(const PanelContext& context, const ControlState& state) {
  if (!context.live) return "This is a recording: there is no engine to run.";
  if (context.decoding()) return "Decoding is under way: press Stop first.";
  if (state.start.prompt_utf8.empty()) return "Write a prompt first.";
  return nullptr;
}

const char* why_no_pause(const PanelContext& context) {
  if (!context.live) return "This is a recording: there is no engine to pause.";
  if (context.measuring.running) return "Nothing is being decoded yet: the measurement comes first.";
  if (!context.decoding()) return "Nothing is being decoded: press Run.";
  return nullptr;
}

void draw_controls_panel(PanelContext& context, ControlState& state) {
  if (!context.live && context.store.info()) show_recorded(*context.store.info(), state);
  if (context.live) {
    draw_engine_buttons(context, state);
  } else {
    draw_player(context, state);
  }
  if (edit_prompt(context, state)) context.perform(Action::kRun);
  ImGui::PushStyleVar(ImGuiStyleVar_GrabMinSize, 0.3f * em());  // thin: the number is written across it
  ImGui::BeginDisabled(!context.live);
  draw_method(context, state);
  draw_sampling(context, state);
  ImGui::EndDisabled();
  draw_speed(context, state);
  ImGui::PopStyleVar();
}

}  // namespace draftscope
