#include "engine/model/bpe.h"

#include <queue>
#include <tuple>

namespace draftscope {
namespace {

// One symbol of the word; merged symbols stay in place of their left half, the right half is dead.
struct Symbol {
  int32_t id;
  int32_t previous, next;  // -1 at the ends
  bool alive = true;
};

// A possible merge of two neighbours; smallest rank first, then leftmost.
struct Pair {
  int32_t rank, left, right, left_id, right_id, merged;
  bool operator>(const Pair& other) const { return std::tie(rank, left) > std::tie(other.rank, other.left); }
};

}  // namespace

void Bpe::add_merge(int32_t left, int32_t right, int32_t rank, int32_t merged) {
  merges_.try_emplace(key(left, right), Merge{rank, merged});
}

void Bpe::encode(std::string_view word, std::vector<int32_t>& ids) const {
  std::vector<Symbol> symbols;
  symbols.reserve(word.size());
  for (const char c : word) {
    const int32_t id = byte_id_[static_cast<unsigned char>(c)];
    if (id < 0) continue;
    const int32_t at = static_cast<int32_t>(symbols.size());
    symbols.push_back({id, at - 1, at + 1});
  }
  if (symbols.empty()) return;
  symbols.back().next = -1;
  std::priority_queue<Pair, std::vector<Pair>, std::greater<>> queue;
  const auto offer = [&](int32_t left) {
    const int32_t right = left < 0 ? -1 : symbols[left].next;
    if (right < 0) return;
    const auto found = merges_.find(key(symbols[left].id, symbols[right].id));
    if (found == merges_.end()) return;
    queue.push({found->second.rank, left, right, symbols[left].id, symbols[right].id, found->second.merged});
  };
  for (int32_t i = 0; i + 1 < static_cast<int32_t>(symbols.size()); ++i) offer(i);
  while (!queue.empty()) {
    const Pair pair = queue.top();
    queue.pop();
    Symbol& left = symbols[pair.left];
    Symbol& right = symbols[pair.right];
    // Entries whose symbols changed since are stale.
    if (!left.alive || !right.alive || left.id != pair.left_id || right.id != pair.right_id) continue;
    left.id = pair.merged;
    left.next = right.next;
    right.alive = false;
    if (left.next >= 0) symbols[left.next].previous = pair.left;
    offer(left.previous);
    offer(pair.left);
  }
  for (int32_t i = 0; i >= 0; i = symbols[i].next) ids.push_back(symbols[i].id);
}

}  // namespace draftscope
