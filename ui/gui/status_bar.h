// Status bar: who decodes what, how fast, and what went missing, in one line.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ui/store.h"

namespace draftscope {

struct StatusItem {
  std::string text;
  std::string explanation;  // tooltip
  bool warning = false;
  bool keep = false;  // stays when there is little room
};

/// What the store does not know of itself.
struct StatusFacts {
  bool live = false;    // rounds come from an engine
  bool paused = false;  // it waits between rounds
  bool measuring = false;  // it measures before it decodes
  std::string file;     // the recording's name; empty: it has none
  std::string notice;   // one sentence about what the person asked for last
  bool notice_warns = false;
  bool operator==(const StatusFacts&) const = default;
};

/// Items from the most to the least important.
std::vector<StatusItem> status_items(const RecordStore& store, const StatusFacts& facts);

/// The items that fit `room` pixels, in their order: first those to keep, then the others from the most
/// important on; one of these that is too long is elided, and what comes after it is left out.
/// `width_of`: pixels of a text, `gap`: pixels between two items.
std::vector<StatusItem> fitting_items(const std::vector<StatusItem>& items, float room, float gap,
                                      const std::function<float(std::string_view)>& width_of);

/// Draws the bar at the bottom of the main viewport and takes its height from the work area.
void draw_status_bar(const std::vector<StatusItem>& items);

}  // namespace draftscope
