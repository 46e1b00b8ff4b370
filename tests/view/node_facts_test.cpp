#include "ui/view/node_facts.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/record/make_record.h"

namespace draftscope::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(NodeFacts, EveryNodeHasAVerdictThatFitsItsRole) {
  const RoundRecord round = make_round(3, 64);
  const TreeLayout layout = tree_layout(round, {.max_candidates = 64});
  ASSERT_EQ(layout.boxes.size(), 66u);
  for (const NodeBox& box : layout.boxes) {
    const std::string verdict = node_verdict(round, box.node);
    switch (box.role) {
      case NodeRole::kRoot:
        EXPECT_THAT(verdict, StartsWith("Root"));
        break;
      case NodeRole::kAccepted:
        EXPECT_THAT(verdict, StartsWith("Accepted"));
        break;
      case NodeRole::kRejected:
        EXPECT_THAT(verdict, StartsWith("Rejected"));
        break;
      case NodeRole::kCandidate:
        EXPECT_THAT(verdict, StartsWith("Not verified"));
        break;
      case NodeRole::kBonus:
        EXPECT_THAT(verdict, StartsWith("Bonus"));
        break;
      case NodeRole::kFolded:
        FAIL() << "nothing is folded where no room is given";
    }
  }
}

TEST(NodeFacts, ARejectedChildOfThePathNamesTheTargetsChoice) {
  const RoundRecord round = make_round(3, 64);
  int n_checked = 0;
  for (int32_t node = 1; node <= round.decision.chosen; ++node) {
    const auto& path = round.accepted.path;
    const bool on_path = std::find(path.begin(), path.end(), node) != path.end();
    const bool parent_on_path = std::find(path.begin(), path.end(), round.tree.parent[node]) != path.end();
    if (on_path || !parent_on_path) continue;
    EXPECT_THAT(node_verdict(round, node), HasSubstr("the target put "));
    ++n_checked;
  }
  EXPECT_GT(n_checked, 0);
}

TEST(NodeFacts, NumbersCarryTheirOrigin) {
  const RoundRecord round = make_round(3, 64);
  const std::vector<Fact> facts = node_facts(round, 1);
  const auto origin_of = [&](const std::string& label) {
    const auto fact =
        std::find_if(facts.begin(), facts.end(), [&](const Fact& f) { return f.label == label; });
    return fact == facts.end() ? "absent" : fact->origin;
  };
  EXPECT_EQ(origin_of("q"), "measured");
  EXPECT_EQ(origin_of("path q"), "derived");
  EXPECT_EQ(origin_of("as next node"), "derived");
  EXPECT_EQ(origin_of("target's next"), "measured");
}

TEST(NodeFacts, ACandidateIsNotCountedAmongTheVerified) {
  RoundRecord round = make_round(3, 64);
  round.decision.chosen = 12;
  const auto order_of = [&](int32_t node) {
    for (const Fact& fact : node_facts(round, node)) {
      if (fact.label == "pop order") return fact.value;
    }
    return std::string();
  };
  EXPECT_EQ(order_of(12), "12 of 12 verified");
  EXPECT_EQ(order_of(60), "60, behind the 12 verified");
}

TEST(NodeFacts, NodesThatDoNotExistHaveNoFacts) {
  const RoundRecord round = make_round(3, 8);
  EXPECT_TRUE(node_facts(round, 9).empty());
  EXPECT_TRUE(node_facts(round, -7).empty());
  EXPECT_TRUE(node_facts(RoundRecord{}, 0).empty());
  EXPECT_TRUE(node_facts(RoundRecord{}, kBonusNode).empty());
  EXPECT_EQ(node_verdict(round, 9), "This round has no such node.");
}

TEST(NodeFacts, RoundsAreSummedUpInOneSentence) {
  RoundRecord round = make_round(3, 64);
  round.decision.chosen = 31;
  round.accepted.path = {0, 1};
  EXPECT_EQ(round_sentence(round), "64 candidates, 31 verified, 1 accepted + bonus = 2 tokens.");
  round.accepted.path = {0};
  EXPECT_EQ(round_sentence(round), "64 candidates, 31 verified, 0 accepted + bonus = 1 token.");
  EXPECT_EQ(round_words(round), "31 of 64 verified, 0 + bonus");
  EXPECT_THAT(round_sentence(make_round(1, 0)), HasSubstr("plain decoding"));
  EXPECT_THAT(round_words(make_round(1, 0)), HasSubstr("plain decoding"));
}

}  // namespace
}  // namespace draftscope::test
