// The strip under the menu that says how far a first measurement is.
#pragma once

#include <functional>

#include "engine/record/command.h"
#include "ui/measuring.h"

namespace draftscope {

/// What the person did with the strip; lives with the window.
struct MeasuringStrip {
  bool stop_asked = false, dismissed = false;
};

/// Draws the strip at the top of the main viewport's work area and takes its height from it: progress with a
/// button that stops it, or the outcome until the person dismisses it. Nothing otherwise.
void draw_measuring_strip(const Measuring& now, MeasuringStrip& strip,
                          const std::function<void(Command)>& send);

}  // namespace draftscope
