// UTF-8 at the byte level: where characters end, and what broken bytes become.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace draftscope {

/// Bytes of the character that starts `text`: 1 to 4 when whole and valid; 0 when it is broken; -k when the
/// text ends inside a character that k valid bytes begin. Empty text gives 0.
int utf8_length(std::string_view text);

/// Replaces every maximal broken run by U+FFFD (Unicode's recommended practice; what Python's
/// bytes.decode("utf-8", "replace") gives).
std::string replace_broken_utf8(std::string_view text);

/// Length of the longest prefix that does not end inside a character.
size_t whole_characters(std::string_view text);

}  // namespace draftscope
