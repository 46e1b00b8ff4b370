// What can be said about one node of a round's tree, each number with its origin.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/record/round.h"
#include "ui/view/tree_layout.h"

namespace draftscope {

struct Fact {
  std::string label, value;
  std::string origin;  // "measured", "predicted", "derived", ...; empty for plain identities
};

/// Facts about tree node `node`, or about the bonus for kBonusNode. Empty when the round has no such node.
std::vector<Fact> node_facts(const RoundRecord& record, int32_t node);

/// One sentence: what happened to the node and why.
std::string node_verdict(const RoundRecord& record, int32_t node);

/// One sentence about the whole round.
std::string round_sentence(const RoundRecord& record);
/// The same in a few words, where there is no room for the sentence: "7 of 256 verified, 3 + bonus".
std::string round_words(const RoundRecord& record);

}  // namespace draftscope
