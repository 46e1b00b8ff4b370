// Labels that make tokens readable: white space, control bytes and fragments of characters become visible.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "engine/record/round.h"

namespace draftscope {

/// Printable UTF-8 for any bytes: space "␣", newline "↵", tab "⇥", carriage return "␍"; other control and
/// invisible characters "<U+200B>"; bytes that are no whole character "<E4>". Printable text stays as it is.
std::string token_label(std::string_view bytes);

/// Label of a token of `text`; "#17" when the record holds no text for it.
std::string token_label(const TokenText& text, int32_t token);

/// Width in cells: 2 for East Asian wide characters and emoji, 0 for combining marks, otherwise 1.
int label_cells(std::string_view utf8);

/// At most `max_cells` wide; what is cut shows as "…". max_cells >= 1.
std::string elide(std::string_view utf8, int max_cells);
/// The same where widths are `width_of`'s: as much as fits `width`, or "…" alone.
std::string elide(std::string_view utf8, float width, const std::function<float(std::string_view)>& width_of);

}  // namespace draftscope
