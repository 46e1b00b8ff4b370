// The font: DejaVu Sans, with WenQuanYi Micro Hei behind it for Han, Kana and Hangul. Looked up in the usual folders of Debian and its relatives.
#pragma once

#include <span>
#include <string>

namespace draftscope {

/// Fonts of the current Dear ImGui context. `folders`: searched in order; empty: the usual ones.
/// Returns an empty string, or one sentence about what was not found and what is used instead.
std::string load_fonts(std::span<const std::string> folders = {});

}  // namespace draftscope
