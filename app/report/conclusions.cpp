// What the figures say, in sentences; also where they say nothing, or the opposite of what one would like.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/report/report.h"

namespace draftscope {
namespace {

constexpr int64_t kFewestPrompts = 6;  // with fewer no sign test can reach p = 0.05
constexpr double kRounding = 1e-9;
constexpr double kNotable = 1e-3;  // smaller differences count as none

enum class Finding { kHigher, kLower, kEqual, kUnclear };

Finding finding_of(const PairedRatio& paired) {
  const Interval& interval = paired.geometric_mean_interval;
  if (interval.low > 1 - kNotable && interval.high < 1 + kNotable) return Finding::kEqual;
  if (paired.n < kFewestPrompts) return Finding::kUnclear;
  if (interval.low > 1) return Finding::kHigher;
  return interval.high < 1 ? Finding::kLower : Finding::kUnclear;
}

/// Where a few prompts make the mean and most go the other way, or cannot be told from a coin.
const char* reservation(const PairedRatio& paired) {
  const bool most_agree = finding_of(paired) == Finding::kHigher ? paired.sign.wins > paired.sign.losses
                                                                 : paired.sign.losses > paired.sign.wins;
  return most_agree && paired.sign.p < 0.05 ? "" : " on average, but not beyond doubt on most prompts";
}

std::string evidence(const PairedRatio& paired) {
  if (paired.n == 1) return "one prompt, which gives no interval";
  return fmt::format("geometric mean over prompts, 95 % interval {:.3f} to {:.3f}; median {:.3f}x; {} faster, {} slower, {} equal; "
                     "sign test p = {:.2g}", paired.geometric_mean_interval.low, paired.geometric_mean_interval.high,
                     paired.median, paired.sign.wins, paired.sign.losses, paired.sign.ties, paired.sign.p);
}

std::string exactness(const Report& report, const ReportSection& section) {
  std::string wrong;
  for (const PolicyRow& row : section.policies) {
    if (row.all.n_exact != row.all.n_prompts) {
      wrong += fmt::format("{}{} on {} of {}", wrong.empty() ? "" : ", ", row.label, row.all.n_exact, row.all.n_prompts);
    }
  }
  if (wrong.empty()) {
    return fmt::format("Every policy gave the text of plain decoding on every prompt ({} of {}), token for token.",
                       report.prompts.size(), report.prompts.size());
  }
  return fmt::format("NOT lossless: the text of plain decoding came out only for {} prompts.", wrong);
}

std::string fastest(const ReportSection& section) {
  const PolicyRow* best = nullptr;
  for (const PolicyRow& row : section.policies) {
    if (row.method == Method::kPlain || row.method == Method::kOracle) continue;
    if (best == nullptr || row.all.tokens_per_s() > best->all.tokens_per_s()) best = &row;
  }
  if (best == nullptr || best->over_plain.n == 0) return "";
  const PairedRatio& paired = best->over_plain;
  switch (finding_of(paired)) {
    case Finding::kHigher:
      return fmt::format("The fastest policy is {} with {:.0f} tokens/s, {:.2f}x of plain decoding ({}).", best->label,
                         best->all.tokens_per_s(), paired.geometric_mean, evidence(paired));
    case Finding::kLower:
      return fmt::format("Speculation does not pay here: plain decoding is faster than every policy; the fastest of them, {}, "
                         "is {:.2f}x of it ({}).", best->label, paired.geometric_mean, evidence(paired));
    default:
      return fmt::format("No policy is clearly faster than plain decoding here: the fastest, {}, is {:.2f}x of it ({}).",
                         best->label, paired.geometric_mean, evidence(paired));
  }
}

/// Where the best fixed budget lies in the grid, when that weakens it.
std::string grid_edge(const ReportSection& section) {
  const int32_t best = section.policies[static_cast<size_t>(section.best_fixed)].budget;
  int32_t smallest = best, largest = best;
  for (const PolicyRow& row : section.policies) {
    if (row.method != Method::kDdtree) continue;
    smallest = std::min(smallest, row.budget), largest = std::max(largest, row.budget);
  }
  if (smallest == largest) return " Only one fixed budget was tried.";
  if (best != smallest && best != largest) return "";
  return fmt::format(" It is the {} of the budgets tried, so a better fixed one may lie outside.",
                     best == smallest ? "smallest" : "largest");
}

std::string adaptivity(const ReportSection& section) {
  const PolicyRow* exact = section.row_of(Method::kExact);
  if (exact == nullptr || section.best_fixed < 0 || exact->over_best_fixed.n == 0) return "";
  const PolicyRow& fixed = section.policies[static_cast<size_t>(section.best_fixed)];
  const PairedRatio& paired = exact->over_best_fixed;
  std::string opening = "Adaptivity and the best fixed budget cannot be told apart here";
  switch (finding_of(paired)) {
    case Finding::kHigher: opening = std::string("Adaptivity beats the best fixed budget here") + reservation(paired); break;
    case Finding::kLower: opening = std::string("Adaptivity loses to the best fixed budget here") + reservation(paired); break;
    case Finding::kEqual: opening = "Adaptivity changes nothing here"; break;
    case Finding::kUnclear: break;
  }
  return fmt::format("{}: exact is {:.3f}x of {} ({}). That budget was chosen on these same prompts, which favours it.{}",
                     opening, paired.geometric_mean, fixed.label, evidence(paired), grid_edge(section));
}

std::string expected_margin(const ExpectedMargin& margin) {
  const std::string sentence =
      fmt::format("Expected throughput, both at the same {} positions: exact is {:+.2f} % against CaDDTree; they choose "
                  "different budgets at {} of them", margin.n_positions, 100 * (margin.ratio - 1), margin.n_different);
  if (margin.worst < 1 - kRounding) {
    return fmt::format("{}. At one position exact is at {:.6f} of CaDDTree: that contradicts its proof and is a bug.",
                       sentence, margin.worst);
  }
  return sentence + ", and exact is below CaDDTree at none.";
}

std::string realised_margin(const ReportSection& section) {
  if (!section.exact_over_caddtree || section.exact_over_caddtree->n == 0) return "";
  const PairedRatio& paired = *section.exact_over_caddtree;
  std::string verdict = "is not clearly different from CaDDTree";
  switch (finding_of(paired)) {
    case Finding::kHigher: verdict = std::string("is faster than CaDDTree") + reservation(paired); break;
    case Finding::kLower: verdict = std::string("is slower than CaDDTree") + reservation(paired); break;
    case Finding::kEqual: verdict = "is as fast as CaDDTree"; break;
    case Finding::kUnclear: break;
  }
  return fmt::format("Realised: exact {}, {:.3f}x ({}).", verdict, paired.geometric_mean, evidence(paired));
}

std::string hindsight(const ReportSection& section) {
  if (!section.hindsight_over_exact || section.hindsight_over_exact->n == 0) return "";
  return fmt::format("With the whole text known, the best sequence of budgets would give {:.3f}x of exact: no rule for the budget "
                     "of these trees, grown best first, can do better.", section.hindsight_over_exact->geometric_mean);
}

/// Simulated against measured under the same cost model: the same rounds, and how well the cost model predicts time.
std::string against_live(const Report& report, const ReportSection& section) {
  const auto live = std::find_if(report.sections.begin(), report.sections.end(), [&](const ReportSection& other) {
    return other.live && other.cost_label == section.cost_label && other.cost_source == section.cost_source;
  });
  if (section.live || live == report.sections.end()) return "";
  int n_policies = 0, n_same = 0;
  double low = INFINITY, high = 0;
  for (const PolicyRow& measured : live->policies) {
    for (const PolicyRow& row : section.policies) {
      if (row.label != measured.label) continue;
      ++n_policies;
      n_same += std::equal(row.prompts.begin(), row.prompts.end(), measured.prompts.begin(),
                           [](const PromptFigures& a, const PromptFigures& b) {
                             return a.n_tokens == b.n_tokens && a.n_rounds == b.n_rounds && a.n_nodes == b.n_nodes;
                           });
      if (measured.all.tokens_per_s() <= 0) continue;
      const double ratio = row.all.tokens_per_s() / measured.all.tokens_per_s();
      low = std::min(low, ratio), high = std::max(high, ratio);
    }
  }
  if (n_policies == 0 || high == 0) return "";
  return fmt::format("Against the live runs: the same tokens, rounds and nodes on every prompt for {} of {} policies; "
                     "simulated tokens/s are {:.2f} to {:.2f} of the measured ones: the cost model's error, and whatever else the "
                     "machine was doing.",
                     n_same, n_policies, low, high);
}

}  // namespace

std::vector<std::string> section_conclusions(const Report& report, const ReportSection& section) {
  std::vector<std::string> sentences;
  const auto say = [&](std::string sentence) {
    if (!sentence.empty()) sentences.push_back(std::move(sentence));
  };
  if (section.live) say(exactness(report, section));
  say(against_live(report, section));
  say(fastest(section));
  say(adaptivity(section));
  if (section.margin) say(expected_margin(*section.margin));
  say(realised_margin(section));
  say(hindsight(section));
  return sentences;
}

std::vector<std::string> report_conclusions(const Report& report) {
  std::vector<std::string> sentences;
  const auto n_prompts = static_cast<int64_t>(report.prompts.size());
  if (n_prompts < kFewestPrompts) {
    sentences.push_back(fmt::format("Too few prompts to conclude from ({}): with fewer than {} no sign test can reach p = 0.05.",
                                    n_prompts, kFewestPrompts));
  }
  int n_compared = 0, n_higher = 0, n_lower = 0, n_margins = 0, n_gains = 0, n_bugs = 0;
  const ReportSection* largest = nullptr;
  for (const ReportSection& section : report.sections) {
    const PolicyRow* exact = section.row_of(Method::kExact);
    if (exact != nullptr && section.best_fixed >= 0) {
      ++n_compared;
      n_higher += finding_of(exact->over_best_fixed) == Finding::kHigher;
      n_lower += finding_of(exact->over_best_fixed) == Finding::kLower;
    }
    if (!section.margin) continue;
    ++n_margins;
    n_gains += section.margin->ratio > 1 + kNotable;
    n_bugs += section.margin->worst < 1 - kRounding;
    if (largest == nullptr || section.margin->ratio > largest->margin->ratio) largest = &section;
  }
  if (n_margins > 0) {
    sentences.push_back(fmt::format(
        "Exact against CaDDTree in expected throughput: ahead by more than 0.1 % under {} of {} cost models, behind at some "
        "position under {}; the largest margin is {:+.2f} % ({}).", n_gains, n_margins, n_bugs, 100 * (largest->margin->ratio - 1), largest->title));
  }
  if (n_compared > 0) {
    sentences.push_back(fmt::format(
        "Exact against the best fixed budget in realised throughput: faster in {} of {} sections, slower in {}, not to be told "
        "apart in {}; the fixed budget was chosen with hindsight each time.", n_higher, n_compared, n_lower,
        n_compared - n_higher - n_lower));
  }
  return sentences;
}

}  // namespace draftscope
