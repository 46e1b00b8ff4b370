// The lab's table: a recorded text under every policy, as rows of words and bar lengths.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/record/lab_report.h"

namespace draftscope {

/// One policy. Strings are as shown; shares are of the fastest policy on the same side, 0 to 1.
struct LabRow {
  Method method = Method::kPlain;
  std::string name;                // "fixed tree, 64 nodes"
  std::string note;                // "best", "bound" or empty
  std::string speed;               // tokens/s
  std::string of_plain, of_fixed;  // "3.41x"; of the best fixed tree, "..." until that is known
  std::string tokens, nodes;       // per round
  std::string believed;            // "330 (+3.7 %)": what the policy expected, and how far off it was
  double share = 0, believed_share = 0;
  std::string other_speed, ratio;  // side B, and B over A, "20.30x"; empty without one
  double other_share = 0;
  bool best = false;   // the fastest on side A that an engine could run; other_speed says it for B
  bool bound = false;  // needs the answer beforehand
};

struct LabTable {
  std::vector<LabRow> rows;  // in the report's order
  bool two_sides = false;
  std::string side_a, side_b;  // labels of the cost models
  std::string headline;        // which policy is fastest
  std::string adaptivity;      // whether any adaptive policy beats the best fixed tree
  std::string why;             // why the optimum moves between the sides; empty without a side B
  std::string timing;          // how long deciding took, measured
};

LabTable lab_table(const LabReport& report);

/// What the table comes to, the most important sentence first.
std::vector<std::string> lab_sentences(const LabTable& table);

/// The name of a policy with what its budget is: "BASTION, 32 rows".
std::string policy_label(const LabPolicy& policy);
/// The policy of `method` on side A; nullptr when the report has none.
const LabPolicy* find_policy(const LabReport& report, Method method);

/// Three digits or more, without a unit: "9.31", "318", "12045".
std::string speed_text(double tokens_per_s);

/// Why the lab has nothing to show, one sentence that says what to do; empty when it has. `report`: null when
/// there is no answer yet.
std::string lab_empty_reason(const std::optional<SessionInfo>& info, bool live, const LabReport* report);

}  // namespace draftscope
