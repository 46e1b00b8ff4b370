// Regret as stacked bands: what a policy lost against hindsight, round by round and summed, in four parts.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/record/lab_report.h"

namespace draftscope {

inline constexpr size_t kRegretParts = 4;
struct RegretPart {
  const char* letter;  // stands in the picture where colour alone would have to tell
  const char* name;
  const char* meaning;  // one sentence
};
extern const std::array<RegretPart, kRegretParts> kRegretPartNames;  // search, cost model, calibration, luck

/// Bands between two edges: positive parts are stacked upwards from zero, negative ones downwards.
struct RegretBands {
  std::array<std::vector<double>, kRegretParts> low, high;  // (n_rounds,) each
  double bottom = 0, top = 0;                               // of everything
};

struct RegretStack {
  std::vector<double> position;                  // (n_rounds + 1,) where each round begins; last: the end
  RegretBands per_round;                         // tokens/s
  RegretBands summed;                            // tokens, up to and including each round
  std::array<double, kRegretParts> tokens{};     // of the whole text; negative: gained
  std::array<std::string, kRegretParts> totals;  // "luck: 70.1 tokens (84 %)"
  double lost_tokens = 0;                        // sum of `tokens`
  std::string headline;                          // what hindsight would have made in the same time
  std::string empty_reason;

  int32_t n_rounds() const { return static_cast<int32_t>(position.size()) - 1; }
};

/// A round's loss in tokens is its loss in tokens per second times its seconds under the true cost.
RegretStack regret_stack(const LabReport& report);

/// Index of the round that covers `position`; -1 outside the text.
int32_t round_at(const RegretStack& stack, double position);

/// The four parts of one round in tokens per second, one line each, and their sum. Empty outside.
std::vector<std::string> regret_lines(const LabRegret& regret, int32_t round);

}  // namespace draftscope
