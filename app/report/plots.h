// Plots of a report's section: each a picture of its own, every label in a place of its own.
#pragma once

#include <string>

#include "app/report/report.h"

namespace draftscope {

/// Class of a policy's colour: base, fixed, published, ours or hindsight.
const char* colour_of(Method method);

/// Tokens per second of every policy with its bootstrap interval.
std::string throughput_plot(const ReportSection& section);
/// One dot per prompt, the median and its interval; against the best fixed tree, or against plain decoding.
std::string ratio_plot(const Report& report, const ReportSection& section, bool over_best_fixed);
/// Histograms of the nodes that adaptive policies chose; empty when none chose more than one number.
std::string budget_plot(const ReportSection& section);
/// Tokens per round of every policy, one mark per domain.
std::string domain_plot(const Report& report, const ReportSection& section);
/// The cost curve over the rows of a pass, and under it what every policy chose.
std::string cost_plot(const ReportSection& section);

}  // namespace draftscope
