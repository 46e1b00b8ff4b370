#include "ui/view/node_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ui/view/probability.h"
#include "ui/view/token_label.h"

namespace draftscope {
namespace {

bool has_node(const RoundRecord& record, int32_t node) { return node >= 0 && node < record.tree.size(); }

bool accepted(const RoundRecord& record, int32_t node) {
  return std::find(record.accepted.path.begin(), record.accepted.path.end(), node) !=
         record.accepted.path.end();
}

/// "+0.031 tokens, +0.052 ms" between budgets n - 1 and n; empty when the curves do not reach n.
std::string marginal_gain(const BudgetDecision& decision, int32_t n) {
  const auto at = static_cast<size_t>(n);
  if (n < 1 || at >= decision.expected_tokens.size() || at >= decision.cost_s.size()) return {};
  return fmt::format("{:+.4f} tokens for {:+.4f} ms",
                     decision.expected_tokens[at] - decision.expected_tokens[at - 1],
                     1e3 * (decision.cost_s[at] - decision.cost_s[at - 1]));
}

std::vector<Fact> bonus_facts(const RoundRecord& record) {
  if (record.accepted.bonus < 0) return {};
  return {
      {"token",
       fmt::format("{} (id {})", token_label(record.text, record.accepted.bonus), record.accepted.bonus), ""},
      {"from", "the target", ""}};
}

}  // namespace

std::vector<Fact> node_facts(const RoundRecord& record, int32_t node) {
  if (node == kBonusNode) return bonus_facts(record);
  if (!has_node(record, node)) return {};
  const DraftTree& tree = record.tree;
  std::vector<Fact> facts;
  facts.push_back(
      {"token", fmt::format("{} (id {})", token_label(record.text, tree.token[node]), tree.token[node]), ""});
  if (node > 0) {
    const int32_t parent = tree.parent[node];
    facts.push_back(
        {"q", q_words(std::exp(tree.path_log_q[node] - tree.path_log_q[parent]), 4), "measured"});
    facts.push_back({"path q", fmt::format("{:.3g}", std::exp(tree.path_log_q[node])), "derived"});
    facts.push_back({"depth, rank", fmt::format("{}, {}", tree.depth[node], tree.rank[node]), ""});
    const int32_t verified = record.decision.chosen;
    facts.push_back({"pop order",
                     node <= verified ? fmt::format("{} of {} verified", node, verified)
                                      : fmt::format("{}, behind the {} verified", node, verified),
                     ""});
    const std::string gain = marginal_gain(record.decision, node);
    if (!gain.empty()) facts.push_back({"as next node", gain, name(record.decision.provenance)});
  }
  if (static_cast<size_t>(node) < record.verdict.choice.size()) {
    const int32_t choice = record.verdict.choice[node];
    std::string value = fmt::format("{} (id {})", token_label(record.text, choice), choice);
    if (static_cast<size_t>(node) < record.verdict.choice_log_p.size()) {
      const double p = std::exp(static_cast<double>(record.verdict.choice_log_p[node]));
      if (std::isfinite(p)) value += ", p " + q_words(p, 4);
    }
    facts.push_back({"target's next", value, "measured"});
  }
  return facts;
}

std::string node_verdict(const RoundRecord& record, int32_t node) {
  if (node == kBonusNode)
    return "Bonus: the target's own token after the accepted path; it costs no extra pass.";
  if (!has_node(record, node)) return "This round has no such node.";
  if (node == 0) return "Root: the last committed token; every pass verifies it too.";
  if (node > record.decision.chosen) {
    return fmt::format("Not verified: it is candidate {} and the budget of this round is {}.", node,
                       record.decision.chosen);
  }
  if (accepted(record, node)) return "Accepted: the target chose this very token after its parent.";
  const int32_t parent = record.tree.parent[node];
  if (!accepted(record, parent)) return "Rejected: its parent was rejected before it.";
  if (static_cast<size_t>(parent) >= record.verdict.choice.size()) return "Rejected.";
  return fmt::format("Rejected: the target put {} after its parent.",
                     token_label(record.text, record.verdict.choice[parent]));
}

std::string round_sentence(const RoundRecord& record) {
  if (record.method == Method::kPlain || record.tree.size() == 0)
    return "One pass, one token: plain decoding drafts nothing.";
  const int64_t n_accepted = std::max<int64_t>(0, static_cast<int64_t>(record.accepted.path.size()) - 1);
  const auto n_hidden = record.tree.size() - 1 - record.decision.chosen;
  return fmt::format("{} candidates, {} verified, {} accepted + bonus = {} token{}.",
                     record.decision.chosen + n_hidden, record.decision.chosen, n_accepted, n_accepted + 1,
                     n_accepted == 0 ? "" : "s");
}

std::string round_words(const RoundRecord& record) {
  if (record.method == Method::kPlain || record.tree.size() == 0) return "no tree: plain decoding";
  const int64_t n_accepted = std::max<int64_t>(0, static_cast<int64_t>(record.accepted.path.size()) - 1);
  return fmt::format("{} of {} verified, {} + bonus", record.decision.chosen, record.tree.size() - 1,
                     n_accepted);
}

}  // namespace draftscope
