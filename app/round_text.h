// Rounds as plain text and as JSON lines, for terminals and scripts.
#pragma once

#include <string>

#include "engine/record/round.h"

namespace draftscope {

/// Two or three lines: what was drafted, chosen, accepted, and what it cost against what was predicted.
std::string round_text(const RoundRecord& round);
std::string info_text(const SessionInfo& info);
std::string end_text(const SessionEnd& end);

/// One JSON object without line breaks.
std::string message_json(const Message& message);

/// Text with line breaks, tabs and unprintable bytes escaped, in quotes.
std::string in_quotes(std::string_view text);

}  // namespace draftscope
