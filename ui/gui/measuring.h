// Measuring: what the engine measures before it decodes for the first time, and the strip under the menu that says so.
// Names no graphics library, so that app/ may include it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "engine/record/command.h"

namespace draftscope {

/// Where a first measurement stands.
struct Measuring {
  bool running = false;
  std::string what;                 // is measured and why, a sentence or two
  int32_t n_done = 0, n_total = 0;  // passes; n_total 0: not known yet
  std::string outcome;              // of one that was stopped or failed: what holds now; else empty
};

/// What the strip keeps between frames; lives with the window.
struct MeasuringStrip {
  Measuring now;
  bool stop_asked = false, dismissed = false;
};

/// Draws the strip at the top of the main viewport's work area and takes its height from it: progress with a button that
/// stops it, or the outcome until the person dismisses it. Nothing otherwise.
void draw_measuring_strip(MeasuringStrip& strip, const std::function<void(Command)>& send);

}  // namespace draftscope
