// Correction of the drafter's probabilities by what was accepted before: the plain data.
#pragma once

#include <vector>

namespace draftscope {

/// Applied in this order: temperature, map, factor off the spine. The default changes nothing.
struct Correction {
  double temperature = 1;               // > 0; log q is divided by it and the row renormalised
  std::vector<double> stated, observed; // (n,) both ascending in [0, 1]: isotonic map of q, linear between points;
                                        // below the first towards (0, 0), above the last constant
  double off_spine = 1;                 // in (0, 1]: on children of nodes off the most likely chain
};

}  // namespace draftscope
