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
  std::optional<double> over_one_row;  // speed over predicted passes of one row
  std::string empty_reason;
};

/// Over all rounds of the store. over_one_row compares measured tokens/s with a pass of one row for every token, as the
/// cost model predicts it at each round's context.
Summary summary(const RecordStore& store);

/// Seconds of a pass over `rows` rows at `context`, bilinear on the model's grid and clamped at its borders;
/// 0 when the model has no points.
double verify_seconds(const CostModel& model, int32_t context, int32_t rows);

}  // namespace draftscope
