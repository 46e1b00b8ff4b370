#include "engine/speculate/accept.h"

#include "engine/base/check.h"

namespace draftscope {

Accepted accept(const DraftTree& tree, std::span<const int32_t> choice) {
  DS_CHECK(!choice.empty() && choice.size() <= tree.token.size(), "{} choices for {} nodes", choice.size(),
           tree.token.size());
  // Children come after their parent, so one forward sweep meets the whole path. Siblings differ in token,
  // so at most one child matches.
  Accepted accepted;
  accepted.path.push_back(0);
  for (size_t node = 1; node < choice.size(); ++node) {
    const int32_t tip = accepted.path.back();
    if (tree.parent[node] == tip && tree.token[node] == choice[static_cast<size_t>(tip)]) {
      accepted.path.push_back(static_cast<int32_t>(node));
    }
  }
  accepted.bonus = choice[static_cast<size_t>(accepted.path.back())];
  return accepted;
}

}  // namespace draftscope
