// The order of best-first growth (engine/speculate/grow.h): which of two candidates joins the tree first.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/shared/host_device.h"

namespace draftscope {

constexpr int32_t kMaxTreeNodes = 1024;  // below the root

/// A node or a candidate: where it hangs, and in the tree of which text. A root has depth 0 and no parent.
struct alignas(8) Link {
  uint16_t parent = 0, depth = 0, rank = 0, text = 0;
};
constexpr uint16_t kNoParent = 0xFFFF;

/// Orders finite doubles as unsigned integers; never 0, and never given -0.0, which no sum from 0.0 yields.
DS_HOST_DEVICE inline uint64_t ordered_key(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits >> 63 ? ~bits : bits | uint64_t{1} << 63;
}

/// The double that ordered_key gave `key`.
DS_HOST_DEVICE inline double from_ordered_key(uint64_t key) {
  const uint64_t bits = key >> 63 ? key ^ uint64_t{1} << 63 : ~key;
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/// Between candidates of equal probability: the earlier text comes first, and in one text the lexicographically smaller
/// rank path. No candidate is a prefix of another, so the paths part somewhere. tree: the roots, then nodes.
DS_HOST_DEVICE inline bool rank_path_before(Link a, Link b, const Link* tree) {
  if (a.text != b.text) return a.text < b.text;
  while (a.depth > b.depth) a = tree[a.parent];
  while (b.depth > a.depth) b = tree[b.parent];
  while (a.parent != b.parent) {
    a = tree[a.parent];
    b = tree[b.parent];
  }
  return a.rank < b.rank;
}

}  // namespace draftscope
