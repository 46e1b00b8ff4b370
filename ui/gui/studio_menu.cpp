// The menus, keys and help windows of the studio.
#include <imgui.h>
#include <misc/cpp/imgui_stdlib.h>

#include <algorithm>
#include <utility>

#include "ui/gui/dockspace.h"
#include "ui/gui/palette.h"
#include "ui/gui/studio.h"
#include "ui/gui/studio_actions.h"
#include "ui/gui/theme.h"

namespace draftscope {
namespace {

struct Term {
  const char* word;
  const char* meaning;
};
/// Keys and gestures of single panels, which those handle themselves; click a panel to give it the keys.
constexpr Term kPanelKeys[] = {
    {"Tree: arrows", "From the selected node to its parent, child or neighbour"},
    {"Tree: wheel, drag", "Zoom, pan"},
    {"Timeline: arrows", "The round before or after; Home and End, the first and the newest"},
    {"Timeline: wheel", "Zoom"},
    {"Ctrl+click", "Type a slider's number"},
};
constexpr Term kGlossary[] = {
    {"Round", "Draft, verify, accept. Each round adds at least one token to the text."},
    {"Draft", "A small model guesses the next tokens, all depths at once."},
    {"Verify", "The large model checks every drafted node in one pass."},
    {"Accept", "The path that the large model would have written itself is kept, so the text never changes."},
    {"Root", "The last token of the text so far. It is verified too: n nodes are n + 1 rows."},
    {"Bonus", "The large model's own token after the accepted path. It comes free with every round."},
    {"Budget", "How many nodes are verified. More nodes: more tokens accepted, but a slower pass."},
    {"Marginal", "The drafter's probability for a token at a depth, whatever was chosen before it."},
    {"Dense recording", "Plain decoding that keeps what the drafter says at every position: the lab decides it again."},
    {"Hindsight", "The best budget when the target's answer is already known. A bound, not a method."},
    {"Regret", "What a policy lost against hindsight: by its rule, its cost model, its probabilities, or luck."},
    {"Batch", "Several requests whose trees one pass verifies: every request's next node competes for the same rows."},
    {"Measured, predicted, derived, imported, illustrative",
     "Where a number comes from; every panel says so."},
};

}  // namespace

/// Keys belong to a text field while it is edited, to a dialog while it is open, and to the widget that the
/// keyboard walks over (after Tab) while it does.
void Studio::handle_keys() {
  const ImGuiIO& io = ImGui::GetIO();
  constexpr ImGuiPopupFlags kAny = ImGuiPopupFlags_AnyPopupId | ImGuiPopupFlags_AnyPopupLevel;
  if (io.WantTextInput || ImGui::IsPopupOpen(nullptr, kAny)) return;
  for (const ActionRow& row : action_rows()) {
    const bool plain_key = (row.chord & ImGuiMod_Mask_) == 0 || (row.chord & ImGuiMod_Shift) != 0;
    const int key = row.chord & ~ImGuiMod_Mask_;
    const bool function_key = key >= ImGuiKey_F1 && key <= ImGuiKey_F24;
    if (io.NavVisible && plain_key && !function_key) continue;
    ImGuiInputFlags flags = ImGuiInputFlags_RouteGlobal;
    if (row.repeats) flags |= ImGuiInputFlags_Repeat;
    const bool pressed = ImGui::Shortcut(row.chord, flags);
    if (pressed || (row.other_chord != 0 && ImGui::Shortcut(row.other_chord, flags))) perform(row.action);
  }
}

void Studio::draw_action_item(Action action, bool enabled) {
  const ActionRow& row = row_of(action);
  if (ImGui::MenuItem(row.label, row.keys, false, enabled)) perform(action);
}

void Studio::draw_file_menu() {
  draw_action_item(Action::kOpenTrace, can_open_);
  if (ImGui::MenuItem("Back to the engine", nullptr, false, can_go_live_)) requests_.back_to_live = true;
  draw_action_item(Action::kSavePicture);
  ImGui::Separator();
  draw_action_item(Action::kQuit);
}

void Studio::draw_edit_menu() {
  draw_action_item(Action::kUndo, cost_.history.can_undo());
  draw_action_item(Action::kRedo, cost_.history.can_redo());
}

void Studio::draw_view_menu() {
  for (int i = 0; i < kNPanels; ++i) ImGui::MenuItem(kPanels[i].title, nullptr, &panel_open_[i]);
  ImGui::Separator();
  draw_action_item(Action::kLarger);
  draw_action_item(Action::kSmaller);
  draw_action_item(Action::kNormalSize);
  ImGui::Separator();
  const bool light = current_theme() == Theme::kLight;
  if (ImGui::MenuItem("Light colours", nullptr, light)) swap_theme_ = true;
  draw_action_item(Action::kRoundsLayout);
  draw_action_item(Action::kLabLayout);
  if (ImGui::MenuItem("Reset layout")) show_panel_set(panel_set_);
}

void Studio::draw_help_menu() {
  draw_action_item(Action::kExplain);
  draw_action_item(Action::kKeys);
}

void Studio::draw_menu_bar() {
  if (!ImGui::BeginMainMenuBar()) return;
  const std::pair<const char*, void (Studio::*)()> menus[] = {{"File", &Studio::draw_file_menu},
                                                              {"Edit", &Studio::draw_edit_menu},
                                                              {"View", &Studio::draw_view_menu},
                                                              {"Help", &Studio::draw_help_menu}};
  for (const auto& [label, draw] : menus) {
    if (!ImGui::BeginMenu(label)) continue;
    (this->*draw)();
    ImGui::EndMenu();
  }
  ImGui::EndMainMenuBar();
}

void Studio::draw_open_dialog() {
  constexpr const char* kTitle = "Open trace";
  if (std::exchange(ask_path_, false)) ImGui::OpenPopup(kTitle);
  ImGui::SetNextWindowPos(ImGui::GetMainViewport()->GetCenter(), ImGuiCond_Appearing, ImVec2(0.5f, 0.5f));
  if (!ImGui::BeginPopupModal(kTitle, nullptr, ImGuiWindowFlags_AlwaysAutoResize)) return;
  ImGui::TextUnformatted("Path of a trace file. Dropping the file on the window does the same.");
  ImGui::SetNextItemWidth(std::min(36 * ImGui::GetFontSize(), 0.8f * ImGui::GetMainViewport()->WorkSize.x));
  if (ImGui::IsWindowAppearing()) ImGui::SetKeyboardFocusHere();
  const bool entered = ImGui::InputText("##path", &open_path_, ImGuiInputTextFlags_EnterReturnsTrue);
  ImGui::BeginDisabled(open_path_.empty());
  const bool pressed = ImGui::Button("Open");
  ImGui::EndDisabled();
  ImGui::SameLine();
  const bool cancelled = ImGui::Button("Cancel") || ImGui::IsKeyPressed(ImGuiKey_Escape);
  if ((entered || pressed) && !open_path_.empty()) requests_.open_trace = open_path_;
  if (entered || pressed || cancelled) {
    ImGui::CloseCurrentPopup();
    ImGui::SetNavCursorVisible(false);  // the keys go back to the rounds
  }
  ImGui::EndPopup();
}

void Studio::draw_explanation() {
  if (!show_explanation_) return;
  const float em = ImGui::GetFontSize();
  ImGui::SetNextWindowPos(ImGui::GetMainViewport()->GetCenter(), ImGuiCond_Appearing, ImVec2(0.5f, 0.5f));
  const ImVec2 room = ImGui::GetMainViewport()->WorkSize;
  ImGui::SetNextWindowSizeConstraints(ImVec2(0, 0), room);  // scrolls in a small window
  ImGui::SetNextWindowSize(ImVec2(std::min(48 * em, room.x), 0), ImGuiCond_Appearing);
  constexpr ImGuiWindowFlags kFlags = ImGuiWindowFlags_NoDocking | ImGuiWindowFlags_NoSavedSettings;
  if (ImGui::Begin(row_of(Action::kExplain).label, &show_explanation_, kFlags)) {
    ImGui::TextWrapped(
        "A large model writes one token per pass. A small one drafts a tree of guesses, and one pass of the "
        "large one checks them all. This window shows every round of that as it happens.");
    ImGui::SeparatorText("Panels");
    for (const PanelName& panel : kPanels) {
      ImGui::TextColored(ImGui::ColorConvertU32ToFloat4(palette().root), "%s", panel.title);
      ImGui::SameLine(9 * em);
      ImGui::TextWrapped("%s", panel.question);
    }
    ImGui::SeparatorText("Words");
    for (const Term& term : kGlossary) {
      ImGui::TextColored(ImGui::ColorConvertU32ToFloat4(palette().bonus), "%s", term.word);
      if (ImGui::GetItemRectSize().x < 8 * em) ImGui::SameLine(9 * em);
      ImGui::TextWrapped("%s", term.meaning);
    }
  }
  ImGui::End();
}

void Studio::draw_key_list() {
  const auto row = [](const char* keys, const char* meaning) {
    ImGui::TextUnformatted(keys);
    ImGui::SameLine(ImGui::GetFontSize() * 13);
    ImGui::TextUnformatted(meaning);
  };
  for (const ActionRow& action : action_rows()) row(action.keys, action.label);
  ImGui::SeparatorText("In a panel");
  for (const Term& term : kPanelKeys) row(term.word, term.meaning);
}

void Studio::draw_keys() {
  if (!show_keys_) return;
  ImGui::SetNextWindowPos(ImGui::GetMainViewport()->GetCenter(), ImGuiCond_Appearing, ImVec2(0.5f, 0.5f));
  ImGui::SetNextWindowSizeConstraints(ImVec2(0, 0), ImGui::GetMainViewport()->WorkSize);
  constexpr ImGuiWindowFlags kFlags = ImGuiWindowFlags_NoDocking | ImGuiWindowFlags_NoSavedSettings |
                                      ImGuiWindowFlags_AlwaysAutoResize | ImGuiWindowFlags_NoCollapse;
  if (ImGui::Begin(row_of(Action::kKeys).label, &show_keys_, kFlags)) {
    draw_key_list();
    ImGui::TextDisabled("Tab walks through the widgets; Esc gives the keys back to the rounds.");
  }
  ImGui::End();
}

}  // namespace draftscope
