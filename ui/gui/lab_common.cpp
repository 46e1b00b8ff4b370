// What the lab's panels share.
#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/record/policies.h"
#include "ui/gui/lab_panels.h"
#include "ui/gui/palette.h"
#include "ui/gui/panel_common.h"

namespace draftscope {
namespace {

/// The policies of the budget track: those that differ most, and the one whose regret is shown.
std::vector<Method> track_methods(const LabState& state) {
  std::vector<Method> methods = {Method::kDdtree, Method::kCaddtree, Method::kExact, Method::kOracle,
                                 state.question.regret_of};
  if (!state.all_policies) return methods;
  methods.clear();
  for (const Policy& policy : policies()) methods.push_back(policy.method);
  return methods;
}

void update_views(LabState& state) {
  LabViews& views = state.views;
  const LabReport& report = *state.report;
  const bool fresh = state.viewed != state.report;
  if (fresh) {
    views.table = lab_table(report);
    views.regret = regret_stack(report);
    views.reliability = reliability_plot(report.calibration);
  }
  if (fresh || state.viewed_all != state.all_policies)
    views.track = budget_track(report, track_methods(state));
  if (fresh || state.viewed_floor != state.floor)
    views.sweep = sweep_map(report.sweep, static_cast<size_t>(state.floor));
  state.viewed = state.report;
  state.viewed_all = state.all_policies;
  state.viewed_floor = state.floor;
}

}  // namespace

void LabState::ask() {
  ++question.number;
  if (link.ask) link.ask(question);
}

bool LabState::busy() const {
  if (question.number == 0 || !link.report) return false;
  if (report == nullptr) return true;
  if (!report->problem.empty()) return false;
  return report->question != question.number || report->best_fixed.budget == 0 ||
         report->sweep.n_done < static_cast<int64_t>(report->sweep.tokens_per_s.size());
}

const LabViews* lab_views(const PanelContext& context, LabState& state) {
  const std::string reason = lab_empty_reason(context.store.info(), context.live, state.report.get());
  if (!reason.empty()) {
    draw_empty(reason);
    return nullptr;
  }
  update_views(state);
  return &state.views;
}

ImU32 policy_colour(Method method) {
  const Palette& c = palette();
  switch (method) {
    case Method::kDdtree:
      return c.root;
    case Method::kCaddtree:
      return c.faithful;
    case Method::kExact:
      return c.best;
    case Method::kBastion:
      return c.rejected;
    case Method::kCast:
      return c.commit;
    case Method::kExactFill:
      return blend(c.best, c.text, 0.45f);
    case Method::kCalibrated:
      return blend(c.best, c.root, 0.5f);
    case Method::kSpine:
      return blend(c.root, c.text, 0.45f);
    case Method::kOracle:
      return c.text;
    case Method::kPlain:
    case Method::kDflash:
      return c.text_dim;
  }
  return c.text;
}

void draw_speed_bar(const LabRow& row, float height) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x, high = ImGui::GetTextLineHeight();
  const auto x = [&](double share) { return at.x + width * static_cast<float>(std::clamp(share, 0.0, 1.0)); };
  const ImU32 colour = policy_colour(row.method);
  const ImU32 bar = blend(palette().panel, colour, row.best ? 0.6f : 0.38f);
  const float top = at.y - 0.25f * (height - high), bottom = at.y + high + 0.25f * (height - high);
  if (row.bound) {
    list->AddRect({at.x, top}, {x(row.share), bottom}, colour, 0.2f * em());
  } else {
    list->AddRectFilled({at.x, top}, {x(row.share), bottom}, bar, 0.2f * em());
  }
  const float thick = std::max(1.0f, 0.1f * em());
  list->AddLine({x(row.believed_share), top}, {x(row.believed_share), bottom}, palette().text, thick);
  if (row.other_share > 0) {  // side B: a thin bar under it
    const float low = bottom + thick;
    list->AddRectFilled({at.x, low}, {x(row.other_share), low + 1.5f * thick}, palette().cost);
  }
  const std::string words = row.note.empty() ? row.speed : row.speed + "  " + row.note;
  const float room = ImGui::CalcTextSize(words.c_str()).x + 0.4f * em(), end = x(row.share);
  float words_x = at.x + 0.4f * em();
  if (const float line = x(row.believed_share); line < words_x + room) words_x = line + 0.4f * em();
  const bool inside = words_x + room <= end;  // otherwise beside a short bar, not under its end
  if (!inside && words_x < end) words_x = end + 0.4f * em();
  ImGui::SetCursorScreenPos({words_x, at.y});
  ImGui::PushStyleColor(ImGuiCol_Text, inside && !row.bound ? ink_on(bar) : palette().text);
  ImGui::TextUnformatted(words.c_str());
  ImGui::PopStyleColor();
}

}  // namespace draftscope
