// The output text, told apart by who wrote it: accepted drafts are underlined, bonus tokens are boxed.
#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <functional>

#include "engine/base/utf8.h"
#include "ui/gui/palette.h"
#include "ui/gui/panel_common.h"

namespace draftscope {
namespace {

using Spans = std::vector<TranscriptSpan>;

constexpr const char* kAcceptedWords = "accepted draft";
constexpr const char* kBonusWords = "bonus of the target";

/// Where the next piece of text goes, and what the pointer is over.
struct Flow {
  ImVec2 origin, pen;  // screen
  float right = 0, line = 0;
  bool white_space = false;  // draw it
  bool in_word = false;      // what was drawn last goes on in the next piece
  int64_t shown = -1;        // round to highlight
  int64_t hovered = -1;      // span under the pointer
  float shown_y = -1;        // top of the shown round's first piece, screen

  void new_line() { pen = {origin.x, pen.y + line}; }
};

bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// Length of the next piece: a newline, a run of blanks, or a word.
size_t piece_length(std::string_view text) {
  if (text[0] == '\n') return 1;
  const bool blank = is_blank(text[0]);
  size_t end = 1;
  while (end < text.size() && text[end] != '\n' && is_blank(text[end]) == blank) ++end;
  return end;
}

/// Pixels of the word that begins at `text`, the rest of span `index`, in as many spans as it has pieces; not
/// measured beyond `enough`.
float word_width(const Spans& spans, size_t index, std::string_view text, float enough) {
  float width = 0;
  while (width <= enough) {
    const size_t end = std::min(text.find_first_of(" \t\n"), text.size());
    width += ImGui::CalcTextSize(text.data(), text.data() + end).x;
    if (end < text.size() || ++index >= spans.size() || spans[index].kind == SpanKind::kGap) break;
    text = spans[index].text;
  }
  return width;
}

/// Length of the longest start of `piece` that fits `width` pixels, at least one character.
size_t fitting_length(std::string_view piece, float width) {
  size_t fit = 0;
  float used = 0;
  while (fit < piece.size()) {
    const auto bytes = static_cast<size_t>(std::max(1, utf8_length(piece.substr(fit))));
    used += ImGui::CalcTextSize(piece.data() + fit, piece.data() + fit + bytes).x;
    if (used > width && fit > 0) break;
    fit += bytes;
  }
  return fit;
}

ImU32 text_colour(SpanKind kind) {
  return kind == SpanKind::kPrompt ? palette().text_dim
         : kind == SpanKind::kGap  ? palette().warning
                                   : palette().text;
}

/// Blanks are left out of the box of a bonus, unless it is nothing else: one word has one box.
bool boxed(const TranscriptSpan& span, bool blank) {
  return !blank || span.text.find_first_not_of(" \t\n") == std::string::npos;
}

void decorate(ImDrawList* list, SpanKind kind, ImVec2 a, ImVec2 b) {
  const float thick = std::max(1.0f, 0.1f * em());
  if (kind == SpanKind::kAccepted)
    list->AddLine({a.x, b.y - thick}, {b.x, b.y - thick}, palette().accepted, thick);
  if (kind == SpanKind::kBonus) {
    list->AddRectFilled(a, b, with_alpha(palette().bonus, 0.16f), 0.2f * em());
    list->AddRect(a, {b.x, b.y - 1}, palette().bonus, 0.2f * em(), std::max(1.0f, 0.06f * em()));
  }
}

std::string visible_white_space(std::string_view piece) {
  std::string shown;
  for (const char c : piece) shown += c == '\n' ? "↵" : c == '\t' ? "⇥" : c == ' ' ? "·" : std::string(1, c);
  return shown;
}

void draw_piece(Flow& flow_at, const TranscriptSpan& span, size_t index, std::string_view piece) {
  const bool newline = piece == "\n";
  const bool blank = newline || is_blank(piece[0]);
  // The drawn form of white space may not be wider than itself, or lines would break elsewhere.
  const std::string marks = blank && flow_at.white_space ? visible_white_space(piece) : std::string();
  const float width =
      newline ? 0.7f * em() : ImGui::CalcTextSize(piece.data(), piece.data() + piece.size()).x;
  const ImVec2 a = flow_at.pen;
  const ImVec2 b = {a.x + width, a.y + ImGui::GetTextLineHeight() + 0.15f * em()};
  ImDrawList* list = ImGui::GetWindowDrawList();
  if (span.round == flow_at.shown && flow_at.shown_y < 0) flow_at.shown_y = a.y;
  if (ImGui::IsRectVisible(a, b)) {
    if (span.round >= 0 && span.round == flow_at.shown)
      list->AddRectFilled(a, b, palette().heat);
    const bool decorated = span.kind != SpanKind::kBonus || boxed(span, blank);
    if (decorated && (!newline || flow_at.white_space)) decorate(list, span.kind, a, b);
    if (!blank) list->AddText(a, text_colour(span.kind), piece.data(), piece.data() + piece.size());
    if (!marks.empty()) list->AddText(a, palette().text_dim, marks.c_str());
    if (ImGui::IsWindowHovered() && ImGui::IsMouseHoveringRect(a, b))
      flow_at.hovered = static_cast<int64_t>(index);
  }
  flow_at.in_word = !blank;
  if (newline) {
    flow_at.new_line();
  } else {
    flow_at.pen.x += width;
  }
}

void draw_span(Flow& flow_at, const Spans& spans, size_t index) {
  const TranscriptSpan& span = spans[index];
  std::string_view text = span.text;
  const float line = flow_at.right - flow_at.origin.x;
  while (!text.empty()) {
    std::string_view piece = text.substr(0, piece_length(text));
    const float room = flow_at.right - flow_at.pen.x;
    // Blanks stay at the end of their line, words go to the next one whole; those longer than a line are cut.
    if (piece[0] != '\n' && !is_blank(piece[0])) {
      const float word = flow_at.in_word ? 0 : word_width(spans, index, text, line);
      if (word > room && word <= line) {
        flow_at.new_line();
      } else if (ImGui::CalcTextSize(piece.data(), piece.data() + piece.size()).x > room) {
        if (room < em()) flow_at.new_line();
        piece = piece.substr(0, fitting_length(piece, flow_at.right - flow_at.pen.x));
      }
    }
    draw_piece(flow_at, span, index, piece);
    text.remove_prefix(piece.size());
  }
  if (span.kind == SpanKind::kPrompt) {
    flow_at.in_word = false;
    flow_at.new_line();
    flow_at.pen.y += 0.5f * flow_at.line;
    if (flow_at.pen.x > flow_at.origin.x) flow_at.new_line();
  }
}

void draw_text(PanelContext& context, const Transcript& text, bool white_space) {
  Flow flow_at;
  flow_at.origin = flow_at.pen = ImGui::GetCursorScreenPos();
  flow_at.right = flow_at.origin.x + ImGui::GetContentRegionAvail().x;
  flow_at.line = 1.45f * ImGui::GetTextLineHeight();
  flow_at.white_space = white_space;
  flow_at.shown = shown_round(context);
  for (size_t i = 0; i < text.spans.size(); ++i) draw_span(flow_at, text.spans, i);
  const float height = flow_at.pen.y + flow_at.line - flow_at.origin.y;
  ImGui::Dummy({1, height});
  float* seen = ImGui::GetStateStorage()->GetFloatRef(ImGui::GetID("seen_round"), -1);
  const auto shown = static_cast<float>(flow_at.shown);
  if (*seen != shown && flow_at.shown_y >= 0) {
    // Keep the shown round in sight, without moving text that is in sight already.
    const float local = flow_at.shown_y - ImGui::GetWindowPos().y;
    const bool in_sight = local >= 0 && local <= ImGui::GetWindowHeight() - flow_at.line;
    if (in_sight) {
      *seen = shown;  // from here on, scrolling is the person's
    } else {
      ImGui::SetScrollFromPosY(local, 0.7f);
    }
  }
  if (flow_at.hovered < 0) return;
  const TranscriptSpan& span = text.spans[static_cast<size_t>(flow_at.hovered)];
  ImGui::SetTooltip("%s", span_line(span, context.live).c_str());
  if (span.round >= 0 && ImGui::IsMouseClicked(ImGuiMouseButton_Left)) show_round(context, span.round);
}

void draw_legend(bool column) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const auto entry = [&](SpanKind kind, const char* word) {
    if (!column) ImGui::SameLine();
    ImGui::AlignTextToFramePadding();
    const ImVec2 size = ImGui::CalcTextSize(word);
    const ImVec2 at = {ImGui::GetCursorScreenPos().x,
                       ImGui::GetCursorScreenPos().y + ImGui::GetStyle().FramePadding.y};
    decorate(list, kind, {at.x - 0.15f * em(), at.y},
             {at.x + size.x + 0.15f * em(), at.y + size.y + 0.15f * em()});
    ImGui::TextUnformatted(word);
  };
  entry(SpanKind::kAccepted, kAcceptedWords);
  entry(SpanKind::kBonus, kBonusWords);
}

void draw_header(bool& white_space, const Spans& spans) {
  const FlatHeader flat;
  checkbox("White space", &white_space);
  const bool drafted = std::ranges::any_of(spans, [](const TranscriptSpan& span) {
    return span.kind == SpanKind::kAccepted || span.kind == SpanKind::kBonus;
  });
  if (!drafted) return;
  const float legend = ImGui::CalcTextSize(kAcceptedWords).x + ImGui::CalcTextSize(kBonusWords).x + 2 * em();
  if (legend <= room_beside()) {
    draw_legend(false);
  } else {
    flow(button_width("?"));
    help_mark([] { draw_legend(true); });
  }
}

}  // namespace

void draw_transcript_panel(PanelContext& context) {
  const Transcript& text = run_views(context).transcript;
  if (text.spans.empty()) {
    draw_empty(text.empty_reason);
    return;
  }
  bool* white_space = ImGui::GetStateStorage()->GetBoolRef(ImGui::GetID("white_space"), false);
  draw_header(*white_space, text.spans);
  if (ImGui::BeginChild("text")) {
    draw_text(context, text, *white_space);
    if (!text.empty_reason.empty()) dim_text(text.empty_reason);
  }
  ImGui::EndChild();
}

}  // namespace draftscope
