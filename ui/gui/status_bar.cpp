#include "ui/gui/status_bar.h"

#include <fmt/format.h>
#include <imgui.h>
#include <imgui_internal.h>

#include "engine/base/utf8.h"
#include "ui/gui/palette.h"
#include "ui/view/summary.h"

namespace draftscope {
namespace {

std::string state_of(const RecordStore& store, const StatusFacts& facts) {
  if (!facts.live && !store.info()) return "NO RECORDING";
  if (!facts.live) return facts.file.empty() ? "RECORDING" : "RECORDING " + facts.file;
  if (facts.measuring) return "LIVE, measuring";
  if (!store.info()) return "LIVE, idle";
  if (store.end()) return fmt::format("LIVE, ended ({})", name(store.end()->reason));
  return facts.paused ? "LIVE, paused between rounds" : "LIVE, decoding";
}

void add_speed(std::vector<StatusItem>& items, const RecordStore& store) {
  if (store.empty()) return;
  const Summary run = summary(store);
  for (const std::string& problem : run.problems) items.push_back({problem, problem, true});
  if (run.tokens_per_s > 0) {
    items.push_back({fmt::format("{:.1f} tokens/s measured", run.tokens_per_s),
                     "Tokens committed per second of measured round time, over all rounds kept here.", false,
                     true});
  }
  items.push_back({fmt::format("{:.2f} tokens/round", run.tokens_per_round),
                   fmt::format("Over {} rounds, the bonus token included.", store.rounds().size()), false,
                   true});
}

void add_drift(std::vector<StatusItem>& items, const RecordStore& store) {
  if (store.empty() || !store.rounds().back().drift_alarm) return;
  items.push_back({fmt::format("passes take {:.2f} x the profile", store.rounds().back().cost_drift),
                   "Measured over profiled seconds of a verify pass, re-estimated while decoding. It has stayed away "
                   "from 1 for several rounds: the machine has changed since the profile was taken.",
                   true});
}

void add_session(std::vector<StatusItem>& items, const SessionInfo& info, const RecordStore& store) {
  // The method can be changed between rounds: the newest round knows it best.
  const Method method = store.empty() ? info.method : store.rounds().back().method;
  items.push_back({name(method), "How this session drafts and chooses its budget.", false, true});
  if (info.n_slots > 0) {
    items.push_back({fmt::format("request {} of {}", store.shown_request() + 1, store.requests().size()),
                     "Tree, text and times are this request's; Page up and Page down, or the Batch panel, show another. "
                     "Times are those of whole passes.",
                     false, true});
  }
  if (!info.note.empty())
    items.push_back({info.note, "What to keep in mind about these numbers.", true, true});
  items.push_back({info.drafter_name.empty() ? info.target_name
                                             : fmt::format("{} + {}", info.target_name, info.drafter_name),
                   "Target model and its drafter."});
  items.push_back({info.precision, "Precision of the weights."});
  items.push_back({info.backend, "What computes."});
  items.push_back({info.machine, "Machine that the times were measured on."});
}

/// The start of a text with "..." after it, within `room` pixels; empty when too little would be left.
std::string shortened(const std::string& text, float room,
                      const std::function<float(std::string_view)>& width_of) {
  constexpr size_t kLeast = 8;  // bytes
  std::string start = text;
  while (start.size() >= kLeast && width_of(start + "...") > room) {
    start.pop_back();
    start.resize(whole_characters(start));
  }
  return start.size() < kLeast ? std::string() : start + "...";
}

}  // namespace

std::vector<StatusItem> status_items(const RecordStore& store, const StatusFacts& facts) {
  std::vector<StatusItem> items;
  items.push_back({state_of(store, facts),
                   facts.live ? "Rounds come from an engine in this process."
                              : "Rounds come from a trace; the controls play them.",
                   false, true});
  if (!facts.notice.empty()) items.push_back({facts.notice, facts.notice, facts.notice_warns});
  if (store.end() && store.end()->reason == EndReason::kError) {
    items.push_back({store.end()->message, store.end()->message, true});
  }
  if (!store.errors().empty()) {
    items.push_back(
        {fmt::format("{} unreadable frame{}", store.errors().size(), store.errors().size() == 1 ? "" : "s"),
         store.errors().back(), true});
  }
  if (store.n_skipped() > 0) {
    items.push_back(
        {fmt::format("{} round{} not shown", store.n_skipped(), store.n_skipped() == 1 ? "" : "s"),
         "The live queue was full, so these rounds were decoded but not sent to the window.", true});
  }
  add_drift(items, store);
  add_speed(items, store);
  if (store.info()) add_session(items, *store.info(), store);
  return items;
}

std::vector<StatusItem> fitting_items(const std::vector<StatusItem>& items, float room, float gap,
                                      const std::function<float(std::string_view)>& width_of) {
  std::vector<std::string> shown(items.size());  // empty: left out
  for (const bool keep : {true, false}) {
    for (size_t i = 0; i < items.size(); ++i) {
      if (items[i].keep != keep || items[i].text.empty()) continue;
      const bool whole = width_of(items[i].text) + gap <= room;
      shown[i] = whole ? items[i].text : keep ? "" : shortened(items[i].text, room - gap, width_of);
      if (!shown[i].empty()) room -= width_of(shown[i]) + gap;
      if (!whole) break;
    }
  }
  std::vector<StatusItem> out;
  for (size_t i = 0; i < items.size(); ++i) {
    if (shown[i].empty()) continue;
    out.push_back(items[i]);
    out.back().text = shown[i];
  }
  return out;
}

void draw_status_bar(const std::vector<StatusItem>& items) {
  const ImGuiStyle& style = ImGui::GetStyle();
  const float height = ImGui::GetFrameHeight();
  constexpr ImGuiWindowFlags kFlags =
      ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_MenuBar;
  if (ImGui::BeginViewportSideBar("##status", ImGui::GetMainViewport(), ImGuiDir_Down, height, kFlags)) {
    if (ImGui::BeginMenuBar()) {
      const float right_edge = ImGui::GetWindowPos().x + ImGui::GetWindowWidth() - style.WindowPadding.x;
      const float gap = 2 * style.ItemSpacing.x + 1;
      const float room = right_edge - ImGui::GetCursorScreenPos().x + gap;
      const auto width_of = [](std::string_view text) {
        return ImGui::CalcTextSize(text.data(), text.data() + text.size()).x;
      };
      bool first = true;
      for (const StatusItem& item : fitting_items(items, room, gap, width_of)) {
        if (!first) ImGui::Separator();
        first = false;
        ImGui::PushStyleColor(ImGuiCol_Text, item.warning ? palette().warning : palette().text);
        ImGui::TextUnformatted(item.text.c_str());
        ImGui::PopStyleColor();
        ImGui::SetItemTooltip("%s", item.explanation.c_str());
      }
      ImGui::EndMenuBar();
    }
  }
  ImGui::End();
}

}  // namespace draftscope
