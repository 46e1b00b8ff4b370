// The run in a few figures, each with its definition and its origin, and checks that they hold together.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ui/store.h"

namespace draftscope {

struct Figure {
  std::string label, value;
  std::string origin;      // "measured", "derived", "predicted"; a ratio of the two says so
  std::string definition;  // one sentence for the tooltip
};

struct Summary {
  std::vector<Figure> figures;
  std::vector<std::string> problems;  // sentences; empty when all checks hold
  double tokens_per_s = 0;
  double tokens_per_round = 0;
  std::optional<double> over_plain;  // speed over steps of plain decoding, see plain_step_s
  std::string empty_reason;
};

/// Over all rounds of the store. over_plain compares measured tokens/s with a step of plain decoding for every token at each
/// round's context: as a profile measured it, or else, and the figure is named so, a pass of one row.
Summary summary(const RecordStore& store);

}  // namespace draftscope
