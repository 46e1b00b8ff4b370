// Measuring: what the engine measures before it decodes for the first time, as whoever shows it sees it.
#pragma once

#include <cstdint>
#include <string>

namespace draftscope {

/// Where a first measurement stands.
struct Measuring {
  bool running = false;
  std::string what;                 // is measured and why, a sentence or two
  int32_t n_done = 0, n_total = 0;  // passes; n_total 0: not known yet
  std::string outcome;              // of one that was stopped or failed: what holds now; else empty
};

}  // namespace draftscope
