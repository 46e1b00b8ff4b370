#include "ui/view/token_label.h"

#include <fmt/format.h>

#include "engine/base/check.h"
#include "engine/base/utf8.h"

namespace draftscope {
namespace {

uint32_t code_point(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first;
  uint32_t code = first & (0x7fu >> character.size());
  for (size_t i = 1; i < character.size(); ++i)
    code = (code << 6) | (static_cast<unsigned char>(character[i]) & 0x3f);
  return code;
}

bool in(uint32_t code, uint32_t first, uint32_t last) { return code >= first && code <= last; }

/// Characters that draw nothing or change the order of others: to be named, not drawn.
bool is_invisible(uint32_t code) {
  return code < 0x20 || in(code, 0x7f, 0xa0) || code == 0xad || in(code, 0x200b, 0x200f) ||
         in(code, 0x2028, 0x202e) || in(code, 0x2060, 0x206f) || code == 0x3000 || code == 0xfeff ||
         in(code, 0xe000, 0xf8ff) || in(code, 0xe0000, 0xe0fff);
}

bool is_wide(uint32_t code) {
  return in(code, 0x1100, 0x115f) || in(code, 0x2e80, 0xa4cf) || in(code, 0xac00, 0xd7a3) ||
         in(code, 0xf900, 0xfaff) || in(code, 0xfe30, 0xfe6f) || in(code, 0xff00, 0xff60) ||
         in(code, 0xffe0, 0xffe6) || in(code, 0x1f300, 0x1faff) || in(code, 0x20000, 0x3fffd);
}

bool is_combining(uint32_t code) {
  return in(code, 0x300, 0x36f) || in(code, 0x1ab0, 0x1aff) || in(code, 0x20d0, 0x20ff) ||
         in(code, 0xfe00, 0xfe0f) || in(code, 0xfe20, 0xfe2f);
}

int cells_of(uint32_t code) { return is_combining(code) ? 0 : is_wide(code) ? 2 : 1; }

void append_label(std::string& label, std::string_view character) {
  switch (const uint32_t code = code_point(character)) {
    case ' ':
      label += "␣";
      break;
    case '\n':
      label += "↵";
      break;
    case '\t':
      label += "⇥";
      break;
    case '\r':
      label += "␍";
      break;
    default:
      if (is_invisible(code)) {
        label += fmt::format("<U+{:04X}>", code);
      } else {
        label += character;
      }
  }
}

}  // namespace

std::string token_label(std::string_view bytes) {
  std::string label;
  while (!bytes.empty()) {
    const int length = utf8_length(bytes);
    if (length <= 0) {
      label += fmt::format("<{:02X}>", static_cast<unsigned char>(bytes[0]));
      bytes.remove_prefix(1);
      continue;
    }
    append_label(label, bytes.substr(0, static_cast<size_t>(length)));
    bytes.remove_prefix(static_cast<size_t>(length));
  }
  return label;
}

std::string token_label(const TokenText& text, int32_t token) {
  const std::string_view bytes = text.text_of(token);
  return bytes.empty() ? fmt::format("#{}", token) : token_label(bytes);
}

int label_cells(std::string_view utf8) {
  int cells = 0;
  while (!utf8.empty()) {
    const int length = utf8_length(utf8);
    cells += length <= 0 ? 1 : cells_of(code_point(utf8.substr(0, static_cast<size_t>(length))));
    utf8.remove_prefix(static_cast<size_t>(length <= 0 ? 1 : length));
  }
  return cells;
}

std::string elide(std::string_view utf8, int max_cells) {
  DS_CHECK(max_cells >= 1, "max_cells is {}", max_cells);
  if (label_cells(utf8) <= max_cells) return std::string(utf8);
  std::string kept;
  int cells = 0;
  while (!utf8.empty()) {
    const int length = utf8_length(utf8);
    const auto bytes = static_cast<size_t>(length <= 0 ? 1 : length);
    const int width = length <= 0 ? 1 : cells_of(code_point(utf8.substr(0, bytes)));
    if (cells + width > max_cells - 1) break;
    kept += utf8.substr(0, bytes);
    cells += width;
    utf8.remove_prefix(bytes);
  }
  return kept + "…";
}

std::string elide(std::string_view utf8, float width, const std::function<float(std::string_view)>& width_of) {
  if (width_of(utf8) <= width) return std::string(utf8);
  for (int cells = label_cells(utf8) - 1; cells > 1; --cells) {
    std::string shorter = elide(utf8, cells);
    if (width_of(shorter) <= width) return shorter;
  }
  return "…";
}

}  // namespace draftscope
