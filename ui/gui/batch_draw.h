// What the batch panel draws: bars over passes, requests as lanes, budgets by requests in flight.
#pragma once

#include <imgui.h>

#include <string>
#include <vector>

#include "ui/view/batch_track.h"

namespace draftscope {

inline constexpr float kBatchLabels_em = 7.5f;  // room at the left of a field, for its label

/// A rectangle whose x axis is the passes.
struct PassField {
  ImVec2 min, max;
  float bar = 1;  // pixels per pass

  float x(int32_t pass) const { return min.x + static_cast<float>(pass) * bar; }
  float y(double part) const;
  /// Passes that one column stands for, the highest of them: no column is thinner than a pixel.
  int32_t stride() const;
};

/// Title and largest value beside a field, and the line at its bottom.
void draw_field_label(const PassField& field, const char* title, const std::string& top);
/// One bar per pass, as high as its value.
void draw_pass_bars(const PassField& field, const std::vector<double>& values, double top, ImU32 colour);
/// A request's life as a band, its nodes per pass as bars in it; log2(1 + n), so that small shares can be told apart.
void draw_request_lane(const PassField& field, const BatchTrack& track, const BatchLane& lane, bool chosen);
/// The numbers of the passes below a field, as many as fit.
void draw_pass_numbers(const PassField& field, const BatchTrack& track);
/// Mean nodes of a request under every number of requests that shared a pass: what the batch costs each.
void draw_budgets_by_size(const BatchTrack& track, ImVec2 min, ImVec2 max);

}  // namespace draftscope
