// Status bar: who decodes what, how fast, and what went missing, in one line.
#pragma once

#include <string>
#include <vector>

#include "ui/store.h"

namespace draftscope {

struct StatusItem {
  std::string text;
  std::string explanation;  // tooltip
  bool warning = false;
};

/// Items from the most to the least important; the bar leaves out what does not fit.
std::vector<StatusItem> status_items(const RecordStore& store, bool live, const std::string& notice);

/// Draws the bar at the bottom of the main viewport and takes its height from the work area.
void draw_status_bar(const std::vector<StatusItem>& items);

}  // namespace draftscope
