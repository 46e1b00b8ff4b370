// Whether a page is well formed: every tag closed in order, every attribute quoted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace draftscope {

/// Empty when `html` is well formed; else what is wrong. Content of <style> is skipped.
inline std::string markup_fault(std::string_view html) {
  std::vector<std::string> open;
  for (size_t at = html.find('<'); at != std::string_view::npos; at = html.find('<', at)) {
    const size_t end = html.find('>', at);
    if (end == std::string_view::npos) return "a tag without an end";
    std::string_view tag = html.substr(at + 1, end - at - 1);
    at = end + 1;
    if (tag.starts_with('!')) continue;
    if (tag.find('<') != std::string_view::npos) return "'<' inside a tag: " + std::string(tag);
    size_t n_quotes = 0;
    for (const char c : tag) n_quotes += c == '"';
    if (n_quotes % 2 != 0) return "an open quote: " + std::string(tag);
    const bool closing = tag.starts_with('/'), empty = tag.ends_with('/');
    if (closing) tag.remove_prefix(1);
    const std::string name(tag.substr(0, tag.find_first_of(" /\n")));
    if (closing) {
      if (open.empty() || open.back() != name) return "</" + name + "> closes " + (open.empty() ? "nothing" : open.back());
      open.pop_back();
    } else if (!empty && name != "meta" && name != "br") {
      open.push_back(name);
      if (name == "style") at = html.find("</style>", at);
    }
  }
  return open.empty() ? "" : "never closed: " + open.back();
}

}  // namespace draftscope
