// Tables of a report's page.
#pragma once

#include <string>

#include "app/report/report.h"

namespace draftscope {

/// "0.98 [0.95, 1.01]"; a dash without pairs.
std::string ratio_words(double middle, const Interval& interval, int64_t n);

/// One line per section: what the report comes to.
std::string glance_table(const Report& report);
/// What each policy did: throughput, tokens, nodes, and where measured the phases of a round.
std::string figures_table(const ReportSection& section);
/// Ratios against plain decoding and the best fixed tree, with intervals and sign tests.
std::string paired_table(const ReportSection& section);
/// Tokens per second and tokens per round by domain.
std::string domain_table(const Report& report, const ReportSection& section);
/// Tokens per second of every policy on every prompt.
std::string prompt_table(const Report& report, const ReportSection& section);

}  // namespace draftscope
