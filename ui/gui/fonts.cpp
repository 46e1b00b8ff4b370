#include "ui/gui/fonts.h"

#include <imgui.h>

#include <filesystem>
#include <optional>
#include <vector>

#include "ui/gui/theme.h"

namespace draftscope {
namespace {

std::vector<std::string> usual_folders() {
  return {"/usr/share/fonts/truetype/dejavu",
          "/usr/share/fonts/truetype/wqy",  // Debian, Ubuntu
          "/usr/share/fonts/dejavu-sans-fonts",
          "/usr/share/fonts/dejavu-sans-mono-fonts",  // Fedora
          "/usr/share/fonts/wqy-microhei-fonts",
          "/usr/share/fonts/wenquanyi/wqy-microhei",
          "/usr/share/fonts/TTF",
          "/usr/share/fonts/wenquanyi",
          "/usr/local/share/fonts"};
}

std::optional<std::string> find_font(std::span<const std::string> folders, const char* file_name) {
  for (const std::string& folder : folders) {
    const std::filesystem::path path = std::filesystem::path(folder) / file_name;
    std::error_code error;
    if (std::filesystem::is_regular_file(path, error)) return path.string();
  }
  return std::nullopt;
}

/// Adds `base` (or the embedded font) and merges `cjk` behind it.
void add_font(const std::optional<std::string>& base, const std::optional<std::string>& cjk) {
  ImFontAtlas& atlas = *ImGui::GetIO().Fonts;
  const bool added = base && atlas.AddFontFromFileTTF(base->c_str(), kFontSize) != nullptr;
  if (!added) atlas.AddFontDefault();
  if (!cjk) return;
  ImFontConfig merge;
  merge.MergeMode = true;
  atlas.AddFontFromFileTTF(cjk->c_str(), kFontSize, &merge);
}

}  // namespace

std::string load_fonts(std::span<const std::string> folders) {
  const std::vector<std::string> usual = usual_folders();
  if (folders.empty()) folders = usual;
  const auto text = find_font(folders, "DejaVuSans.ttf");
  const auto cjk = find_font(folders, "wqy-microhei.ttc");
  add_font(text, cjk);

  std::string missing;
  const auto note = [&](bool found, const char* font, const char* effect) {
    if (found) return;
    missing += missing.empty() ? "fonts: " : "; ";
    missing += std::string(font) + " was not found, " + effect;
  };
  note(text.has_value(), "DejaVu Sans", "the built-in font is used");
  note(cjk.has_value(), "WenQuanYi Micro Hei", "Chinese, Japanese and Korean tokens show as boxes");
  return missing;
}

}  // namespace draftscope
