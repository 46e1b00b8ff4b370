#include "ui/gui/panel_common.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "ui/gui/palette.h"
#include "ui/view/node_facts.h"

namespace draftscope {

/// What the cached views were made from.
struct RoundKey {
  uint64_t version = 0;
  int64_t round = -1;
  float font_size = 0;
  TreeOptions tree;
  bool operator==(const RoundKey&) const = default;
};

struct RunKey {
  uint64_t version = 0;
  bool measuring = false;
  bool operator==(const RunKey&) const = default;
};

struct ViewCache {
  TreeOptions tree;
  std::optional<RoundKey> round_key;
  RoundViews round;
  std::optional<RunKey> run_key;
  RunViews run;
};

std::shared_ptr<ViewCache> make_view_cache() { return std::make_shared<ViewCache>(); }

const RoundRecord* PanelContext::shown() const {
  const int64_t round = shown_round(*this);
  return round < 0 ? nullptr : &store.rounds()[static_cast<size_t>(round)];
}

int64_t shown_round(const PanelContext& context) {
  const auto n = static_cast<int64_t>(context.store.rounds().size());
  if (n == 0) return -1;
  return context.selection.follow_live ? n - 1 : std::clamp<int64_t>(context.selection.round, 0, n - 1);
}

void show_round(PanelContext& context, int64_t round) {
  const auto n = static_cast<int64_t>(context.store.rounds().size());
  if (n == 0) return;
  context.selection.follow_live = false;
  context.selection.round = std::clamp<int64_t>(round, 0, n - 1);
}

TreeOptions& tree_options(PanelContext& context) { return context.cache->tree; }

const RoundViews& round_views(PanelContext& context) {
  ViewCache& cache = *context.cache;
  const RoundKey key = {context.store.version(), shown_round(context), ImGui::GetFontSize(), cache.tree};
  if (cache.round_key == key) return cache.round;
  // A node index means nothing in another round.
  if (cache.round_key && cache.round_key->round != key.round) context.selection.node.reset();
  const RoundRecord& record = *context.shown();
  LayoutOptions options;
  options.top_down = cache.tree.top_down;
  options.max_candidates = cache.tree.candidates ? cache.tree.max_candidates : 0;
  options.text_width_em = [](std::string_view text) {
    return ImGui::CalcTextSize(text.data(), text.data() + text.size()).x / ImGui::GetFontSize();
  };
  const TreeOptions& tree = cache.tree;
  cache.round = {tree.whole ? tree_layout(record, options)
                            : fitting_layout(record, options, static_cast<float>(tree.width_em),
                                             static_cast<float>(tree.height_em)),
                 theta_plot(context.store, static_cast<size_t>(key.round)), marginals_grid(record)};
  cache.round_key = key;
  return cache.round;
}

const RunViews& run_views(PanelContext& context) {
  ViewCache& cache = *context.cache;
  const RunKey key = {context.store.version(), context.measuring.running};
  if (cache.run_key == key) return cache.run;
  cache.run = {timeline(context.store), transcript(context.store, context.measuring), summary(context.store),
               batch_track(context.store)};
  cache.run_key = key;
  return cache.run;
}

void publish_hover(std::optional<int32_t>& slot, bool over, std::optional<int32_t> value) {
  bool* was_over = ImGui::GetStateStorage()->GetBoolRef(ImGui::GetID("was_over"), false);
  if (over) {
    slot = value;
  } else if (*was_over) {
    slot.reset();
  }
  *was_over = over;
}

void draw_empty(const std::string& sentence) {
  const ImVec2 room = ImGui::GetContentRegionAvail();
  const float wrap = std::max(em(), std::min(room.x - 2 * em(), 30 * em()));
  const ImVec2 size = ImGui::CalcTextSize(sentence.c_str(), nullptr, false, wrap);
  const ImVec2 cursor = ImGui::GetCursorPos();
  ImGui::SetCursorPos({cursor.x + std::max(0.0f, 0.5f * (room.x - size.x)),
                       cursor.y + std::max(0.0f, 0.4f * (room.y - size.y))});
  ImGui::PushTextWrapPos(ImGui::GetCursorPosX() + wrap);
  dim_text(sentence);
  ImGui::PopTextWrapPos();
}

void dim_text(std::string_view words) {
  ImGui::PushStyleColor(ImGuiCol_Text, palette().text_dim);
  ImGui::TextUnformatted(words.data(), words.data() + words.size());
  ImGui::PopStyleColor();
}

void draw_figure(const char* label, const std::string& value, const std::string& origin) {
  dim_text(label);
  ImGui::SameLine(0, 0.4f * em());
  ImGui::TextUnformatted(value.c_str());
  if (origin.empty()) return;
  ImGui::SameLine(0, 0.4f * em());
  dim_text("(" + origin + ")");
}

void node_tooltip(const RoundRecord& record, int32_t node) {
  if (!ImGui::BeginTooltip()) return;
  ImGui::PushTextWrapPos(ImGui::GetCursorPosX() + 26 * em());
  ImGui::TextUnformatted(node_verdict(record, node).c_str());
  ImGui::PopTextWrapPos();
  for (const Fact& fact : node_facts(record, node)) draw_figure(fact.label.c_str(), fact.value, fact.origin);
  ImGui::EndTooltip();
}

void help_mark(const std::function<void()>& draw_help) {
  ImGui::Button("?");
  if (!ImGui::BeginItemTooltip()) return;
  ImGui::PushTextWrapPos(ImGui::GetCursorPosX() + 26 * em());
  draw_help();
  ImGui::PopTextWrapPos();
  ImGui::EndTooltip();
}

bool short_panel(float least_em) { return ImGui::GetWindowHeight() < least_em * em(); }

FlatHeader::FlatHeader() : pushed_(short_panel(14)) {
  if (pushed_) ImGui::PushStyleVarY(ImGuiStyleVar_FramePadding, 0.06f * em());
}
FlatHeader::~FlatHeader() {
  if (pushed_) ImGui::PopStyleVar();
}

bool checkbox(const char* label, bool* on) {
  ImGui::PushStyleColor(ImGuiCol_Border, palette().candidate);
  const bool changed = ImGui::Checkbox(label, on);
  ImGui::PopStyleColor();
  return changed;
}

bool labelled(const char* label, float width, const std::function<bool()>& draw) {
  const float gap = ImGui::GetStyle().ItemInnerSpacing.x;
  const bool beside =
      width + gap + ImGui::CalcTextSize(label).x <= std::floor(ImGui::GetContentRegionAvail().x);
  if (!beside) ImGui::TextUnformatted(label);
  ImGui::SetNextItemWidth(beside ? width : -FLT_MIN);
  const bool changed = draw();
  if (!beside) return changed;
  ImGui::SameLine(0, gap);
  ImGui::AlignTextToFramePadding();
  ImGui::TextUnformatted(label);
  return changed;
}

float room_beside() {
  const float right = ImGui::GetCursorScreenPos().x + ImGui::GetContentRegionAvail().x;
  return right - ImGui::GetItemRectMax().x - ImGui::GetStyle().ItemSpacing.x;
}

void flow(float width) {
  if (width <= room_beside()) ImGui::SameLine();
}

float button_width(const char* label) {
  const ImGuiStyle& style = ImGui::GetStyle();
  return ImGui::CalcTextSize(label, nullptr, true).x + 2 * style.FramePadding.x;
}

void hatch_rect(ImDrawList* list, ImVec2 min, ImVec2 max, Hatch hatch, ImU32 colour) {
  if (hatch == Hatch::kNone || max.x - min.x < 1 || max.y - min.y < 1) return;
  const float step = 0.42f * em(), thick = std::max(1.0f, 0.07f * em());
  const auto first = [step](float from) { return std::ceil(from / step) * step; };
  if (hatch == Hatch::kHorizontal) {
    for (float y = first(min.y); y < max.y; y += step) list->AddLine({min.x, y}, {max.x, y}, colour, thick);
  }
  if (hatch == Hatch::kVertical) {
    for (float x = first(min.x); x < max.x; x += step) list->AddLine({x, min.y}, {x, max.y}, colour, thick);
  }
  if (hatch != Hatch::kDiagonal) return;
  // Lines x + y = c, cut at the rectangle.
  const float wide = 1.4f * step;
  for (float c = std::ceil((min.x + min.y) / wide) * wide; c < max.x + max.y; c += wide) {
    const float x0 = std::max(min.x, c - max.y), x1 = std::min(max.x, c - min.y);
    if (x1 > x0) list->AddLine({x0, c - x0}, {x1, c - x1}, colour, thick);
  }
}

}  // namespace draftscope
