#include "engine/record/policies.h"

#include "engine/base/check.h"

namespace draftscope {
namespace {

constexpr Policy kPolicies[] = {
    {Method::kPlain, BudgetUse::kNone, true, "plain decoding", "One target pass for every token, no drafter.",
     "autoregressive decoding"},
    {Method::kDflash, BudgetUse::kNone, true, "DFlash chain", "The drafter's most likely chain, as long as its block.",
     "DFlash, arXiv 2602.06036"},
    {Method::kDdtree, BudgetUse::kNodes, true, "fixed tree", "The most likely prefixes, always the same number of nodes.",
     "DDTree, arXiv 2604.12989"},
    {Method::kCaddtree, BudgetUse::kNone, true, "CaDDTree", "Grows until throughput on a convex fit stops rising.",
     "CaDDTree, arXiv 2606.01813"},
    {Method::kExact, BudgetUse::kNone, true, "exact optimum", "The best of all budgets under the curve as it is.",
     "this program"},
    {Method::kSpine, BudgetUse::kNodes, true, "spine first",
     "The most likely chain is always in; the rest of a fixed budget goes to the most likely prefixes.",
     "chain seed of lucebox"},
    {Method::kBastion, BudgetUse::kBucketRows, true, "BASTION",
     "Grows while a roofline says it pays, at least one bucket, then rounds down to whole buckets.",
     "BASTION, arXiv 2605.29727"},
    {Method::kCast, BudgetUse::kNone, true, "CAST", "One static width from the slope of the cost, eight ranks a depth.",
     "CAST, arXiv 2610.00321"},
    {Method::kExactFill, BudgetUse::kBucketRows, true, "exact, bucket filled",
     "The exact optimum, then real nodes up to the edge of the bucket that a padded pass computes anyway.",
     "this program"},
    {Method::kCalibrated, BudgetUse::kNone, true, "exact, calibrated",
     "The exact optimum on probabilities corrected by what was accepted before.", "this program"},
    {Method::kOracle, BudgetUse::kNone, false, "hindsight",
     "The fastest budgets when the target's answers are already known: a bound for best-first trees, not a method.",
     "this program"},
};

}  // namespace

std::span<const Policy> policies() { return kPolicies; }

const Policy& policy_of(Method method) {
  for (const Policy& policy : kPolicies) {
    if (policy.method == method) return policy;
  }
  DS_CHECK(false, "no policy {}", static_cast<int>(method));
  return kPolicies[0];
}

std::optional<Method> method_named(std::string_view word) {
  for (const Policy& policy : kPolicies) {
    if (word == name(policy.method)) return policy.method;
  }
  return std::nullopt;
}

}  // namespace draftscope
