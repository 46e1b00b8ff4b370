// The budget decision as curves over n, the number of nodes below the root.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ui/store.h"

namespace draftscope {

enum class BudgetMark : uint8_t { kChosen, kFaithfulStop, kGlobalBest, kRunnerUp };
const char* name(BudgetMark mark);

struct ThetaMarker {
  int32_t n = 0;
  std::vector<BudgetMark> marks;  // all that fall on this n
  std::string label;              // "chosen = global best, n = 42"
  double theta_tokens_per_s = 0;
};

struct ThetaPlot {
  std::vector<double> n, expected_tokens, cost_ms, theta_tokens_per_s;  // (n_candidates,)
  std::vector<ThetaMarker> markers;                                     // ascending n, one per distinct n
  int32_t first_known = 0, last_known = 0;                              // the cost curve has points for these n and all between
  std::string provenance;                                               // of all three curves
  double realised_tokens = 0;                                           // of this round's pass, measured; as far as texts kept them
  int64_t n_behind = 0;                                                 // committed behind the ends of texts, beside those
  double realised_ms = 0;                                               // measured; 0 when unknown
  std::string verdict;   // one sentence: who chose what and why
  std::string headline;  // the same in a few words
  std::string empty_reason;
};

/// Of store.rounds()[round]. What the session's cost curve knows says which candidates are extrapolated: their pass, all its
/// requests' rows together, has more rows than the curve's last point, or fewer than its first.
ThetaPlot theta_plot(const RecordStore& store, size_t round);

/// The largest n worth showing at first: four times the largest marked one, so that markers on small n do
/// not stand on one another; at least 16, at most all. 0 without curves.
int32_t useful_n(const ThetaPlot& plot);

/// "extrapolated: n > 63"; empty where no candidate up to `last` is.
std::string extrapolated_words(const ThetaPlot& plot, int32_t last);

/// "This round made 3 tokens in 2.11 ms (measured)."
std::string realised_sentence(const ThetaPlot& plot);

/// Value line of one budget: "n = 42: 4.31 tokens, 12.7 ms, 339 tokens/s (derived)". Empty outside the curves.
std::string budget_line(const ThetaPlot& plot, int32_t n);

}  // namespace draftscope
